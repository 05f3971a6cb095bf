/** What is booted: a target, and how. */

import type { CpuDriver } from '@barreleye/cpu-driver';
import type { Board, CoreHal, TrapHandler } from '@barreleye/machine';
import type { Paging, Program, Scheduler, Topology } from '@barreleye/spec';
import type { Menu } from './menu.ts';

/** A file that menus can name: a program of this machine, or just bytes. */
export type ModuleFile = { readonly program: Program } | { readonly bytes: Uint8Array };

/** Everything that makes a target: what an app passes in. */
export interface Target {
  /** Name on the command line. */
  readonly name: string;
  readonly board: Board;
  readonly paging: Paging;
  /** Formats of page tables of other architectures that domains may build. */
  readonly foreignFormats?: readonly Paging[];
  /** Text of the menu that it boots from unless told otherwise. */
  readonly menu: string;
  /** Path by which menus name the CPU driver. */
  readonly cpuDriver: string;
  /** Files by path. */
  readonly files: ReadonlyMap<string, ModuleFile>;
  /** Makes the image of a program: number in the program table, and name. */
  readonly imageOf: (index: number, program: Program) => Uint8Array;
}

/** What is booted, whatever host runs it. */
export interface BootRequest {
  readonly target: Target;
  readonly menu: Menu;
  readonly coreCount: number;
  /** Whole pages. */
  readonly ramBytes: number;
  readonly seed: number;
  /** How far cores are from each other. Only a host in virtual time charges for that. */
  readonly topology?: Topology | undefined;
  /** Instead of what the menu says. */
  readonly scheduler?: Scheduler;
}

/** What is booted in one thread. */
export interface BootOptions extends BootRequest {
  /** Makes the CPU driver's trap handler from the driver; for tests that watch or replace it. */
  readonly wrapDriver?: (driver: CpuDriver, hal: CoreHal) => TrapHandler;
}

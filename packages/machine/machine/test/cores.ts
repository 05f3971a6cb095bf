/**
 * A machine whose cores all run one program from power-on, under kernels that are whatever the test
 * says. What its devices are is the board's business.
 */

import { asPaddr } from '@barreleye/core';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { Gate, PageFlag, type Program, type Topology } from '@barreleye/spec';
import type { Core } from '../src/core.ts';
import { Machine } from '../src/machine.ts';
import { boardPc64 } from '../src/pc64.ts';
import {
  DATA_VA,
  DEVICE_VA,
  DISPATCHER_VA,
  gateAt,
  IMAGE_VA,
  PAGE,
  setPc,
  writeGates,
} from './rig.ts';
import { Tables } from './tables.ts';

const { Read, Write, Execute } = PageFlag;
/** RAM of each core: tables, image, dispatcher frame. */
const CORE_BYTES = 64 * PAGE;

export interface CoresOptions {
  readonly program: Program;
  /** The kernel of every core: called at each trap of `core`; must leave the kernel. */
  readonly onTrap: (core: Core, kind: number) => void;
  readonly coreCount?: number;
  readonly seed?: number;
  readonly topology?: Topology;
}

/** Where all cores have the same page, of the RAM of core 0. */
export const SHARED_VA = DATA_VA;

/**
 * Build the machine; every core is in user mode at `Gate.Start`. The first word of its dispatcher
 * frame is its number.
 */
export function createCores(options: CoresOptions): Machine {
  const { program, onTrap, coreCount = 1, seed = 1, topology } = options;
  const machine = new Machine({
    board: boardPc64,
    paging: pagingX86_64,
    programs: [program],
    ramBytes: boardPc64.minRamBytes,
    coreCount,
    seed,
    topology,
  });
  const ram = machine.bus.ram[0]?.base ?? 0;
  for (const core of machine.cores) {
    const base = ram + core.coreId * CORE_BYTES;
    const tables = new Tables(machine.mem, pagingX86_64, base + 2 * PAGE);
    writeGates(machine.mem, asPaddr(base), 0);
    machine.mem.store32(asPaddr(base + PAGE), core.coreId);
    tables.map(IMAGE_VA, base, Read | Execute);
    tables.map(DISPATCHER_VA, base + PAGE, Read | Write);
    tables.map(SHARED_VA, ram + CORE_BYTES - PAGE, Read | Write);
    for (const [i, device] of boardPc64.devices.entries()) {
      tables.map(DEVICE_VA + i * PAGE, device.base, Read | Write);
    }
    core.powerOn({ onTrap: (kind) => onTrap(core, kind) }, () => {
      core.loadRoot(tables.root, 1);
      core.setThreadPointer(DISPATCHER_VA);
      setPc(core, gateAt(IMAGE_VA, Gate.Start));
      core.enterUser();
    });
  }
  return machine;
}

/** Where the `i`-th device of the board is mapped. */
export function deviceAt(i: number): number {
  return DEVICE_VA + i * PAGE;
}

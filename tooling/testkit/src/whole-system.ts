/**
 * A program of a test in a whole system, in the place of the shell: init has started it, the name
 * service and the terminal are there, and all other domains are started by it.
 */

import { type BootWishes, type System, withPrograms } from '@barreleye/boot';
import { decodeUtf8 } from '@barreleye/core';
import { createInit, type Init } from '@barreleye/init/testing';
import { program as bareProgram, type Os, type Wait } from '@barreleye/libos';
import { nameservice } from '@barreleye/nameservice';
import { type AppProgram, type FarFunctions, type ProgramOs, program } from '@barreleye/program';
import { terminal } from '@barreleye/terminal';
import { boot, checkMachine, type TestTarget } from './boot.ts';

/** What the program of a test works with. */
export interface Tester {
  readonly os: ProgramOs;
  /** All parts of the init of this core, to look at. */
  readonly init: Init;
  /** Those of all cores, by number. */
  readonly inits: ReadonlyMap<number, Init>;
  /** The machine and its kernel, likewise. */
  readonly system: System;
  /** What the terminal has shown so far. */
  readonly screen: () => string;
}

/** What a test may ask for beside what every boot takes. */
export interface SystemWishes extends BootWishes {
  /** Programs that can be started. */
  readonly others?: readonly AppProgram[];
  /** What the program of the test can start on other cores. */
  readonly far?: FarFunctions;
  /** Arguments that the boot menu gives to some of them, as they stand there. */
  readonly menuArgs?: Readonly<Record<string, string>>;
}

/** How a run has ended. */
export interface SystemRun {
  readonly system: System;
  readonly screen: string;
}

/** Cycles after which it is looked whether the test has ended, and how often at most. */
const SLICE_CYCLES = 1e8;
const MAX_SLICES = 10_000;
const RAM_BYTES = 32 * 2 ** 20;

/** A program that knows nothing of init: it has `Os`, and what is in its CSpace. */
export function bare(name: string, main: (os: Os) => Wait<unknown>): AppProgram {
  return { name, link: () => bareProgram(name, main) };
}

/** Boot `target` and run `main` to its end. What it throws is thrown here. */
export function runSystem(
  target: TestTarget,
  main: (tester: Tester) => Wait<unknown>,
  { others = [], menuArgs = {}, far = {}, ...wishes }: SystemWishes = {},
): SystemRun {
  const shown: number[] = [];
  const screen = (): string => decodeUtf8(shown).replaceAll('\r', '');
  const inits = new Map<number, Init>();
  const run: { state: 'new' | 'running' | 'done'; failure?: { readonly error: unknown } } = {
    state: 'new',
  };
  const tester = program(
    'shell',
    function* (os) {
      const init = inits.get(os.coreId);
      if (init === undefined || run.state !== 'new') return; // init has started it again
      run.state = 'running';
      try {
        yield* main({ os, init, inits, system, screen });
      } catch (error) {
        run.failure = { error };
      }
      run.state = 'done';
      for (;;) yield* os.sleep(SLICE_CYCLES);
    },
    { far },
  );
  const { paging } = target.target;
  const init = createInit({ paging }, (parts) => {
    inits.set(parts.boot.coreId, parts);
  });
  const rest = [nameservice, terminal, tester, ...others].map((each) => each.link({ paging }));
  const whole = withPrograms(target.target, [init, ...rest]);
  const menu = whole.menu.replaceAll(/\/(\S+)$/gm, (path, name) => {
    const args = menuArgs[name];
    return args === undefined ? path : `${path} ${args}`;
  });
  const booted = { ...target, target: { ...whole, menu } };
  const system = boot(booted, { ramBytes: RAM_BYTES, ...wishes });
  system.machine.console.transmit = (byte) => shown.push(byte);
  let kind = system.machine.run(SLICE_CYCLES).kind;
  const isGoing = (): boolean => run.state !== 'done' && kind === 'budget';
  for (let i = 1; i < MAX_SLICES && isGoing(); i++) kind = system.machine.run(SLICE_CYCLES).kind;
  if (run.failure !== undefined) throw run.failure.error;
  const [problem] = checkMachine(system);
  if (problem !== undefined) throw new Error(problem);
  if (run.state === 'done') return { system, screen: screen() };
  const broken = system.machine.programFailures.map((each) => `${each.program}: ${each.error}`);
  const what = [`the test did not end: the machine is ${kind}`, ...broken, screen()];
  throw new Error(what.join('\n'));
}

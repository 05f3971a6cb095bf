/** A program of a test in the place of init: it owns all memory of a real machine. */

import type { BootWishes, System } from '@barreleye/boot';
import { createMemory, type Memory, readBootInfo } from '@barreleye/init';
import { type Capref, capref, type Os, program, type Wait } from '@barreleye/libos';
import type { Spawner } from '@barreleye/spawn';
import { type Paging, type Program, RootSlot } from '@barreleye/spec';
import { boot, type TestTarget, withProgram } from './boot.ts';

/** What the program of a test works with. */
export interface FirstDomain {
  readonly os: Os;
  readonly memory: Memory;
  /** Page tables of the core. */
  readonly paging: Paging;
}

/** What a test may ask for beside what every boot takes. */
export interface FirstDomainWishes extends BootWishes {
  /** Programs whose images are boot modules: `moduleCap(0)` is that of the first. */
  readonly others?: readonly Program[];
}

/** Cycles after which it is looked whether the test has failed, and how often at most. */
const SLICE_CYCLES = 1e7;
const MAX_SLICES = 100;

/** The image of the `i`-th of the other programs. */
export function moduleCap(i: number): Capref<'DevFrame'> {
  return capref(RootSlot.ModuleCn, i + 1);
}

/**
 * Boot `target` with `main` as its first domain and run it until nothing is left to do. What a
 * thread throws is thrown here, after the machine has stopped.
 */
export function runFirstDomain(
  target: TestTarget,
  main: (domain: FirstDomain) => Wait<unknown>,
  { others = [], ...wishes }: FirstDomainWishes = {},
): System {
  let failure: { readonly error: unknown } | undefined;
  const { paging } = target.target;
  let isDone = false;
  const tester = program(
    'tester',
    function* (os, argPage) {
      const memory = createMemory(os, readBootInfo(os.sys.cpu, argPage), paging);
      yield* main({ os, memory, paging });
      isDone = true;
    },
    {
      onThreadDeath(_, _name, error) {
        failure ??= { error };
      },
    },
  );
  const system = boot(withProgram(target, tester, others), wishes);
  let kind = system.machine.run(SLICE_CYCLES).kind;
  for (let i = 1; i < MAX_SLICES && kind === 'budget' && failure === undefined; i++) {
    kind = system.machine.run(SLICE_CYCLES).kind; // what has failed may leave others that poll
  }
  const broken = system.machine.programFailures.find((each) => each.program === tester.name);
  if (broken !== undefined) throw broken.error;
  if (failure !== undefined) throw failure.error;
  if (!isDone) throw new Error(`the program did not come to its end: the machine is ${kind}`);
  return system;
}

/** The first domain as one that makes others. */
export function spawnerOf({ os, memory, paging }: FirstDomain): Spawner {
  const { source, vspace } = memory;
  return { sys: os.sys, source, vspace, paging };
}

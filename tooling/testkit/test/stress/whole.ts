/** A system for stress tests: the same on both hosts. */

import { type BootOptions, type Target, withPrograms } from '@barreleye/boot';
import { createInit } from '@barreleye/init/testing';
import { nameservice } from '@barreleye/nameservice';
import { type AppProgram, program } from '@barreleye/program';
import { terminal } from '@barreleye/terminal';
import { Conductor } from './conductor.ts';
import type { History } from './history.ts';
import { createProbe, type Insides } from './probe.ts';
import { talker } from './talker.ts';

/** What the test shows last. */
export const PASSED = 'stress: passed';
export const FAILED = 'stress: failed';

/** What is to happen, in words that can be cloned. */
export interface StressPlan {
  readonly coreCount: number;
  readonly histories: readonly History[];
}

/** The target, and what must be done for each kernel, so that the probes see it. */
export type StressSystem = { readonly target: Target } & Pick<Required<BootOptions>, 'wrapDriver'>;

/** The conductor is in the place of the shell, and says at the terminal how it was. */
export function stressSystem(target: Target, plan: StressPlan): StressSystem {
  const insides: Insides = { inits: new Map(), kernels: new Map() };
  const { paging } = target;
  const init = createInit({ paging }, (parts) => insides.inits.set(parts.boot.coreId, parts));
  const others = [nameservice, terminal, conductorOf(plan), talker, createProbe(insides)];
  const programs = [init, ...others.map((each) => each.link({ paging }))];
  return {
    target: withPrograms(target, programs),
    wrapDriver(driver, core) {
      insides.kernels.set(core.coreId, driver.kernel);
      return driver;
    },
  };
}

function conductorOf({ coreCount, histories }: StressPlan): AppProgram {
  return program('shell', function* (os) {
    try {
      const { saidCount, heardCount } = yield* new Conductor(os, coreCount).play(histories);
      yield* os.printLine(`${saidCount} messages sent, ${heardCount} heard`);
      yield* os.printLine(PASSED);
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      yield* os.printLine(`${reason}\n${FAILED}`);
    }
    for (;;) yield* os.sleep(1e15);
  });
}

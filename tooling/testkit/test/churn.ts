/** Domains that start and end, again and again, in all the ways there are. */

import { Prng } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import {
  type Child,
  endOf,
  errorOf,
  expectInventory,
  killFamily,
  runSystem,
  start,
  type Tester,
  type TestTarget,
  takeInventory,
} from '../src/index.ts';
import { IMMORTALS, MORTALS, pit } from './mortals.ts';

/** How many are there at once, at most. */
const MAX_LIVING = 4;
const SMALL = { quotaBytes: 1.5 * 2 ** 20 };
const A_WHILE = 300_000;

const others = [...MORTALS, ...IMMORTALS].map(([, each]) => each).concat(pit);

/** What is to happen, and who hears how far it has come. */
export interface ChurnOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly onProgress?: (done: number, tester: Tester) => void;
}

/** Start and end `cycles` domains. Throws when the system is not what it was before. */
export function churn(target: TestTarget, options: ChurnOptions): void {
  runSystem(
    target,
    function* (tester) {
      yield* start(tester.os, 'pit', SMALL);
      yield* tester.os.names.waitFor('pit');
      yield* warmUp(tester);
      const before = yield* takeInventory(tester);
      const prng = new Prng(options.seed);
      const living: Child[] = [];
      for (let done = 0; done < options.cycles; done++) {
        yield* step(tester, prng, living);
        options.onProgress?.(done + 1, tester);
      }
      for (const child of living) yield* killFamily(tester, child);
      yield* expectInventory(tester, before);
    },
    { others, ramBytes: 48 * 2 ** 20 },
  );
}

/** As many as there are ever, twice: that leaves the page tables and slots that are needed. */
function* warmUp(tester: Tester): Wait<void> {
  for (let round = 0; round < 2; round++) {
    const living: Child[] = [];
    for (const [, { name }] of IMMORTALS) {
      if (living.length > MAX_LIVING) yield* killFamily(tester, living.pop() as Child);
      living.push(yield* start(tester.os, name, SMALL));
      yield* tester.os.sleep(A_WHILE);
    }
    for (const child of living) yield* killFamily(tester, child);
  }
}

/** Start a domain; have it end by itself, or let it live on and end another one. */
function* step(tester: Tester, prng: Prng, living: Child[]): Wait<void> {
  const { os } = tester;
  const pick = <T>(from: readonly T[]): T => from[prng.below(from.length)] as T;
  if (prng.below(2) === 0) {
    const [, { name }] = pick(MORTALS);
    yield* endOf(os, yield* start(os, name, SMALL));
    return;
  }
  living.push(yield* start(os, pick(IMMORTALS)[1].name, SMALL));
  yield* os.sleep(1 + prng.below(A_WHILE));
  const victim = pick(living);
  // One that had too little memory for what it does has ended.
  if (prng.below(3) === 0) yield* errorOf(os.system.suspend({ domain: victim.domain }));
  if (living.length < MAX_LIVING && prng.below(2) === 0) return;
  living.splice(living.indexOf(victim), 1);
  yield* killFamily(tester, victim);
}

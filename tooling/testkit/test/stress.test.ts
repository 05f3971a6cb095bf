/**
 * All domains of a system call all others, across its cores, while some of them are killed, sleep,
 * or take a core for themselves. Nothing is lost, said twice, or said in another order, whoever has
 * died is noticed, and nothing is left on any core.
 *
 * STRESS_RUNS says how many histories there are, STRESS_EVENTS how long each is, STRESS_SEED which.
 */

import { decodeUtf8 } from '@barreleye/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boot, TARGETS, type TestTarget } from '../src/index.ts';
import { histories } from './stress/history.ts';
import { FAILED, PASSED, type StressPlan, stressSystem } from './stress/whole.ts';

const CORES = 4;
const RUNS = Number(process.env['STRESS_RUNS'] ?? 2);
const EVENTS = Number(process.env['STRESS_EVENTS'] ?? 15);
const SEED = Number(process.env['STRESS_SEED'] ?? 20261121);
const RAM_BYTES = 320 * 2 ** 20;
const SLICE_CYCLES = 1e7;
/** The longest history is over long before. */
const MAX_SLICES = 20_000;

/** What the system shows until it is over. */
function run({ target }: TestTarget, plan: StressPlan, seed: number): string {
  const { wrapDriver, target: whole } = stressSystem(target, plan);
  const wishes = { coreCount: plan.coreCount, ramBytes: RAM_BYTES, seed, wrapDriver };
  const { machine } = boot({ name: '', target: whole }, wishes);
  const shown: number[] = [];
  machine.console.transmit = (byte) => void shown.push(byte);
  const screen = (): string => decodeUtf8(shown).replaceAll('\r', '');
  for (let i = 0; i < MAX_SLICES; i++) {
    const { kind } = machine.run(SLICE_CYCLES);
    const text = screen();
    if (text.includes(PASSED) || text.includes(FAILED)) return text;
    if (kind !== 'budget') return `${text}\nthe machine is ${kind}`;
  }
  return `${screen()}\nnever ends`;
}

describe.each(TARGETS)('on $name', (target) => {
  const runCount = target === TARGETS[0] ? RUNS : Math.ceil(RUNS / 4);
  const title = `${runCount} histories of ${EVENTS} events on ${CORES} cores; seed ${SEED}`;
  test(title, { timeout: 3_600_000 }, () => {
    const all = histories({ coreCount: CORES, eventCount: EVENTS });
    fc.assert(
      fc.property(all, (history) => {
        const plan = { coreCount: CORES, histories: [history] };
        const text = run(target, plan, history.seed);
        expect(text).toContain(PASSED);
      }),
      { numRuns: runCount, seed: SEED, endOnFailure: true },
    );
  });
});

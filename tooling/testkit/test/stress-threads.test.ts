/**
 * The same as stress.test.ts on the parallel host, where nothing comes twice as it was: as many
 * cores as the host has processors, and more. STRESS_THREAD_RUNS histories each.
 */

import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { histories } from './stress/history.ts';
import { runParallel } from './stress/parallel.ts';
import { PASSED } from './stress/whole.ts';

const RUNS = Number(process.env['STRESS_THREAD_RUNS'] ?? 1);
const EVENTS = Number(process.env['STRESS_EVENTS'] ?? 15);
const SEED = Number(process.env['STRESS_SEED'] ?? 20261121);
const RAM_BYTES = 320 * 2 ** 20;
const PATIENCE_MS = 300_000;

const processors = Math.min(availableParallelism(), 4);

describe.each([processors, 2 * processors])('on %i threads', (coreCount) => {
  const title = `${RUNS} histories of ${EVENTS} events; seed ${SEED}`;
  test(title, { timeout: 3_600_000 }, async () => {
    const [...played] = fc.sample(histories({ coreCount, eventCount: EVENTS }), {
      numRuns: RUNS,
      seed: SEED,
    });
    const plan = { target: 0, coreCount, histories: played };
    const shown = await runParallel(plan, RAM_BYTES, PATIENCE_MS * RUNS);
    expect(shown).toContain(PASSED);
  });
});

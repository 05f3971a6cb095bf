/** Barriers under random schedules. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runUnder, schedules } from '../test/schedule.ts';
import { Barrier } from './barrier.ts';
import type { Wait } from './os.ts';

describe('a barrier', () => {
  it('lets nobody into a round before all have ended the last, and names one (seed 56)', () => {
    const ROUNDS = 4;
    const property = fc.property(schedules, fc.integer({ min: 1, max: 5 }), (schedule, count) => {
      const arrived = Array<number>(ROUNDS).fill(0);
      const lastOnes = Array<number>(ROUNDS).fill(0);
      // biome-ignore lint/correctness/useYield: it does not wait
      const domain = runUnder(schedule, function* (os) {
        const barrier = new Barrier(os, 'rounds', count);
        function* walk(): Wait<void> {
          for (let round = 0; round < ROUNDS; round++) {
            yield* os.preempt();
            arrived[round] = (arrived[round] ?? 0) + 1;
            const isLast = yield* barrier.arrive();
            expect(arrived[round]).toBe(count);
            if (isLast) lastOnes[round] = (lastOnes[round] ?? 0) + 1;
          }
        }
        for (let i = 0; i < count; i++) os.spawnThread(`w${i}`, walk());
      });
      expect(domain.threadNames()).toEqual([]);
      expect(lastOnes).toEqual(Array(ROUNDS).fill(1));
    });
    fc.assert(property, { seed: 56, numRuns: 100 });
  });

  it('is for at least one thread', () => {
    runUnder([], function* (os) {
      expect(() => new Barrier(os, 'none', 0)).toThrow('at least one');
      expect(yield* new Barrier(os, 'one', 1).arrive()).toBe(true);
    });
  });
});

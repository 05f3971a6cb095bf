/** Semaphores, against a model, under random schedules. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runUnder, schedules } from '../test/schedule.ts';
import type { Wait } from './os.ts';
import { SemaphoreModel } from './semaphore.model.ts';
import { Semaphore } from './semaphore.ts';

describe('a semaphore', () => {
  it('hands out what there is, first come first served, and loses no wake-up (seed 53)', () => {
    const steps = fc.array(fc.constantFrom('take', 'try', 'post', 'preempt'), { maxLength: 8 });
    const threads = fc.array(steps, { minLength: 1, maxLength: 6 });
    const property = fc.property(schedules, threads, fc.nat(2), (schedule, scripts, count) => {
      const model = new SemaphoreModel(count);
      let semaphore: Semaphore | undefined;
      // biome-ignore lint/correctness/useYield: it does not wait
      const domain = runUnder(schedule, function* (os) {
        const made = new Semaphore(os, 'units', count);
        semaphore = made;
        function* follow(name: string, script: readonly string[]): Wait<void> {
          for (const step of script) {
            expect(made.count).toBe(model.count);
            if (step === 'preempt') yield* os.preempt();
            else if (step === 'post') {
              model.post();
              made.post();
            } else if (step === 'try') {
              const isThere = model.count > 0;
              expect(made.tryTake()).toBe(isThere);
              if (isThere) model.count -= 1;
            } else {
              model.ask(name);
              yield* made.take();
              expect(model.noticed(name)).toBe(true);
            }
          }
        }
        for (const [i, script] of scripts.entries())
          os.spawnThread(`t${i}`, follow(`t${i}`, script));
      });
      expect(model.given.size).toBe(0);
      expect(domain.threadNames().sort()).toEqual([...model.waiting].sort());
      expect(semaphore?.count).toBe(model.count);
    });
    fc.assert(property, { seed: 53, numRuns: 300 });
  });

  it('does not count below zero', () => {
    runUnder([], function* (os) {
      expect(() => new Semaphore(os, 'debt', -1)).toThrow('counts from zero');
      yield* new Semaphore(os, 'one', 1).take();
    });
  });
});

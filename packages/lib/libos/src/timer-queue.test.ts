/** Timers, against a sorted list. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timer, TimerQueue } from './timer-queue.ts';

describe('timers', () => {
  it('expire by deadline, then by the order in which they were set (seed 52)', () => {
    const step = fc.record({
      act: fc.constantFrom('set', 'set', 'cancel', 'pass'),
      at: fc.nat(15),
      cycles: fc.nat(6),
    });
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new TimerQueue();
      const expired: number[] = [];
      const timers = Array.from({ length: 16 }, (_, i) => new Timer(() => expired.push(i)));
      let model: { readonly i: number; readonly deadline: number }[] = [];
      let now = 0;
      for (const { act, at, cycles } of steps) {
        const timer = timers[at];
        const isSet = model.some(({ i }) => i === at);
        if (timer === undefined) continue;
        expect(timer.isSet).toBe(isSet);
        if (act === 'set' && !isSet) {
          queue.set(timer, now + cycles);
          model.push({ i: at, deadline: now + cycles });
        } else if (act === 'cancel') {
          expect(queue.cancel(timer)).toBe(isSet);
          model = model.filter(({ i }) => i !== at);
        } else if (act === 'pass') {
          now += cycles;
          const due = model.filter(({ deadline }) => deadline <= now);
          due.sort((a, b) => a.deadline - b.deadline);
          model = model.filter(({ deadline }) => deadline > now);
          queue.expireUntil(now);
          expect(expired.splice(0)).toEqual(due.map(({ i }) => i));
        }
        expect(queue.length).toBe(model.length);
        expect(queue.deadline).toBe(Math.min(...model.map(({ deadline }) => deadline)));
      }
    });
    fc.assert(property, { seed: 52, numRuns: 300 });
  });

  it('can be set again when they expire', () => {
    const queue = new TimerQueue();
    const deadlines: number[] = [];
    const timer = new Timer(() => {
      deadlines.push(timer.deadline);
      if (deadlines.length < 3) queue.set(timer, timer.deadline + 10);
    });
    queue.set(timer, 5);
    queue.expireUntil(100);
    expect(deadlines).toEqual([5, 15, 25]);
    expect(timer.isSet).toBe(false);
  });

  it('are set once', () => {
    const queue = new TimerQueue();
    const timer = new Timer(() => undefined);
    queue.set(timer, 1);
    expect(() => queue.set(timer, 2)).toThrow('set already');
  });
});

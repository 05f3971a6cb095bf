/** The FIFO behind a UART. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteFifo } from './fifo.ts';

it('is empty at first and again when all is taken', () => {
  const fifo = new ByteFifo();
  expect([fifo.length, fifo.shift()]).toEqual([0, -1]);
  fifo.push(0);
  expect([fifo.length, fifo.shift(), fifo.length, fifo.shift()]).toEqual([1, 0, 0, -1]);
});

it('hands bytes out in the order they came, however many wait (seed 5)', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ shift: fc.integer({ min: 1, max: 400 }) }),
    ),
    { maxLength: 20 },
  );
  const property = fc.property(steps, (all) => {
    const fifo = new ByteFifo();
    const model: number[] = [];
    let next = 0;
    for (const step of all) {
      if ('push' in step) {
        for (let i = 0; i < step.push; i++) {
          next = (next * 5 + 1) & 0xff;
          fifo.push(next);
          model.push(next);
        }
      } else {
        for (let i = 0; i < step.shift; i++) expect(fifo.shift()).toBe(model.shift() ?? -1);
      }
      expect(fifo.length).toBe(model.length);
    }
  });
  fc.assert(property, { seed: 5, numRuns: 30 });
});

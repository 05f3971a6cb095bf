/** Rings against a plain queue: nothing is lost, duplicated, reordered or torn. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runRing } from './ring.model.ts';

const mode = fc.constantFrom('latency' as const, 'bulk' as const);

test('a ring is a queue, in either mode at either end, also where sequence numbers wrap', () => {
  const cases = fc.record({
    seed: fc.nat(),
    slotCount: fc.integer({ min: 1, max: 40 }),
    modes: fc.tuple(mode, mode),
    untilWrap: fc.nat({ max: 200 }),
  });
  fc.assert(
    fc.property(cases, (ring) => runRing(ring, 400)),
    { numRuns: 40, seed: 7 },
  );
  expect.hasAssertions();
});

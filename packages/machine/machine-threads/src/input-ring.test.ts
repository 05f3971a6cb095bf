/** Bytes on their way from the main thread to a core. */

import { Prng } from '@barreleye/core';
import { expect, it } from 'vitest';
import { INPUT_RING_BYTES, InputRing, RING_BYTES } from './input-ring.ts';

function create(): InputRing {
  return new InputRing(new SharedArrayBuffer(INPUT_RING_BYTES), 0);
}

/** Take everything. @returns it, and whether the writer waits for room */
function takeAll(ring: InputRing): [number[], boolean] {
  const taken: number[] = [];
  const isStarved = ring.takeAll((byte) => taken.push(byte));
  return [taken, isStarved];
}

it('gives what was put, in order, once', () => {
  const ring = create();
  expect(ring.isEmpty).toBe(true);
  expect(ring.put(Uint8Array.of(1, 2, 3))).toBe(3);
  expect(ring.put(Uint8Array.of(4))).toBe(1);
  expect(ring.isEmpty).toBe(false);
  expect(takeAll(ring)).toEqual([[1, 2, 3, 4], false]);
  expect(takeAll(ring)).toEqual([[], false]);
  expect(ring.isEmpty).toBe(true);
});

it('takes what fits, and tells the reader once that there is more', () => {
  const ring = create();
  const bytes = new Uint8Array(RING_BYTES + 5).fill(7);
  expect(ring.put(bytes)).toBe(RING_BYTES);
  expect(ring.put(bytes)).toBe(0);
  expect(takeAll(ring)).toEqual([Array.from({ length: RING_BYTES }, () => 7), true]);
  expect(takeAll(ring)).toEqual([[], false]);
});

it('loses nothing however full it is (seed 8)', () => {
  const ring = create();
  const prng = new Prng(8);
  const put: number[] = [];
  const taken: number[] = [];
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from({ length: prng.below(2000) }, () => prng.below(256));
    put.push(...bytes.subarray(0, ring.put(bytes)));
    if (prng.below(2) === 0) taken.push(...takeAll(ring)[0]);
  }
  taken.push(...takeAll(ring)[0]);
  expect(put.length).toBeGreaterThan(10 * RING_BYTES);
  expect(taken).toEqual(put);
});

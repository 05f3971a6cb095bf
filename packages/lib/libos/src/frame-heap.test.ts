/** Room for endpoint buffers, against a byte map. */

import { DISPATCHER_FRAME_BYTES, DISPATCHER_SHARED_BYTES } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameHeap } from './frame-heap.ts';

const ROOM = DISPATCHER_FRAME_BYTES - DISPATCHER_SHARED_BYTES;

describe('the heap of a dispatcher frame', () => {
  it('takes the first range that is long enough, whatever was freed before (seed 57)', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: ROOM / 4 }), frees: fc.nat(9) });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new FrameHeap();
      const taken = new Uint8Array(ROOM);
      const live: { readonly offset: number; readonly bytes: number }[] = [];
      for (const { bytes, frees } of steps) {
        const offset = heap.alloc(bytes);
        expect(offset).toBe(firstFit(taken, bytes));
        if (offset >= 0) {
          taken.fill(1, offset - DISPATCHER_SHARED_BYTES, offset - DISPATCHER_SHARED_BYTES + bytes);
          live.push({ offset, bytes });
        }
        const [gone] = live.splice(frees, 1);
        if (gone === undefined) continue;
        heap.release(gone.offset, gone.bytes);
        const at = gone.offset - DISPATCHER_SHARED_BYTES;
        taken.fill(0, at, at + gone.bytes);
      }
      for (const { offset, bytes } of live) heap.release(offset, bytes);
      expect(heap.alloc(ROOM)).toBe(DISPATCHER_SHARED_BYTES);
    });
    fc.assert(property, { seed: 57, numRuns: 50 });
  });

  it('takes nothing back twice', () => {
    const heap = new FrameHeap();
    const [a, b] = [heap.alloc(64), heap.alloc(64)];
    heap.release(a, 64);
    expect(() => heap.release(a, 64)).toThrow('free already');
    expect(() => heap.release(a, 128)).toThrow('free already');
    heap.release(b, 64);
    expect(() => heap.release(b, 64)).toThrow('free already');
  });
});

/** Offset in the frame of the first `bytes` bytes in a row that are not taken, or -1. */
function firstFit(taken: Uint8Array, bytes: number): number {
  let start = taken.indexOf(0);
  while (start >= 0) {
    const found = taken.indexOf(1, start);
    const end = found < 0 ? taken.length : found;
    if (end - start >= bytes) return DISPATCHER_SHARED_BYTES + start;
    start = found < 0 ? -1 : taken.indexOf(0, end);
  }
  return -1;
}

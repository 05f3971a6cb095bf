/** The heap, also against a set of ranges. */

import { OK, type Result } from '@barreleye/core';
import { Access, Err, errName, errNames } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHAPES } from '../test/shapes.ts';
import { PAGE, Space } from '../test/space.ts';
import { Heap } from './heap.ts';

const SEED = 44;

function must(result: Result<number>): number {
  if (!result.ok) throw new Error(errNames(result.err).join(' '));
  return result.value;
}

const nameOf = (result: Result<number>): string => (result.ok ? 'OK' : errName(result.err));

describe.each(SHAPES)('a heap in $name', (named) => {
  it('takes no memory until blocks are touched, and gives large ones back', () => {
    const space = new Space(named);
    const heap = new Heap(space.vspace);
    const small = must(heap.alloc(100));
    const large = must(heap.alloc(2 ** 28));
    expect([space.framesTaken, heap.blockCount]).toEqual([0, 2]);
    for (const va of [small, large, large + 2 ** 28 - 1]) {
      expect(space.vspace.serveFault(va, Access.Write)).toBe(OK);
    }
    expect(space.framesTaken).toBe(3);
    expect(heap.free(large)).toBe(OK);
    expect(space.framesTaken).toBe(1);
    expect(heap.free(small)).toBe(OK);
    expect([heap.usedBytes, heap.blockCount]).toEqual([0, 0]);
  });

  it('hands a small block out again before it takes a new one', () => {
    const heap = new Heap(new Space(named).vspace);
    const first = must(heap.alloc(100));
    for (let i = 0; i < 1000; i++) {
      expect(heap.free(first)).toBe(OK);
      expect(must(heap.alloc(100))).toBe(first);
    }
  });

  it('refuses what makes no sense', () => {
    const space = new Space(named);
    const heap = new Heap(space.vspace);
    for (const bytes of [0, -1, Number.NaN])
      expect(nameOf(heap.alloc(bytes))).toBe('LIB_ERR_BAD_INPUT');
    expect(nameOf(heap.alloc(2 ** 52))).toBe('LIB_ERR_HEAP_FULL');
    const block = must(heap.alloc(64));
    expect(heap.free(block + 16)).toBe(Err.LIB_ERR_HEAP_FREE);
    expect(heap.free(block)).toBe(OK);
    expect(heap.free(block), 'twice').toBe(Err.LIB_ERR_HEAP_FREE);
    const large = must(heap.alloc(2 ** 20));
    expect(heap.free(large + PAGE)).toBe(Err.LIB_ERR_HEAP_FREE);
  });

  it(`never hands out a byte twice (seed ${SEED})`, () => {
    const step = fc.oneof(
      fc.record({
        bytes: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 200_000 })),
      }),
      fc.record({ drop: fc.nat() }),
    );
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const heap = new Heap(new Space(named).vspace);
      const out: { va: number; bytes: number }[] = [];
      for (const s of steps) {
        if ('bytes' in s) {
          const va = must(heap.alloc(s.bytes));
          expect(va % 16).toBe(0);
          for (const other of out) {
            expect(va + s.bytes <= other.va || other.va + other.bytes <= va).toBe(true);
          }
          out.push({ va, bytes: s.bytes });
        } else if (out.length > 0) {
          const [gone] = out.splice(s.drop % out.length, 1);
          expect(heap.free(gone?.va ?? 0)).toBe(OK);
        }
        expect(heap.blockCount).toBe(out.length);
        expect(heap.usedBytes).toBeGreaterThanOrEqual(out.reduce((sum, b) => sum + b.bytes, 0));
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });
});

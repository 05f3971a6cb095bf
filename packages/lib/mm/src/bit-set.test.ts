import { KernelPanic } from '@barreleye/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitSet } from './bit-set.ts';

const SEED = 32;

describe('a set of bits', () => {
  it.each([1, 31, 32, 33, 1024, 1025, 40_000])(
    `finds the last member below any of %d numbers (seed ${SEED})`,
    (limit) => {
      const change = fc.tuple(fc.nat(limit - 1), fc.boolean());
      const asked = fc.array(fc.nat(limit - 1), { maxLength: 20 });
      const property = fc.property(
        fc.array(change, { maxLength: 40 }),
        asked,
        (changes, places) => {
          const bits = new BitSet(limit);
          const members = new Set([0]);
          bits.add(0);
          for (const [member, isIn] of changes) {
            if (isIn || member === 0) bits.add(member);
            else bits.delete(member);
            if (isIn || member === 0) members.add(member);
            else members.delete(member);
            expect(bits.has(member)).toBe(members.has(member));
          }
          for (const place of places) {
            const upTo = [...members].filter((member) => member <= place);
            expect(bits.lastUpTo(place)).toBe(Math.max(...upTo));
          }
        },
      );
      fc.assert(property, { seed: SEED, numRuns: 40 });
    },
  );

  it('must have a member there', () => {
    const bits = new BitSet(100);
    bits.add(50);
    expect(bits.lastUpTo(99)).toBe(50);
    expect(() => bits.lastUpTo(49)).toThrow(KernelPanic);
    expect(() => new BitSet(0)).toThrow(KernelPanic);
  });
});

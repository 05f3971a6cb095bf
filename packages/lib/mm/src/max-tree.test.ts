import { KernelPanic } from '@barreleye/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaxTree, NONE } from './max-tree.ts';

const SEED = 8;

describe('a tree of maxima', () => {
  it.each([1, 2, 7, 8, 9, 63, 64, 65, 512, 513])(
    `finds what a search through all %d numbers would (seed ${SEED})`,
    (count) => {
      const change = fc.tuple(fc.nat(count - 1), fc.integer({ min: -20, max: 20 }));
      const changes = fc.array(change, { maxLength: 60 });
      const property = fc.property(changes, fc.nat(count), (list, from) => {
        const tree = new MaxTree(count);
        const numbers: number[] = new Array(count).fill(0);
        for (const [index, value] of list) {
          tree.set(index, value);
          numbers[index] = value;
        }
        for (let least = 1; least <= 21; least++) {
          expect(tree.first(least)).toBe(numbers.findIndex((number) => number >= least));
          const found = numbers.findIndex((number, i) => i >= from && number >= least);
          expect(tree.firstFrom(from, least)).toBe(found);
        }
      });
      fc.assert(property, { seed: SEED, numRuns: 30 });
    },
  );

  it('finds over every level, up and down again', () => {
    const tree = new MaxTree(100_000);
    tree.set(0, 9);
    tree.set(99_999, 5);
    expect([tree.first(5), tree.firstFrom(1, 5), tree.firstFrom(1, 6)]).toEqual([0, 99_999, NONE]);
    tree.set(0, -9);
    expect([tree.first(5), tree.first(6)]).toEqual([99_999, NONE]);
    expect(tree.firstFrom(100_000, 1)).toBe(NONE);
  });

  it('is of at least one number', () => {
    expect(() => new MaxTree(0)).toThrow(KernelPanic);
  });
});

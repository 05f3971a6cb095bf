/** Sets of cores in two words. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packCores, unpackCores } from './core-set.ts';

describe('a set of cores', () => {
  it('is the same in words, and in order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63)), (cores) => {
        expect(unpackCores(...packCores(cores))).toEqual([...cores].sort((a, b) => a - b));
      }),
    );
  });
});

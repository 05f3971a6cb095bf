import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelPanic } from './assert.ts';
import { Prng } from './prng.ts';

const take = (prng: Prng, count: number): number[] =>
  Array.from({ length: count }, () => prng.next32());

describe('next32', () => {
  // First ten outputs of the authors' C program, state 1, 2, 3, 4.
  it('is xoshiro128**', () => {
    const prng = new Prng(0);
    Reflect.get(prng, 'state').set([1, 2, 3, 4]);
    expect(take(prng, 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  // From the same C program, its state filled by four steps of splitmix32 in C.
  it.each([
    [0, [3809008728, 1133695204, 53579671, 2891528803, 139681546], 3855962975],
    [1, [2442144158, 3238099751, 3819917871, 2104621829, 2021136066], 4020342576],
    [42, [2837322924, 544945897, 479756282, 3500138142, 339756180], 3502085780],
    [0xffff_ffff, [835879718, 1921286648, 2356205009, 1885780724, 980451116], 1166679599],
  ])('with seed %d says what the reference says', (seed, first, thousandth) => {
    const prng = new Prng(seed);
    expect(take(prng, 5)).toEqual(first);
    expect(take(prng, 995).at(-1)).toBe(thousandth);
  });

  it('looks at the low 32 bits of a seed', () => {
    expect(take(new Prng(2 ** 32 + 7), 4)).toEqual(take(new Prng(7), 4));
    expect(take(new Prng(-1), 4)).toEqual(take(new Prng(0xffff_ffff), 4));
  });

  it('never starts from a state of zeros, from which nothing would come', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(take(new Prng(seed), 8).some((n) => n !== 0)).toBe(true);
      }),
    );
  });

  it('sets every bit half of the time', () => {
    const prng = new Prng(7);
    const counts = new Array<number>(32).fill(0);
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      const n = prng.next32();
      for (let bit = 0; bit < 32; bit++) if ((n >>> bit) & 1) counts[bit] = (counts[bit] ?? 0) + 1;
    }
    // Five standard deviations of a fair coin.
    for (const n of counts)
      expect(Math.abs(n - rounds / 2)).toBeLessThan(5 * Math.sqrt(rounds / 4));
  });
});

describe('below', () => {
  it('stays below its limit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
        const n = new Prng(seed).below(limit);
        expect(Number.isInteger(n) && n >= 0 && n < limit).toBe(true);
      }),
    );
  });

  it('is fair (chi-squared, 6 degrees of freedom, far beyond the 0.1 % point)', () => {
    const prng = new Prng(3);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    const rounds = 70_000;
    for (let i = 0; i < rounds; i++) {
      const n = prng.below(7);
      counts[n] = (counts[n] ?? 0) + 1;
    }
    const expected = rounds / 7;
    const chi = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chi).toBeLessThan(30);
  });

  it('throws away what would make some numbers likelier', () => {
    // Of the numbers below 2^32, those from 3 * 2^30 up are one too many for this limit.
    const limit = 3 * 2 ** 30;
    const prng = new Prng(0);
    const twin = new Prng(0);
    for (let i = 0; i < 100; i++) {
      let expected = twin.next32();
      while (expected >= limit) expected = twin.next32();
      expect(prng.below(limit)).toBe(expected);
    }
  });

  it('is next32 for the largest limit, and 0 for the smallest', () => {
    expect(new Prng(5).below(2 ** 32)).toBe(new Prng(5).next32());
    expect(new Prng(5).below(1)).toBe(0);
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('panics on a limit of %d', (limit) => {
    expect(() => new Prng(1).below(limit)).toThrow(KernelPanic);
  });
});

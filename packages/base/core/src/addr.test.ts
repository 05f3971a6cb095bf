import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alignDown,
  alignUp,
  asPaddr,
  asPtr,
  asVaddr,
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  capAddr,
  claimVaddr,
  coreId,
  fromWords,
  highWord,
  isAligned,
  isCanonical,
  isInside,
  isPaddr,
  lowWord,
  MAX_CORE_ID,
  offset,
  PADDR_LIMIT,
  paddr,
  vaddr,
} from './addr.ts';
import { KernelPanic } from './assert.ts';

const NOT_INTEGERS = [0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const exact = fc.maxSafeInteger();
const exactNat = fc.maxSafeNat();
const word = fc.nat({ max: 0xffff_ffff });

describe('checked brands', () => {
  it.each([0, 1, 4096, 2 ** 32, PADDR_LIMIT - 1])('%d is a physical address', (n) => {
    expect(isPaddr(n)).toBe(true);
    expect(paddr(n)).toBe(n);
  });

  it.each([-1, PADDR_LIMIT, ...NOT_INTEGERS])('%d is no physical address', (n) => {
    expect(isPaddr(n)).toBe(false);
    expect(() => paddr(n)).toThrow(KernelPanic);
  });

  it.each([0, -1, 2 ** 47 - 1, -(2 ** 47)])('%d is a canonical virtual address', (n) => {
    expect(isCanonical(n)).toBe(true);
    expect(vaddr(n)).toBe(n);
  });

  it.each([2 ** 47, -(2 ** 47) - 1, ...NOT_INTEGERS])('%d is no virtual address', (n) => {
    expect(isCanonical(n)).toBe(false);
    expect(() => vaddr(n)).toThrow('not a canonical virtual address');
  });

  it.each([0, 0x202, 0xffff_ffff])('%d is a capability address', (n) => {
    expect(capAddr(n)).toBe(n);
  });

  it.each([-1, 2 ** 32, ...NOT_INTEGERS])('%d is no capability address', (n) => {
    expect(() => capAddr(n)).toThrow('not a capability address');
  });

  it.each([0, 1, MAX_CORE_ID])('%d is a core number', (n) => {
    expect(coreId(n)).toBe(n);
  });

  it.each([-1, MAX_CORE_ID + 1, ...NOT_INTEGERS])('%d is no core number', (n) => {
    expect(() => coreId(n)).toThrow('not a core id');
  });

  it('take the word of a caller that has proved it already', () => {
    expect([asPaddr(8), asPtr<'X'>(16), asVaddr(-8), claimVaddr(0.5)]).toEqual([8, 16, -8, 0.5]);
  });
});

describe('offset', () => {
  it('goes both ways', () => {
    expect(offset(paddr(4096), 4096)).toBe(8192);
    expect(offset(vaddr(-4096), -4096)).toBe(-8192);
  });
});

describe('alignment', () => {
  const bits = fc.nat({ max: 40 });

  it('knows the smallest page', () => {
    expect(2 ** BASE_PAGE_BITS).toBe(BASE_PAGE_SIZE);
  });

  it('rounds down to the largest multiple that is not above', () => {
    fc.assert(
      fc.property(exact, bits, (n, b) => {
        const down = alignDown(n, b);
        expect(isAligned(down, b)).toBe(true);
        expect(down <= n && BigInt(n) - BigInt(down) < 2n ** BigInt(b)).toBe(true);
      }),
    );
  });

  it('rounds up to the smallest multiple that is not below', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), bits, (n, b) => {
        const up = alignUp(n, b);
        expect(isAligned(up, b)).toBe(true);
        expect(up >= n && BigInt(up) - BigInt(n) < 2n ** BigInt(b)).toBe(true);
        expect(Object.is(up, -0)).toBe(false);
      }),
    );
  });

  it('agrees with BigInt about what is a multiple', () => {
    fc.assert(
      fc.property(exact, bits, (n, b) => {
        expect(isAligned(n, b)).toBe(BigInt(n) % 2n ** BigInt(b) === 0n);
      }),
    );
  });

  it('leaves multiples alone, below zero too', () => {
    for (const n of [-8192, -4096, 0, 4096, 2 ** 51]) {
      expect(alignDown(n, 12)).toBe(n);
      expect(alignUp(n, 12)).toBe(n);
    }
    expect(alignUp(-4095, 12)).toBe(0);
    expect(alignDown(-1, 12)).toBe(-4096);
  });
});

describe('isInside', () => {
  it('agrees with BigInt wherever the numbers are exact', () => {
    const edge = fc.oneof(
      exactNat,
      fc.nat({ max: 8 }),
      fc.nat({ max: 8 }).map((n) => 2 ** 53 - 1 - n),
    );
    fc.assert(
      fc.property(edge, edge, edge, edge, (base, bytes, outerBase, outerBytes) => {
        const end = BigInt(base) + BigInt(bytes);
        const outerEnd = BigInt(outerBase) + BigInt(outerBytes);
        const expected = base >= outerBase && end <= outerEnd;
        expect(isInside(base, bytes, outerBase, outerBytes)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('counts an empty range at the end as inside, and one behind it as outside', () => {
    expect(isInside(8, 0, 0, 8)).toBe(true);
    expect(isInside(9, 0, 0, 8)).toBe(false);
    expect(isInside(0, 8, 0, 8)).toBe(true);
    expect(isInside(0, 9, 0, 8)).toBe(false);
  });
});

describe('words of an exact number', () => {
  it('are those of its two’s complement', () => {
    fc.assert(
      fc.property(exact, (n) => {
        const pattern = BigInt.asUintN(64, BigInt(n));
        expect(lowWord(n)).toBe(Number(pattern & 0xffff_ffffn));
        expect(highWord(n)).toBe(Number(pattern >> 32n));
      }),
    );
  });

  it('put together are the number again', () => {
    fc.assert(
      fc.property(exactNat, (n) => {
        expect(fromWords(lowWord(n), highWord(n))).toBe(n);
      }),
    );
  });

  it('are not a number when they are too large to be exact', () => {
    fc.assert(
      fc.property(word, word, (low, high) => {
        const value = BigInt(high) * 2n ** 32n + BigInt(low);
        const expected = value < 2n ** 53n ? Number(value) : Number.NaN;
        expect(fromWords(low, high)).toBe(expected);
      }),
    );
    expect(fromWords(0xffff_ffff, 0x1f_ffff)).toBe(Number.MAX_SAFE_INTEGER);
    expect(fromWords(0, 0x20_0000)).toBeNaN();
  });
});

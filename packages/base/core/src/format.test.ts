import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, hex } from './format.ts';

describe('hex', () => {
  it.each([
    [0, '0x0'],
    [255, '0xff'],
    [2 ** 52 - 1, '0xfffffffffffff'],
    [-1, '0xffffffffffffffff'],
    [-(2 ** 47), '0xffff800000000000'],
    [-(2 ** 32), '0xffffffff00000000'],
  ])('%d is %s', (n, expected) => {
    expect(hex(n)).toBe(expected);
  });

  it('is the 64-bit pattern of every exact number', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(hex(n)).toBe(`0x${BigInt.asUintN(64, BigInt(n)).toString(16)}`);
      }),
    );
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [100, '100 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [4096, '4 KiB'],
    [1536, '1.5 KiB'],
    [63.5 * 2 ** 20, '63.5 MiB'],
    [2 ** 20 - 1, '1.0 MiB'],
    [3 * 2 ** 30, '3 GiB'],
    [2 ** 40, '1 TiB'],
    [2 ** 52, '4096 TiB'],
  ])('%d bytes are %s', (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });

  it('stays short, and close to what it says', () => {
    const factor: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 40 - 2 ** 30 }), (bytes) => {
        const said = formatBytes(bytes);
        const [digits = '', unit = ''] = said.split(' ');
        const value = Number(digits) * (factor[unit] ?? Number.NaN);
        expect(said.length).toBeLessThanOrEqual(10);
        expect(Math.abs(value - bytes)).toBeLessThanOrEqual(bytes * 0.051);
      }),
    );
  });
});

/** Numbers and addresses as people type them. */

import { archArmv7, archX86_64 } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from './command.ts';
import { parseAddress, parseNumber } from './numbers.ts';

describe('a number as people type it', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['007', 7],
    ['0x1000', 4096],
    ['0XfF', 255],
    ['64k', 65536],
    ['1M', 2 ** 20],
    ['2g', 2 ** 31],
    ['0x10k', 16384],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['0x1fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['8388607g', 8388607 * 2 ** 30],
  ])('%s is %d', (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });

  it.each([
    ...['', ' ', '-1', '+1', '1.5', '1e3', '0x', '0xg', 'k', '1kk', '1t', '1 k', ' 1', '1\n'],
    ...['0b1', 'NaN', 'Infinity', '١', '9007199254740992', '8388608g', '0x20000000000000'],
  ])('%j is none', (text) => {
    expect(() => parseNumber(text)).toThrow(UsageError);
    expect(() => parseNumber(text)).toThrow(
      `'${text}' is not a number (examples: 4096, 0x1000, 64k)`,
    );
  });

  it('comes back from decimal and hexadecimal (seed 52)', () => {
    const property = fc.property(fc.maxSafeNat(), (n) => {
      expect(parseNumber(String(n))).toBe(n);
      expect(parseNumber(`0x${n.toString(16)}`)).toBe(n);
    });
    fc.assert(property, { seed: 52, numRuns: 100 });
  });
});

describe('an address', () => {
  it('may lie in the kernel half, which is negative', () => {
    expect(parseAddress(archX86_64, '0xffffffff80000000')).toBe(-(2 ** 31));
    expect(parseAddress(archX86_64, '0x8000004000')).toBe(0x80_0000_4000);
  });

  it('lies within the address space', () => {
    expect(parseAddress(archArmv7, '0xfffffffc')).toBe(0xffff_fffc);
    const message = 'is beyond the end of the address space';
    expect(() => parseAddress(archArmv7, '0x100000000')).toThrow(`0x100000000 ${message}`);
    expect(() => parseAddress(archArmv7, '0xffffffff80000000')).toThrow(message);
  });
});

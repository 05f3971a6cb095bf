/** Numbers on the command line. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBytes, parseInteger } from './numbers.ts';
import { UsageError } from './usage-error.ts';

describe('a byte count', () => {
  it.each([
    ['0', 0],
    ['67108864', 2 ** 26],
    ['0x4000000', 2 ** 26],
    ['64m', 2 ** 26],
    ['64M', 2 ** 26],
    ['64mb', 2 ** 26],
    ['64MiB', 2 ** 26],
    ['4k', 4096],
    ['1g', 2 ** 30],
    ['4096b', 4096],
    ['0X10K', 16384],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %d', (text, bytes) => {
    expect(parseBytes(text, '--ram')).toBe(bytes);
  });

  it.each([
    ...['', ' ', 'm', '-1', '+1', '1.5g', '1e6', '64 m', '64mm', '64ib', '64t', 'lots', '0x'],
    ...['9007199254740992', '8388608g', '64m\n', '٤'],
  ])('%j is none, and the message names the option', (text) => {
    expect(() => parseBytes(text, '--ram')).toThrow(UsageError);
    expect(() => parseBytes(text, '--ram')).toThrow(
      `--ram: '${text}' is not a byte count (examples: 64m, 1g, 67108864)`,
    );
  });

  it('comes back from every way to write it (seed 61)', () => {
    const suffix = fc.constantFrom<[string, number]>(['', 1], ['k', 2 ** 10], ['M', 2 ** 20]);
    const property = fc.property(fc.nat(2 ** 30), suffix, (n, [letter, scale]) => {
      expect(parseBytes(`${n}${letter}`, '--ram')).toBe(n * scale);
      expect(parseBytes(`0x${n.toString(16)}${letter}`, '--ram')).toBe(n * scale);
    });
    fc.assert(property, { seed: 61, numRuns: 50 });
  });
});

describe('a whole number', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['0x1f', 31],
    ['4294967295', 2 ** 32 - 1],
  ])('%s is %d', (text, value) => {
    expect(parseInteger(text, '--seed', 0, 2 ** 32 - 1)).toBe(value);
  });

  it('may be the least and the most that is allowed, and not more', () => {
    expect([parseInteger('1', '--cores', 1, 4), parseInteger('4', '--cores', 1, 4)]).toEqual([
      1, 4,
    ]);
    for (const text of ['0', '5']) {
      expect(() => parseInteger(text, '--cores', 1, 4)).toThrow(
        `--cores: '${text}' is not a whole number from 1 to 4`,
      );
    }
  });

  it.each(['', ' 1', '1 ', '-1', '1.0', '1e1', 'one', '0x', '1k', 'NaN'])('%j is none', (text) => {
    expect(() => parseInteger(text, '--cores', -10, 1000)).toThrow(UsageError);
  });
});

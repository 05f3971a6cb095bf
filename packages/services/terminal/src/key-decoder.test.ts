/** Keys out of bytes, whatever the bytes. */

import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isShowable } from './cell.ts';
import type { Key } from './key.ts';
import { KeyDecoder } from './key-decoder.ts';

/** The keys that bytes are, in short: characters as they are, others by name. */
function keysOf(bytes: readonly number[]): string[] {
  const decoder = new KeyDecoder();
  const inShort = (key: Key): string => (key.name === 'char' ? key.char : `<${key.name}>`);
  return bytes.flatMap((byte) => decoder.decode(byte).map(inShort));
}

describe('characters', () => {
  it('are there with their last byte, and not before', () => {
    const decoder = new KeyDecoder();
    for (const char of ['a', 'ü', '魚', '🐟', '\ufffd', '\u{10ffff}']) {
      const bytes = encodeUtf8(char);
      const keys = bytes.map((byte) => decoder.decode(byte));
      expect(keys.pop()).toEqual([{ name: 'char', char }]);
      expect(keys.flat()).toEqual([]);
    }
  });

  it('are what the bytes spell, each malformed one U+FFFD (seed 61)', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.integer({ min: 0x80, max: 0xff }),
      fc.constantFrom(0xe2, 0x80, 0xa8, 0xed, 0xa0, 0xf0, 0x9f, 0x90, 0x9f, 0xc2, 0xf4, 0x8f),
    );
    const property = fc.property(fc.array(byte, { maxLength: 40 }), (bytes) => {
      const expected = [...decodeUtf8([...bytes, 0x2e])].filter(isShowable);
      expect(keysOf([...bytes, 0x2e])).toEqual(expected);
    });
    fc.assert(property, { seed: 61, numRuns: 1000 });
  });

  it('that are cut off are malformed as soon as anything else comes', () => {
    expect(keysOf([0xf0, 0x9f, 0x90, 0x0d])).toEqual(['\ufffd', '\ufffd', '\ufffd', '<return>']);
    expect(keysOf([0xc3, 0x1b, 0x5b, 0x44])).toEqual(['\ufffd', '<left>']);
    expect(keysOf([0xc3, 0x03])).toEqual(['\ufffd', '<interrupt>']);
    expect(keysOf([0xff])).toEqual(['\ufffd']);
  });
});

describe('other bytes', () => {
  it('of an escape sequence are one key, wherever others interrupt it', () => {
    expect(keysOf(encodeUtf8('\u001b[1;5C\u001b[3~\u001bOA\u001bb'))).toEqual([
      '<wordRight>',
      '<delete>',
      '<up>',
      '<wordLeft>',
    ]);
    expect(keysOf(encodeUtf8('\u001b[1\u001b[D'))).toEqual(['<left>']);
    expect(keysOf(encodeUtf8('\u001b[1;5ü'))).toEqual(['ü']);
    expect(keysOf(encodeUtf8('\u001b[\u007fx'))).toEqual(['x']);
  });

  it('are skipped as far as an escape sequence goes, however long it is', () => {
    expect(keysOf(encodeUtf8(`\u001b[${'1;'.repeat(5000)}Dx`))).toEqual(['x']);
  });

  it('never make what is not a key (seed 62)', () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const property = fc.property(bytes, (input) => {
      const decoder = new KeyDecoder();
      for (const key of [...input].flatMap((byte) => decoder.decode(byte))) {
        expect(key.name === 'char').toBe(key.char !== '');
        expect([...key.char].every(isShowable)).toBe(true);
      }
    });
    fc.assert(property, { seed: 62, numRuns: 1000 });
  });
});

/** Field types: what arrives is what was sent, and nothing else can arrive. */

import { isOk } from '@barreleye/core';
import { type Capref, capref } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  array,
  bool,
  bytes,
  cap,
  type FieldType,
  gift,
  i32,
  oneOf,
  optional,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
} from './field.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const FRAME: Capref<'Frame'> = capref(4, 7);

/** The words of `value`, undefined when it is refused. */
function encode<T>(type: FieldType<T>, value: T): number[] | undefined {
  const writer = new Writer(type.maxWords);
  type.encode(writer, value);
  return isOk(writer.err) ? [...writer.words.subarray(0, writer.wordCount)] : undefined;
}

/** The value that `words` spell, undefined when they spell none. */
function decode<T>(type: FieldType<T>, words: readonly number[], caps: Capref[] = []) {
  const reader = new Reader(words.length);
  reader.words.set(words);
  reader.wordCount = words.length;
  reader.caps.push(...caps);
  reader.capCount = caps.length;
  const value = type.decode(reader);
  return reader.isRead() ? { value } : undefined;
}

describe.each([
  { type: u8, good: [0, 255], bad: [-1, 256, 0.5, Number.NaN] },
  { type: u16, good: [0, 65535], bad: [-1, 65536, 1.5] },
  { type: u32, good: [0, 2 ** 32 - 1], bad: [-1, 2 ** 32, Number.POSITIVE_INFINITY] },
  { type: i32, good: [-(2 ** 31), -1, 0, 2 ** 31 - 1], bad: [2 ** 31, -(2 ** 31) - 1, 0.5] },
  { type: u64, good: [0, 2 ** 32, Number.MAX_SAFE_INTEGER], bad: [-1, 2 ** 53, 0.5, Number.NaN] },
])('$type.shape', ({ type, good, bad }) => {
  it('carries every number in its range', () => {
    for (const value of good) expect(decode(type, encode(type, value) ?? [])).toEqual({ value });
  });
  it('refuses every other', () => {
    for (const value of bad) expect(encode(type, value)).toBeUndefined();
  });
});

describe('a field', () => {
  it('has the words that the layout table says', () => {
    expect(encode(u64, 2 ** 32 + 5)).toEqual([5, 1]);
    expect(encode(i32, -1)).toEqual([0xffff_ffff]);
    expect(encode(bool, true)).toEqual([1]);
    expect(encode(string(8), 'abcde')).toEqual([5, 0x6463_6261, 0x65]);
    expect(encode(bytes(8), new Uint8Array([0xff, 0, 0, 0x80]))).toEqual([4, 0x8000_00ff]);
    expect(encode(oneOf('read', 'write'), 'write')).toEqual([1]);
    expect(encode(array(u8, 3), [7, 8])).toEqual([2, 7, 8]);
    expect(encode(optional(u8), undefined)).toEqual([0]);
    expect(encode(optional(u8), 9)).toEqual([1, 9]);
    expect(encode(struct({ a: u8, b: bool }), { a: 1, b: false })).toEqual([1, 0]);
    expect(encode(cap('Frame'), FRAME)).toEqual([]);
  });

  it('knows the most words and capabilities that it takes', () => {
    const type = struct({
      name: string(5),
      frames: array(cap('Frame'), 3),
      last: optional(gift('RAM')),
    });
    expect([type.maxWords, type.maxCaps]).toEqual([1 + 2 + 1 + 1, 4]);
    expect(type.shape).toBe('(name:string(5),frames:array(cap(Frame),3),last:optional(gift(RAM)))');
  });

  it('refuses text and lists beyond their bound, and half characters', () => {
    expect(encode(string(3), 'abcd')).toBeUndefined();
    expect(encode(string(3), 'éé')).toBeUndefined(); // four bytes
    expect(encode(string(8), 'a\ud800')).toBeUndefined();
    expect(encode(bytes(1), new Uint8Array(2))).toBeUndefined();
    expect(encode(array(u8, 1), [1, 2])).toBeUndefined();
    expect(encode(oneOf('a', 'b'), 'c' as 'a')).toBeUndefined();
  });

  it('says which error a value out of range is', () => {
    const writer = new Writer(1);
    u8.encode(writer, 256);
    expect(writer.err).toBe(Err.RPC_ERR_ARGUMENT);
  });

  it.each([
    ['a byte above 255', u8, [256]],
    ['2^53', u64, [0, 2 ** 21]],
    ['a boolean of 2', bool, [2]],
    ['a name beyond the last', oneOf('a', 'b'), [2]],
    ['text longer than its bound', string(4), [5, 0, 0]],
    ['a length of 2^32 - 1', bytes(16), [0xffff_ffff]],
    ['a length beyond the words', bytes(4096), [4096, 1, 2]],
    ['padding that is not zero', bytes(4), [1, 0x0100]],
    ['malformed UTF-8', string(4), [1, 0xff]],
    ['a longer form than needed', string(4), [2, 0x80c0]],
    ['a count beyond the bound', array(u8, 2), [3, 1, 1, 1]],
    ['a count beyond the words', array(u8, 9), [2, 1]],
    ['an option that is neither', optional(u8), [2, 0]],
    ['too few words', struct({ a: u8, b: u8 }), [1]],
    ['too many words', struct({ a: u8 }), [1, 0]],
    ['a capability that did not come', cap('Frame'), []],
  ] as const)('does not read %s', (_, type: FieldType<unknown>, words) => {
    expect(decode(type, words)).toBeUndefined();
  });

  it('does not read a capability that nobody asked for', () => {
    expect(decode(u8, [1], [FRAME])).toBeUndefined();
    expect(decode(array(cap('Frame'), 2), [1], [FRAME, FRAME])).toBeUndefined();
  });

  it('carries U+FFFD itself', () => {
    const type = string(8);
    expect(decode(type, encode(type, 'a\ufffd') ?? [])).toEqual({ value: 'a\ufffd' });
  });

  const everything = struct({
    small: u8,
    big: u64,
    signed: i32,
    flag: bool,
    text: string(40),
    raw: bytes(13),
    list: array(struct({ x: u16, kind: oneOf('in', 'out') }), 4),
    frames: array(cap('Frame'), 3),
    maybe: optional(string(5)),
  });
  const values = fc.record(
    {
      small: fc.nat(255),
      big: fc.maxSafeNat(),
      signed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      flag: fc.boolean(),
      text: fc.string({ unit: 'grapheme-composite', maxLength: 10 }).filter(isShort),
      raw: fc.uint8Array({ maxLength: 13 }),
      list: fc.array(
        fc.record({ x: fc.nat(65535), kind: fc.constantFrom('in' as const, 'out' as const) }),
        { maxLength: 4 },
      ),
      frames: fc.array(
        fc.nat(255).map((slot) => capref<'Frame'>(4, slot)),
        { maxLength: 3 },
      ),
      maybe: fc.string({ unit: 'binary-ascii', maxLength: 5 }),
    },
    {
      requiredKeys: ['small', 'big', 'signed', 'flag', 'text', 'raw', 'list', 'frames'],
      noNullPrototype: true,
    },
  );

  it('of any kind arrives as it was sent (seed 51)', () => {
    const property = fc.property(values, (value) => {
      const words = encode(everything, value) ?? [];
      expect(words.length).toBeLessThanOrEqual(everything.maxWords);
      expect(decode(everything, words, value.frames)).toEqual({ value });
    });
    fc.assert(property, { seed: 51, numRuns: 300 });
  });

  it('is one value or none, whatever the words; a value spells the same words (seed 52)', () => {
    const word = fc.oneof(fc.nat(3), fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const type = struct({
      list: array(optional(u8), 3),
      kind: oneOf('a', 'b', 'c'),
      text: string(6),
    });
    let goodCount = 0;
    const property = fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const read = decode(type, words);
      if (read === undefined) return;
      goodCount += 1;
      expect(encode(type, read.value)).toEqual(words);
    });
    fc.assert(property, { seed: 52, numRuns: 5000 });
    expect(goodCount).toBeGreaterThan(10);
  });
});

function isShort(text: string): boolean {
  return new TextEncoder().encode(text).length <= 40;
}

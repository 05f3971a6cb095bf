/** UTF-8, with the host's own encoder and decoder as judges. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, encodeUtf8, isContinuation } from './utf8.ts';

const BAD = '\ufffd';

/** Any character; the short ones more often than their share. */
const char = fc
  .tuple(fc.constantFrom(0x7f, 0x7ff, 0xffff, 0x10_ffff), fc.nat(0x10_ffff))
  .map(([most, n]) => n % (most + 1))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

describe('UTF-8', () => {
  it.each([
    ['', []],
    ['A\u0000\u007f', [0x41, 0, 0x7f]],
    ['\u0080\u07ff', [0xc2, 0x80, 0xdf, 0xbf]],
    [
      '\u0800\ud7ff\ue000\uffff',
      [0xe0, 0xa0, 0x80, 0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80, 0xef, 0xbf, 0xbf],
    ],
    ['\u{10000}\u{10ffff}', [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf]],
  ])('text %# has one spelling in bytes', (text, bytes) => {
    expect(encodeUtf8(text)).toEqual(bytes);
    expect(decodeUtf8(bytes)).toBe(text);
  });

  it('of every string is what the host makes of it, and comes back (seed 41)', () => {
    const property = fc.property(fc.array(char, { maxLength: 20 }), (chars) => {
      const text = chars.join('');
      const bytes = encodeUtf8(text);
      expect(bytes).toEqual([...new TextEncoder().encode(text)]);
      expect(decodeUtf8(bytes)).toBe(text);
    });
    fc.assert(property, { seed: 41, numRuns: 300 });
  });

  it('spells half a character of a string as U+FFFD, as the host does', () => {
    for (const text of ['\ud800', 'a\udc00b', '\udfff\ud800', '\ud83d x \ud83d\udc1f']) {
      expect(encodeUtf8(text)).toEqual([...new TextEncoder().encode(text)]);
      expect(decodeUtf8(encodeUtf8(text))).toBe(text.toWellFormed());
    }
  });
});

describe('malformed UTF-8', () => {
  it.each([
    ['a continuation that nothing began', [0x80], BAD],
    ['every lead that cannot be', [0xc0, 0xc1, 0xf5, 0xff], BAD.repeat(4)],
    ['a character cut off by the end', [0x41, 0xe2, 0x82], `A${BAD}${BAD}`],
    ['a character cut off by another', [0xe2, 0x82, 0x41], `${BAD}${BAD}A`],
    ['a longer spelling of two bytes', [0xc0, 0xaf], BAD.repeat(2)],
    ['a longer spelling of three bytes', [0xe0, 0x9f, 0xbf], BAD.repeat(3)],
    ['a longer spelling of four bytes', [0xf0, 0x8f, 0xbf, 0xbf], BAD.repeat(4)],
    ['half a surrogate pair', [0xed, 0xa0, 0x80], BAD.repeat(3)],
    ['what lies beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], BAD.repeat(4)],
  ])('becomes U+FFFD, byte by byte: %s', (_, bytes, text) => {
    expect(decodeUtf8(bytes)).toBe(text);
    expect(decodeUtf8([0x61, ...bytes, 0x62])).toBe(`a${text}b`);
  });

  it('is found exactly where the host finds it (seed 42)', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x9f, 0x90),
    );
    const property = fc.property(fc.array(byte, { maxLength: 16 }), (bytes) => {
      const theirs = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
      // The host makes one mark of a character that is cut off, we make one of each byte.
      const squeeze = (text: string): string => text.replace(/\ufffd+/g, BAD);
      expect(squeeze(decodeUtf8(bytes))).toBe(squeeze(theirs));
    });
    fc.assert(property, { seed: 42, numRuns: 400 });
  });
});

it('continuation bytes are those from 0x80 to 0xbf', () => {
  const found = Array.from({ length: 256 }, (_, byte) => byte).filter(isContinuation);
  expect([found.length, found[0], found.at(-1)]).toEqual([64, 0x80, 0xbf]);
});

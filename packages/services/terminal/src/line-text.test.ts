/** What of a client's text is shown. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charWidth, isShowable } from './cell.ts';
import { lineText } from './line-text.ts';

describe('a line of text', () => {
  it.each([
    ['as it is', 'Grüße, 魚 🐟', 'Grüße, 魚 🐟'],
    ['without control characters', 'a\u0000\u0007b\u0008c\u007fd\u0085e\u000b', 'abcde'],
    ['without escape sequences', '\u001b[31mred\u001b[0m\u001b[2J\u001b[1;1H!', 'red!'],
    ['without the escape of an unfinished one', 'a\u001b[31', 'a[31'],
    ['without other ends of lines', 'a\u2028b\u2029c', 'abc'],
    ['with blanks for tabs', 'a\tb\t\u9b5a\t!', `a${' '.repeat(7)}b${' '.repeat(7)}\u9b5a      !`],
    ['with a blank for a mark that has nothing to join', '\u0301\ta', ` \u0301${' '.repeat(7)}a`],
    ['from its last carriage return on', '10%\r20%\r30%', '30%'],
    ['without carriage returns at its end', 'text\r\r', 'text'],
  ])('is shown %s', (_, text, shown) => {
    expect(lineText(text)).toBe(shown);
  });

  it('has nothing in it that would move the cursor in another way (seed 63)', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const hostile = fc.array(fc.oneof(text, fc.constantFrom('\u001b[', '\u001b', '\t', '\r', 'm')));
    const property = fc.property(hostile, (parts) => {
      expect([...lineText(parts.join(''))].every(isShowable)).toBe(true);
    });
    fc.assert(property, { seed: 63, numRuns: 500 });
  });
});

describe('the width of a character', () => {
  it.each([
    [0, ['\u0301', '\u20dd', '\u200d', '\ufe0f', '\u1160']],
    [1, ['a', 'ü', '~', '…', '─', 'ﾐ', '\ufffd', '\u0903']],
    [2, ['魚', 'あ', '한', '。', 'Ａ', '🐟', '𠀋']],
  ])('is %i for %j', (width, chars) => {
    expect(chars.map(charWidth)).toEqual(chars.map(() => width));
  });
});

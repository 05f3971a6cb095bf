/** How texts are cut for the terminal. */

import { encodeUtf8, Prng } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import { pieces } from './console.ts';

describe('a text that is too long', () => {
  it('is sent in pieces of which each but the last is as long as may be', () => {
    expect([...pieces('', 4)]).toEqual([]);
    expect([...pieces('abcd', 4)]).toEqual(['abcd']);
    expect([...pieces('abcde', 4)]).toEqual(['abcd', 'e']);
  });

  it('is cut between characters, not within one', () => {
    expect([...pieces('abcß', 4)]).toEqual(['abc', 'ß']);
    expect([...pieces('a🐟b', 4)]).toEqual(['a', '🐟', 'b']);
  });

  it('is the same when its pieces are put together (seed 7)', () => {
    const prng = new Prng(7);
    const chars = ['a', '\n', 'ß', '€', '🐟'];
    for (let run = 0; run < 200; run++) {
      const text = Array.from({ length: prng.below(40) }, () => chars[prng.below(5)]).join('');
      const maxBytes = 4 + prng.below(12);
      const parts = [...pieces(text, maxBytes)];
      expect(parts.join('')).toBe(text);
      for (const part of parts) {
        expect(part).not.toBe('');
        expect(encodeUtf8(part).length).toBeLessThanOrEqual(maxBytes);
      }
    }
  });
});

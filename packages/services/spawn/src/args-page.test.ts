/** The arguments page as a spawner writes it. */

import { decodeUtf8 } from '@barreleye/core';
import { unwrap } from '@barreleye/libos';
import { ARGS_PAGE_BYTES, ARGS_PAGE_MAGIC, ArgsPage, Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { argsPageWords } from './args-page.ts';

/** The strings of a page, by its documentation. */
function stringsOf(words: Uint32Array): string[] {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const strings: string[] = [];
  for (let at = ArgsPage.$bytes / 4; at < words.length; ) {
    const byteCount = words[at] ?? 0;
    strings.push(decodeUtf8(bytes.slice(4 * at + 4, 4 * at + 4 + byteCount)));
    at += 1 + Math.ceil(byteCount / 4);
  }
  return strings;
}

describe('an arguments page', () => {
  it('is a header, the arguments, and the environment', () => {
    const words = unwrap(argsPageWords(['prog', '', 'grüße 🐟'], ['A=1', '=']));
    expect([...words.subarray(0, 4)]).toEqual([ARGS_PAGE_MAGIC, 3, 2, 0]);
    expect(stringsOf(words)).toEqual(['prog', '', 'grüße 🐟', 'A=1', '=']);
    expect(unwrap(argsPageWords([], []))).toHaveLength(ArgsPage.$bytes / 4);
  });

  it('takes what fits to the last byte, and nothing that does not', () => {
    const room = ARGS_PAGE_BYTES - ArgsPage.$bytes;
    const half = 'x'.repeat(room / 2 - 4);
    expect(unwrap(argsPageWords([half], [half]))).toHaveLength(ARGS_PAGE_BYTES / 4);
    for (const [args, environment] of [
      [[half, ''], [half]],
      [[half], [`${half}y`]],
      [[`${half}y`], [half]],
      [['x'.repeat(room)], []],
    ] as const) {
      expect(argsPageWords(args, environment)).toEqual({ ok: false, err: Err.SPAWN_ERR_ARGS });
    }
    const letters = 'ß'.repeat(room / 2 - 2); // two bytes each
    expect(stringsOf(unwrap(argsPageWords([letters], [])))).toEqual([letters]);
    expect(argsPageWords([`${letters}ß`], []).ok).toBe(false);
  });
});

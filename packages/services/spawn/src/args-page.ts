/** The arguments page of a new domain, as words: that they fit is known before any is stored. */

import { encodeUtf8, fail, type Result, succeed } from '@barreleye/core';
import { ARGS_PAGE_BYTES, ARGS_PAGE_MAGIC, ArgsPage, Err } from '@barreleye/spec';

/** The words of the page, as far as there are any. @errors SPAWN_ERR_ARGS they do not fit */
export function argsPageWords(
  args: readonly string[],
  environment: readonly string[],
): Result<Uint32Array> {
  const bytes = new Uint8Array(ARGS_PAGE_BYTES);
  const words = new Uint32Array(bytes.buffer);
  words[ArgsPage.magic.offset / 4] = ARGS_PAGE_MAGIC;
  words[ArgsPage.argCount.offset / 4] = args.length;
  words[ArgsPage.environmentCount.offset / 4] = environment.length;
  let at = ArgsPage.$bytes;
  for (const text of [...args, ...environment]) {
    const encoded = encodeUtf8(text);
    const end = at + 4 + Math.ceil(encoded.length / 4) * 4;
    if (end > ARGS_PAGE_BYTES) return fail(Err.SPAWN_ERR_ARGS);
    words[at / 4] = encoded.length;
    bytes.set(encoded, at + 4);
    at = end;
  }
  return succeed(words.subarray(0, at / 4));
}

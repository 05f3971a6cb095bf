/** The text that goes with an error: people read it, so what is too long is cut. */

import { decodeUtf8, encodeUtf8, isContinuation } from '@barreleye/core';

/** Bytes of text that travel with an error. */
export const ERROR_MESSAGE_BYTES = 256;

/** As many whole characters of `text` as fit `maxBytes` bytes of UTF-8. */
export function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = encodeUtf8(text);
  if (bytes.length <= maxBytes) return text.toWellFormed();
  let end = maxBytes;
  while (isContinuation(bytes[end] ?? 0)) end -= 1;
  return decodeUtf8(bytes.slice(0, end));
}

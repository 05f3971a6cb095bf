/**
 * The body of a message that was received, read field by field. Whoever sent it may be hostile: a
 * field that is not there, or not what was declared, makes the whole message bad. Reading goes on
 * with zeros then, so no reader has to ask after every word.
 */

import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';

/** Arguments that a call may have on every host. */
const ARGUMENTS = 1024;

export class Reader {
  readonly words: Uint32Array;
  /** Words and capabilities that were received. */
  wordCount: number;
  readonly caps: (Capref | undefined)[];
  capCount: number;
  /** The message does not have the shape that was declared. */
  isBad: boolean;
  private wordAt: number;
  private capAt: number;

  /** @param maxWords of the longest body that can be good */
  constructor(maxWords: number) {
    this.words = new Uint32Array(maxWords);
    this.wordCount = 0;
    this.caps = [];
    this.capCount = 0;
    this.isBad = false;
    this.wordAt = 0;
    this.capAt = 0;
  }

  /** Begin with an empty body. */
  reset(): void {
    this.wordCount = 0;
    this.caps.fill(undefined, 0, this.capCount);
    this.capCount = 0;
    this.isBad = false;
    this.wordAt = 0;
    this.capAt = 0;
  }

  /** The next word; 0 from a bad message. */
  word(): number {
    if (this.wordAt >= this.wordCount) {
      this.isBad = true;
      return 0;
    }
    const word = this.words[this.wordAt] ?? 0;
    this.wordAt += 1;
    return word;
  }

  /** The next word, which is below `limit`. */
  wordBelow(limit: number): number {
    const word = this.word();
    if (word < limit) return word;
    this.isBad = true;
    return 0;
  }

  /** The next capability. Undefined from a bad message only. */
  cap(): Capref | undefined {
    const cap = this.capAt < this.capCount ? this.caps[this.capAt] : undefined;
    this.capAt += 1;
    if (cap === undefined) this.isBad = true;
    return cap;
  }

  /** What `Writer.bytes` wrote. */
  bytes(maxBytes: number): Uint8Array {
    const length = this.byteLength(maxBytes);
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      let word = this.word();
      for (let j = i; j < Math.min(i + 4, length); j++) {
        bytes[j] = word & 0xff;
        word >>>= 8;
      }
      if (word !== 0) this.isBad = true; // the padding
    }
    return bytes;
  }

  /** What `Writer.text` wrote. Malformed UTF-8 is bad; U+FFFD itself is not. */
  text(maxBytes: number): string {
    const bytes = this.bytes(maxBytes);
    if (isAscii(bytes)) return asciiText(bytes);
    const text = decodeUtf8(bytes);
    if (text.includes('\ufffd') && !isEqual(encodeUtf8(text), bytes)) this.isBad = true;
    return text;
  }

  /** After the last field: whether the message was good, and nothing is left of it. */
  isRead(): boolean {
    return !this.isBad && this.wordAt === this.wordCount && this.capAt === this.capCount;
  }

  /** A length that the words which are left can hold. */
  private byteLength(maxBytes: number): number {
    const length = this.wordBelow(maxBytes + 1);
    if (Math.ceil(length / 4) <= this.wordCount - this.wordAt) return length;
    this.isBad = true;
    return 0;
  }
}

function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function isAscii(bytes: Uint8Array): boolean {
  let seen = 0;
  for (let i = 0; i < bytes.length; i++) seen |= bytes[i] ?? 0;
  return seen < 0x80;
}

/** What `decodeUtf8` says of ASCII, which most texts are, in two thirds of the time. */
function asciiText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += ARGUMENTS) {
    text += String.fromCharCode.apply(undefined, bytes.subarray(i, i + ARGUMENTS) as never);
  }
  return text;
}

/** The body of a message being built: words and capabilities, in buffers that are used again. */

import { assert, type Errval, encodeUtf8, OK } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import { MAX_MESSAGE_CAPS } from './wire.ts';

export class Writer {
  readonly words: Uint32Array;
  wordCount: number;
  /** The first `capCount` are those of this message. */
  readonly caps: (Capref | undefined)[];
  capCount: number;
  /** Bit `i`: capability `i` is given away. */
  gifts: number;
  /** RPC_ERR_ARGUMENT once a value did not fit its declaration. */
  err: Errval;

  /** @param maxWords of the longest body that will be built */
  constructor(maxWords: number) {
    this.words = new Uint32Array(maxWords);
    this.wordCount = 0;
    this.caps = [];
    this.capCount = 0;
    this.gifts = 0;
    this.err = OK;
  }

  /** Begin a new body. */
  reset(): void {
    this.wordCount = 0;
    this.caps.fill(undefined, 0, this.capCount);
    this.capCount = 0;
    this.gifts = 0;
    this.err = OK;
  }

  word(word: number): void {
    assert(this.wordCount < this.words.length, 'a body is longer than its declaration allows');
    this.words[this.wordCount] = word;
    this.wordCount += 1;
  }

  cap(cap: Capref, isGift: boolean): void {
    assert(this.capCount < MAX_MESSAGE_CAPS, 'a body has more capabilities than were declared');
    if (isGift) this.gifts |= 1 << this.capCount;
    this.caps[this.capCount] = cap;
    this.capCount += 1;
  }

  /** A length in bytes, then the bytes, four to a word, the first lowest, padded with zeros. */
  bytes(bytes: ArrayLike<number>, maxBytes: number): void {
    const { length } = bytes;
    if (length > maxBytes) {
      this.refuse();
      return;
    }
    this.word(length);
    for (let i = 0; i < length; i += 4) {
      let word = 0;
      for (let j = Math.min(length - i, 4) - 1; j >= 0; j--)
        word = (word << 8) | (bytes[i + j] ?? 0);
      this.word(word);
    }
  }

  /** The UTF-8 bytes of `text`, as `bytes`. Half a surrogate pair would not arrive as it is. */
  text(text: string, maxBytes: number): void {
    if (text.length > maxBytes || !text.isWellFormed()) this.refuse();
    else if (!this.ascii(text)) this.bytes(encodeUtf8(text), maxBytes);
  }

  /** What `text` does for most texts, in a quarter of the time. False: nothing was written. */
  private ascii(text: string): boolean {
    const { length } = text;
    const start = this.wordCount;
    let seen = 0;
    this.word(length);
    for (let i = 0; i < length; i += 4) {
      let word = 0;
      for (let j = Math.min(length - i, 4) - 1; j >= 0; j--) {
        const code = text.charCodeAt(i + j);
        seen |= code;
        word = (word << 8) | (code & 0xff);
      }
      this.word(word);
    }
    if (seen < 0x80) return true;
    this.wordCount = start;
    return false;
  }

  /** A value does not fit its declaration: the message will not be sent. */
  refuse(): void {
    this.err = Err.RPC_ERR_ARGUMENT;
  }
}

/**
 * Bytes on their way to the serial port. Text is put here at once and sent a few bytes at a time,
 * by all who wait until their own is sent: so others run between, and nobody hears that something
 * is written before it is.
 */

import { encodeUtf8 } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';

/** Bytes between two points of pre-emption. */
const BYTES_AT_ONCE = 64;

export class Output {
  private readonly send: (byte: number) => void;
  private readonly preempt: () => Wait<void>;
  /** Texts as bytes; of the first one, `sentOfFirst` bytes are sent. */
  private readonly texts: number[][];
  private sentOfFirst: number;
  /** Bytes that were put here, and that were sent, since the beginning. */
  private putCount: number;
  private sentCount: number;

  /**
   * @param send sends a byte
   * @param preempt a point of pre-emption, where others may run
   */
  constructor(send: (byte: number) => void, preempt: () => Wait<void>) {
    this.send = send;
    this.preempt = preempt;
    this.texts = [];
    this.sentOfFirst = 0;
    this.putCount = 0;
    this.sentCount = 0;
  }

  /** Have text sent; a line feed begins a new line at its left end. */
  put(text: string): void {
    const bytes = encodeUtf8(text.replaceAll('\n', '\r\n'));
    if (bytes.length === 0) return;
    this.texts.push(bytes);
    this.putCount += bytes.length;
  }

  /** Wait until all that has been put here up to now is sent. */
  *settle(): Wait<void> {
    const mark = this.putCount;
    while (this.sentCount < mark) {
      for (let i = 0; i < BYTES_AT_ONCE; i++) this.sendByte();
      yield* this.preempt();
    }
  }

  private sendByte(): void {
    const [first] = this.texts;
    const byte = first?.[this.sentOfFirst];
    if (first === undefined || byte === undefined) return;
    this.send(byte);
    this.sentCount += 1;
    this.sentOfFirst += 1;
    if (this.sentOfFirst < first.length) return;
    this.texts.shift();
    this.sentOfFirst = 0;
  }
}

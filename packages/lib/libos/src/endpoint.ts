/**
 * The receiving side of an LMP endpoint: a ring in the dispatcher frame that the kernel fills and
 * this code drains.
 */

import { assert } from '@barreleye/core';
import { LMP_RING_WORD_BYTES, LmpEndpoint, LmpHeader, type UserCpu } from '@barreleye/spec';
import { Queue } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';

/** A message as it lay in the ring. */
export interface LmpMessage {
  /** Payload words, 32 bits each; the low halves on 64-bit cores. */
  readonly words: readonly number[];
  readonly hasCap: boolean;
}

export class Endpoint implements WaitTarget {
  /** Offset of the buffer in the dispatcher frame, bytes. */
  readonly offset: number;
  /** Length of the ring, words. */
  readonly ringWords: number;
  /** Threads that wait for a message, first come first served. */
  readonly waiters: Queue<Thread>;
  private readonly cpu: UserCpu;
  private readonly base: number;

  constructor(cpu: UserCpu, frame: number, offset: number, ringWords: number) {
    this.cpu = cpu;
    this.offset = offset;
    this.ringWords = ringWords;
    this.base = frame + offset;
    this.waiters = new Queue();
    this.put(LmpEndpoint.delivered.offset, 0);
    this.put(LmpEndpoint.consumed.offset, 0);
  }

  /** As what threads wait for: a message. */
  get label(): string {
    return 'a message';
  }

  get holder(): undefined {
    return undefined;
  }

  get isOpen(): boolean {
    return true;
  }

  hasMessage(): boolean {
    const { delivered, consumed } = LmpEndpoint;
    return this.get(delivered.offset) !== this.get(consumed.offset);
  }

  /** Take the oldest message, undefined when there is none. */
  tryReceive(): LmpMessage | undefined {
    if (!this.hasMessage()) return undefined;
    let at = this.get(LmpEndpoint.consumed.offset);
    const header = this.ringWord(at);
    at = this.after(at);
    const wordCount = (header >>> LmpHeader.LengthShift) & 0xff;
    const words: number[] = [];
    for (let i = 0; i < wordCount; i++) {
      words.push(this.ringWord(at));
      at = this.after(at);
    }
    this.put(LmpEndpoint.consumed.offset, at);
    return { words, hasCap: (header & LmpHeader.CapBit) !== 0 };
  }

  private after(index: number): number {
    return index + 1 === this.ringWords ? 0 : index + 1;
  }

  private ringWord(index: number): number {
    return this.get(LmpEndpoint.$bytes + index * LMP_RING_WORD_BYTES);
  }

  private get(offset: number): number {
    const value = this.cpu.load32(this.base + offset);
    assert(value >= 0, 'the dispatcher frame is always mapped');
    return value;
  }

  private put(offset: number, value: number): void {
    const isStored = this.cpu.store32(this.base + offset, value);
    assert(isStored, 'the dispatcher frame is always mapped');
  }
}

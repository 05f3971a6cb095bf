/**
 * The receiving side of an LMP endpoint: a ring in the dispatcher frame that the kernel fills and
 * this code drains, and the slot for the next capability.
 */

import { assert } from '@barreleye/core';
import { LMP_RING_WORD_BYTES, LmpEndpoint, LmpHeader, type UserCpu } from '@barreleye/spec';
import type { Slot } from './capref.ts';
import { EventSource } from './event-source.ts';
import type { Events } from './events.ts';

/** A message as it lay in the ring. */
export interface LmpMessage {
  /** Payload words, 32 bits each; the low halves on 64-bit cores. */
  readonly words: readonly number[];
  /** The slot of the capability that came along, if one did. */
  readonly cap: Slot | undefined;
}

/** Most words of a message: what the header has room for. */
const MAX_WORDS = 255;

export class Endpoint {
  /** Offset of the buffer in the dispatcher frame, bytes. */
  readonly offset: number;
  /** Length of the ring, words. */
  readonly ringWords: number;
  /** Ready when there is a message. */
  readonly received: EventSource;
  private readonly cpu: UserCpu;
  private readonly base: number;
  /** Where the kernel puts the next capability; undefined: senders of one are told to wait. */
  private armedSlot: Slot | undefined;
  /** The slot that the last message has filled. */
  private filledSlot: Slot | undefined;

  /** @param frame virtual address of the dispatcher frame */
  constructor(events: Events, cpu: UserCpu, frame: number, offset: number, ringWords: number) {
    this.cpu = cpu;
    this.offset = offset;
    this.ringWords = ringWords;
    this.base = frame + offset;
    const isReady = (): boolean => this.hasMessage();
    this.received = new EventSource(events, { label: 'a message', watch: 'message', isReady });
    this.armedSlot = undefined;
    this.filledSlot = undefined;
    this.put(LmpEndpoint.recvCspace.offset, 0);
    this.put(LmpEndpoint.recvSlot.offset, 0);
    this.put(LmpEndpoint.delivered.offset, 0);
    this.put(LmpEndpoint.consumed.offset, 0);
  }

  /** The slot of the capability that came with the message received last, if one did. */
  get receivedSlot(): Slot | undefined {
    return this.filledSlot;
  }

  /** Whether there is a slot for the next capability. */
  get isArmed(): boolean {
    return this.armedSlot !== undefined;
  }

  /** Have the next capability put into `slot`, an empty one, instead of any slot before. */
  arm(slot: Slot): void {
    this.armedSlot = slot;
    this.put(LmpEndpoint.recvCspace.offset, slot.croot);
    this.put(LmpEndpoint.recvSlot.offset, slot.cptr);
  }

  /** Receive no capabilities. @returns the slot that was set aside for one */
  disarm(): Slot | undefined {
    const slot = this.armedSlot;
    this.armedSlot = undefined;
    this.put(LmpEndpoint.recvCspace.offset, 0);
    this.put(LmpEndpoint.recvSlot.offset, 0);
    return slot;
  }

  hasMessage(): boolean {
    const { delivered, consumed } = LmpEndpoint;
    return this.get(delivered.offset) !== this.get(consumed.offset);
  }

  /** Take the oldest message, undefined when there is none. */
  tryReceive(): LmpMessage | undefined {
    const into = new Uint32Array(MAX_WORDS);
    const wordCount = this.tryReceiveInto(into);
    if (wordCount < 0) return undefined;
    return { words: [...into.subarray(0, wordCount)], cap: this.filledSlot };
  }

  /**
   * Take the oldest message. A capability that came with it is in `receivedSlot`; the next one
   * takes another call of `arm`.
   * @param into room for the longest message of the architecture
   * @returns its number of words, -1 when there is no message
   */
  tryReceiveInto(into: Uint32Array): number {
    if (!this.hasMessage()) return -1;
    let at = this.get(LmpEndpoint.consumed.offset);
    const header = this.ringWord(at);
    at = this.after(at);
    const wordCount = (header >>> LmpHeader.LengthShift) & 0xff;
    assert(wordCount <= into.length, 'the message is longer than what is to take it');
    for (let i = 0; i < wordCount; i++) {
      into[i] = this.ringWord(at);
      at = this.after(at);
    }
    this.put(LmpEndpoint.consumed.offset, at);
    this.filledSlot = (header & LmpHeader.CapBit) === 0 ? undefined : this.disarm();
    return wordCount;
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

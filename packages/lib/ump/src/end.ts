/**
 * One end of a channel: a ring to receive from and a ring to send to, in one frame. The client's
 * incoming ring comes first. An end closes by saying that it will send no more, and nobody waits
 * for one that has.
 */

import { assert } from '@barreleye/core';
import { UmpSlot, umpRingBytes } from '@barreleye/spec';
import { UmpReceiver } from './receiver.ts';
import { CLOSED, checkOptions, type RingOptions, type RingPosition } from './ring.ts';
import { UmpSender } from './sender.ts';
import type { Words } from './words.ts';

export type UmpSide = 'client' | 'server';

/** What an end may decide. */
export interface EndOptions extends Omit<RingOptions, 'position'> {
  /** For an end that takes over from another one. */
  readonly position?: EndPosition | undefined;
}

/** How far an end has come, both ways. */
export interface EndPosition {
  readonly incoming: RingPosition;
  readonly outgoing: RingPosition;
}

/** Bytes of a channel with `slotCount` slots each way. */
export function umpChannelBytes(slotCount: number): number {
  return 2 * umpRingBytes(slotCount);
}

/** Slots each way for which a frame of `bytes` bytes has room. */
export function umpSlotsIn(bytes: number): number {
  return Math.floor((bytes - umpChannelBytes(0)) / (2 * UmpSlot.$bytes));
}

/** Byte of the channel at which `side` says that it has closed: a word that is not 0. */
export function umpClosedOffset(slotCount: number, side: UmpSide): number {
  const outgoing = side === 'client' ? umpRingBytes(slotCount) : 0;
  return outgoing + 4 * CLOSED;
}

export class UmpEnd {
  readonly words: Words;
  readonly receiver: UmpReceiver;
  readonly sender: UmpSender;

  /**
   * Memory that nobody has used begins as zero.
   * @param base word where the channel begins, a multiple of 16: a cache line
   */
  constructor(words: Words, base: number, side: UmpSide, options: EndOptions) {
    const { position, ...both } = options;
    checkOptions(both);
    assert(base % (UmpSlot.$bytes / 4) === 0, 'a channel begins with a cache line');
    const second = base + umpRingBytes(options.slotCount) / 4;
    const isClient = side === 'client';
    this.words = words;
    this.receiver = new UmpReceiver(words, isClient ? base : second, {
      ...both,
      position: position?.incoming,
    });
    this.sender = new UmpSender(words, isClient ? second : base, {
      ...both,
      position: position?.outgoing,
    });
  }

  /** Whether the other end has closed. What it sent before may still be there. */
  isPeerClosed(): boolean {
    return this.receiver.isClosed();
  }

  /** Whether there is a message to take, or none will ever come. */
  canReceive(): boolean {
    return this.receiver.hasMessage() || this.receiver.isClosed();
  }

  /** Whether a message could be sent, or none will ever be wanted. */
  canSend(): boolean {
    return this.sender.hasRoom() || this.receiver.isClosed();
  }

  /**
   * Before one sleeps: have the other end ring from now on, also when it closes. False: what was
   * to be waited for is there already, do not sleep.
   */
  lieDown(forMessage: boolean, forRoom: boolean): boolean {
    this.receiver.lieDown();
    if (forRoom) this.sender.lieDown();
    return !(forMessage && this.canReceive()) && !(forRoom && this.canSend());
  }

  /** Awake again: the other end need not ring. */
  getUp(): void {
    this.receiver.getUp();
    this.sender.getUp();
  }

  close(): void {
    this.sender.close();
  }
}

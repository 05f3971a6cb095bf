/**
 * A transport of calls over an end of a channel. A message of the transport is a message of the
 * ring; its note is the number of the capability that comes with it, 0 for none.
 *
 * The memory may be taken away in the middle of any call. That call then says `Left`, all others
 * `Dead`. So nothing here looks at the memory but in calls that can say so: who waits is told by
 * the poller.
 */

import { assert } from '@barreleye/core';
import type { Capref, Queue, Waiter } from '@barreleye/libos';
import { ReceiveResult, SendResult, type Transport } from '@barreleye/rpc';
import { UMP_PAYLOAD_WORDS } from '@barreleye/spec';
import type { CapCourier } from './cap-courier.ts';
import type { UmpEnd } from './end.ts';
import type { Polled, UmpPoller } from './poller.ts';
import { NOTHING } from './receiver.ts';

export class UmpTransport implements Transport, Polled {
  readonly maxWords: number;
  receivedCap: Capref | undefined;
  next: Polled | undefined;
  previous: Polled | undefined;
  queue: Queue<Polled> | undefined;
  private readonly end: UmpEnd;
  private readonly poller: UmpPoller;
  private readonly courier: CapCourier | undefined;
  private readonly onClose: (() => void) | undefined;
  private receiveWaiter: Waiter | undefined;
  private sendWaiter: Waiter | undefined;
  private peerWaiter: Waiter | undefined;
  /** The next message is there, and what comes with it is not. */
  private awaitsCap: boolean;
  private readonly capArrived: () => void;
  private isClosed: boolean;
  private isPeerGone: boolean;
  private isDrained: boolean;

  /**
   * @param courier without one, capabilities cannot be sent
   * @param onClose hears, once, that this end has said that it closes, and looks at no memory more
   */
  constructor(end: UmpEnd, poller: UmpPoller, courier?: CapCourier, onClose?: () => void) {
    this.maxWords = UMP_PAYLOAD_WORDS;
    this.receivedCap = undefined;
    this.next = undefined;
    this.previous = undefined;
    this.queue = undefined;
    this.end = end;
    this.poller = poller;
    this.courier = courier;
    this.onClose = onClose;
    this.receiveWaiter = undefined;
    this.sendWaiter = undefined;
    this.peerWaiter = undefined;
    this.awaitsCap = false;
    this.capArrived = () => {
      this.awaitsCap = false;
      const waiter = this.receiveWaiter;
      this.receiveWaiter = undefined;
      waiter?.ready();
    };
    this.isClosed = false;
    this.isPeerGone = false;
    this.isDrained = false;
  }

  get isGone(): boolean {
    return this.end.words.isGone;
  }

  get isDead(): boolean {
    return this.isClosed || this.isGone || this.isDrained;
  }

  get hasPeer(): boolean {
    return !(this.isClosed || this.isPeerGone || this.isGone);
  }

  trySend(
    words: Uint32Array,
    wordCount: number,
    cap: Capref | undefined,
    isLast: boolean,
  ): SendResult {
    assert(wordCount >= 1, 'a message of a transport has at least one word');
    const { end } = this;
    if (!this.hasPeer) return SendResult.Dead;
    const note = cap === undefined ? 0 : this.sendCap(cap);
    let result: SendResult = SendResult.Sent;
    if (note < 0) result = -note as SendResult;
    else if (!end.sender.trySend(words, wordCount, isLast, note)) result = this.whyBusy();
    return this.isGone ? SendResult.Left : result;
  }

  tryReceive(into: Uint32Array): number {
    this.receivedCap = undefined;
    if (this.isClosed || this.isGone) return ReceiveResult.Dead;
    let wordCount = this.take(into);
    if (wordCount === NOTHING && (this.isPeerGone || this.end.isPeerClosed())) {
      this.isPeerGone = true;
      wordCount = this.take(into); // it may have come just before the end
      this.isDrained = wordCount === NOTHING && !this.awaitsCap;
    }
    if (this.isGone) return ReceiveResult.Left;
    return this.isDrained ? ReceiveResult.Dead : wordCount;
  }

  whenReceivable(waiter: Waiter): void {
    this.receiveWaiter = waiter;
    this.waits();
  }

  whenSendable(waiter: Waiter): void {
    this.sendWaiter = waiter;
    this.waits();
  }

  whenPeerGone(waiter: Waiter): void {
    this.peerWaiter = waiter;
    this.waits();
  }

  dropCap(cap: Capref): void {
    this.courier?.drop(cap);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.poller.later(() => {
      this.end.close();
      this.onClose?.();
    });
    this.tellWaiters();
  }

  /** For whoever knows that the other side is no more, which cannot say so itself. */
  peerIsGone(): void {
    this.isPeerGone = true;
    if (this.queue !== undefined) this.tellWaiters();
  }

  look(): boolean {
    const { end, receiveWaiter, sendWaiter, peerWaiter } = this;
    if (peerWaiter !== undefined && end.isPeerClosed()) this.isPeerGone = true;
    if (!this.hasPeer) {
      this.tellWaiters();
      return this.receiveWaiter !== undefined;
    }
    if (receiveWaiter !== undefined && !this.awaitsCap && end.canReceive()) {
      this.receiveWaiter = undefined;
      receiveWaiter.ready();
    }
    if (sendWaiter !== undefined && end.canSend()) {
      this.sendWaiter = undefined;
      sendWaiter.ready();
    }
    const isAwaited = this.receiveWaiter !== undefined || this.sendWaiter !== undefined;
    return isAwaited || peerWaiter !== undefined;
  }

  lieDown(): boolean {
    const { end, receiveWaiter, sendWaiter, peerWaiter } = this;
    // Whoever waits for the end of the other side is not waiting for messages: some may be there.
    const waitsForMessage = receiveWaiter !== undefined && !this.awaitsCap;
    const mayLie = end.lieDown(waitsForMessage, sendWaiter !== undefined);
    return mayLie && !(peerWaiter !== undefined && end.isPeerClosed());
  }

  getUp(): void {
    this.end.getUp();
  }

  /** Have the courier set off, if the message can follow. @returns the note; negative: refused */
  private sendCap(cap: Capref): number {
    if (this.courier === undefined) return -SendResult.CapInvalid;
    return this.end.sender.hasRoom() ? this.courier.send(cap) : -this.whyBusy();
  }

  /** A full ring is emptied some time, unless the other side has closed. */
  private whyBusy(): SendResult {
    if (!this.end.isPeerClosed()) return SendResult.Busy;
    this.isPeerGone = true;
    return SendResult.Dead;
  }

  /** A message, and its capability, if both are there. */
  private take(into: Uint32Array): number {
    const { receiver } = this.end;
    if (this.courier !== undefined) {
      if (!receiver.hasMessage()) return NOTHING;
      const note = receiver.peekNote();
      if (note !== 0) {
        const cap = this.courier.take(note, this.capArrived);
        this.awaitsCap = cap === undefined;
        if (cap === undefined) return NOTHING;
        // The message says that there is one: whoever reads it finds out that there is not.
        if (cap !== 'lost') this.receivedCap = cap;
      }
    }
    return receiver.tryReceive(into);
  }

  private waits(): void {
    if (this.isClosed) this.tellWaiters();
    else this.poller.add(this);
  }

  /** This side has closed, or there is no other. A capability may still be on its way, though. */
  private tellWaiters(): void {
    const { receiveWaiter, sendWaiter, peerWaiter } = this;
    const isPatient = this.awaitsCap && !this.isClosed && !this.isGone;
    this.queue?.remove(this);
    this.receiveWaiter = isPatient ? receiveWaiter : undefined;
    this.sendWaiter = undefined;
    this.peerWaiter = undefined;
    if (!isPatient) receiveWaiter?.ready();
    sendWaiter?.ready();
    peerWaiter?.ready();
  }
}

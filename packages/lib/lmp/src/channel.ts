/**
 * A channel between two domains of one core: an endpoint of this one to receive from, and a
 * capability of the other's to send to. A message of the channel is a message of the kernel; one
 * without words and capability says that the other side has closed.
 *
 * As long as there are slots, one is set aside for the next capability. A sender meets a full ring
 * or a missing slot as `Busy`, and tries again each time its domain gets the core.
 */

import { assert } from '@barreleye/core';
import {
  type Capref,
  EventSource,
  type Os,
  type OwnEndpoint,
  SendRetry,
  type Wait,
  type Waiter,
} from '@barreleye/libos';
import { ReceiveResult, SendResult, type Transport } from '@barreleye/rpc';
import { armEndpoint, endEndpoint } from './own-endpoint.ts';
import type { Peer, PeerWatch } from './peer-watch.ts';
import { hasReceiver, lmpSend, lmpSendEnd } from './send.ts';

/** What a side of a channel may decide. */
export interface ChannelOptions {
  /**
   * Give the core to the other domain with each message that no further one follows: the shortest
   * way to its answer. Otherwise it runs when its turn comes. Yes, unless said otherwise.
   */
  readonly isSync?: boolean;
  /** Finds out when the other domain has been ended. Without it, the next message does. */
  readonly watch?: PeerWatch | undefined;
  /** Hears, once, that this side has closed. */
  readonly onClose?: () => void;
}

/** Times that a full ring is tried before a channel closes without a word. */
const GOODBYE_TRIES = 1000;

/** Nobody needs to be told that there is a slot again. */
const NOBODY: Waiter = { ready: () => undefined };

export class LmpChannel implements Transport, Peer {
  readonly maxWords: number;
  receivedCap: Capref | undefined;
  private readonly os: Os;
  private readonly own: OwnEndpoint;
  private readonly remote: Capref<'EndPointLMP'>;
  private readonly isSync: boolean;
  private readonly watch: PeerWatch | undefined;
  private readonly onClose: (() => void) | undefined;
  private readonly retry: SendRetry;
  /** Sets a slot aside as soon as one is free, while somebody waits to receive. */
  private readonly arming: EventSource;
  private receiveWaiter: Waiter | undefined;
  private sendWaiter: Waiter | undefined;
  private peerWaiter: Waiter | undefined;
  private isClosed: boolean;
  private isPeerGone: boolean;

  /**
   * Takes over both capabilities and their slots.
   * @param remote a copy, in a slot of this domain, of the endpoint of the other side
   */
  constructor(
    os: Os,
    own: OwnEndpoint,
    remote: Capref<'EndPointLMP'>,
    { isSync = true, watch, onClose }: ChannelOptions = {},
  ) {
    this.maxWords = os.arch.lmpWords;
    this.receivedCap = undefined;
    this.os = os;
    this.own = own;
    this.remote = remote;
    this.isSync = isSync;
    this.watch = watch;
    this.onClose = onClose;
    this.retry = new SendRetry(os.events, 'room in an endpoint');
    const isReady = (): boolean => armEndpoint(os, own);
    this.arming = new EventSource(os.events, { label: 'a free slot', watch: 'poll', isReady });
    this.receiveWaiter = undefined;
    this.sendWaiter = undefined;
    this.peerWaiter = undefined;
    this.isClosed = false;
    this.isPeerGone = false;
    armEndpoint(os, own);
    watch?.add(this);
  }

  get isDead(): boolean {
    return this.isClosed || (this.isPeerGone && !this.own.buffer.hasMessage());
  }

  get hasPeer(): boolean {
    return !this.isClosed && !this.isPeerGone;
  }

  trySend(
    words: Uint32Array,
    wordCount: number,
    cap: Capref | undefined,
    isLast: boolean,
    isGift = false,
  ): SendResult {
    assert(wordCount >= 1, 'a message of a channel has at least one word');
    assert(wordCount <= this.maxWords, 'the message is longer than an endpoint takes');
    if (!this.hasPeer) return SendResult.Dead;
    const isSync = this.isSync && isLast;
    const result = lmpSend(this.os.sys, this.remote, words, wordCount, cap, isSync, isGift);
    if (result === SendResult.Busy) this.retry.refused();
    else if (result === SendResult.Dead) this.peerIsGone();
    return result;
  }

  tryReceive(into: Uint32Array): number {
    this.receivedCap = undefined;
    if (this.isClosed) return ReceiveResult.Dead;
    const { buffer } = this.own;
    const wordCount = buffer.tryReceiveInto(into);
    if (wordCount < 0) return this.isPeerGone ? ReceiveResult.Dead : ReceiveResult.Nothing;
    this.receivedCap = buffer.receivedSlot;
    armEndpoint(this.os, this.own);
    if (wordCount > 0 || this.receivedCap !== undefined) return wordCount;
    this.peerIsGone();
    return ReceiveResult.Dead;
  }

  whenReceivable(waiter: Waiter): void {
    this.receiveWaiter = waiter;
    if (this.isDead) {
      waiter.ready();
      return;
    }
    if (!this.own.buffer.isArmed) this.arming.whenReady(NOBODY);
    this.own.buffer.received.whenReady(waiter);
  }

  whenSendable(waiter: Waiter): void {
    this.sendWaiter = waiter;
    if (!this.hasPeer) waiter.ready();
    else this.retry.source.whenReady(waiter);
  }

  whenPeerGone(waiter: Waiter): void {
    this.peerWaiter = waiter;
    if (!this.hasPeer) this.tellPeerWaiter();
  }

  dropCap(cap: Capref): void {
    this.os.drop(cap);
    if (!this.isClosed) armEndpoint(this.os, this.own);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.watch?.delete(this);
    this.tellWaiters();
    this.onClose?.();
    this.os.spawnThread('closes a channel', this.sayGoodbye());
  }

  checkPeer(): void {
    if (!this.hasPeer) return;
    if (!hasReceiver(this.os.sys, this.remote)) this.peerIsGone();
  }

  /** Nothing can be sent any more; what has arrived can be received. */
  private peerIsGone(): void {
    this.isPeerGone = true;
    this.watch?.delete(this);
    this.tellWaiters();
  }

  private tellWaiters(): void {
    const { receiveWaiter, sendWaiter } = this;
    this.own.buffer.received.deregister();
    this.retry.source.deregister();
    this.arming.deregister();
    this.receiveWaiter = undefined;
    this.sendWaiter = undefined;
    receiveWaiter?.ready();
    sendWaiter?.ready();
    this.tellPeerWaiter();
  }

  private tellPeerWaiter(): void {
    const { peerWaiter } = this;
    this.peerWaiter = undefined;
    peerWaiter?.ready();
  }

  /** Tell the other side, then give back all that the channel is made of. */
  private *sayGoodbye(): Wait<void> {
    const { os, own, remote, retry } = this;
    for (let tries = 0; tries < GOODBYE_TRIES; tries++) {
      if (lmpSendEnd(os.sys, remote) !== SendResult.Busy) break;
      retry.refused();
      yield* retry.source.wait();
    }
    os.drop(remote);
    endEndpoint(os, own);
  }
}

/** A transport without a system: two sides of this program, and a queue each way between them. */

import { assert } from '@barreleye/core';
import type { Capref, Waiter } from '@barreleye/libos';
import { ReceiveResult, SendResult, type Transport } from './transport.ts';

/** One queue: messages in buffers that are used again and again. */
class Queue {
  readonly slots: { readonly words: Uint32Array; length: number; cap: Capref | undefined }[];
  first: number;
  count: number;
  isClosed: boolean;
  receiver: Waiter | undefined;
  sender: Waiter | undefined;
  /** Of the side that sends: wants to know of the end. */
  watcher: Waiter | undefined;

  constructor(maxWords: number, depth: number) {
    this.slots = [];
    for (let i = 0; i < depth; i++) {
      this.slots.push({ words: new Uint32Array(maxWords), length: 0, cap: undefined });
    }
    this.first = 0;
    this.count = 0;
    this.isClosed = false;
    this.receiver = undefined;
    this.sender = undefined;
    this.watcher = undefined;
  }

  /** Wake who waits to receive, once. */
  filled(): void {
    const waiter = this.receiver;
    this.receiver = undefined;
    waiter?.ready();
  }

  /** Wake who waits to send, once. */
  emptied(): void {
    const waiter = this.sender;
    this.sender = undefined;
    waiter?.ready();
  }

  /** It is closed: wake all, for good. */
  close(): void {
    this.filled();
    this.emptied();
    const { watcher } = this;
    this.watcher = undefined;
    watcher?.ready();
  }
}

export class MemoryTransport implements Transport {
  readonly maxWords: number;
  receivedCap: Capref | undefined;
  /** Capabilities that were dropped, for tests. */
  readonly dropped: Capref[];
  private readonly incoming: Queue;
  private readonly outgoing: Queue;

  constructor(maxWords: number, incoming: Queue, outgoing: Queue) {
    this.maxWords = maxWords;
    this.receivedCap = undefined;
    this.dropped = [];
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  get isDead(): boolean {
    return this.incoming.isClosed && this.incoming.count === 0;
  }

  get hasPeer(): boolean {
    return !this.outgoing.isClosed;
  }

  trySend(words: Uint32Array, wordCount: number, cap: Capref | undefined): SendResult {
    assert(wordCount <= this.maxWords, 'the message is longer than the transport carries');
    const { outgoing } = this;
    if (outgoing.isClosed) return SendResult.Dead;
    const slot = outgoing.slots[(outgoing.first + outgoing.count) % outgoing.slots.length];
    if (outgoing.count === outgoing.slots.length || slot === undefined) return SendResult.Busy;
    for (let i = 0; i < wordCount; i++) slot.words[i] = words[i] ?? 0;
    slot.length = wordCount;
    slot.cap = cap;
    outgoing.count += 1;
    outgoing.filled();
    return SendResult.Sent;
  }

  tryReceive(into: Uint32Array): number {
    const { incoming } = this;
    this.receivedCap = undefined;
    const slot = incoming.slots[incoming.first];
    if (incoming.count === 0 || slot === undefined) {
      return incoming.isClosed ? ReceiveResult.Dead : ReceiveResult.Nothing;
    }
    for (let i = 0; i < slot.length; i++) into[i] = slot.words[i] ?? 0;
    this.receivedCap = slot.cap;
    slot.cap = undefined;
    incoming.first = (incoming.first + 1) % incoming.slots.length;
    incoming.count -= 1;
    incoming.emptied();
    return slot.length;
  }

  whenReceivable(waiter: Waiter): void {
    const { incoming } = this;
    incoming.receiver = waiter;
    if (incoming.count > 0 || incoming.isClosed) incoming.filled();
  }

  whenSendable(waiter: Waiter): void {
    const { outgoing } = this;
    outgoing.sender = waiter;
    if (outgoing.count < outgoing.slots.length || outgoing.isClosed) outgoing.emptied();
  }

  whenPeerGone(waiter: Waiter): void {
    if (this.hasPeer) this.outgoing.watcher = waiter;
    else waiter.ready();
  }

  dropCap(cap: Capref): void {
    this.dropped.push(cap);
  }

  close(): void {
    const into = new Uint32Array(this.maxWords);
    while (this.tryReceive(into) >= 0) {
      if (this.receivedCap !== undefined) this.dropCap(this.receivedCap);
    }
    const queues = [this.incoming, this.outgoing];
    for (const queue of queues) queue.isClosed = true; // before anybody hears of either
    for (const queue of queues) queue.close();
  }
}

/** Two connected sides. Each way, `depth` messages of at most `maxWords` words can be under way. */
export function memoryPair(maxWords: number, depth: number): [MemoryTransport, MemoryTransport] {
  const [there, back] = [new Queue(maxWords, depth), new Queue(maxWords, depth)];
  return [new MemoryTransport(maxWords, back, there), new MemoryTransport(maxWords, there, back)];
}

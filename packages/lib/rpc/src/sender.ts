/**
 * Sends messages in fragments, one message at a time: threads that want to send line up. The body
 * is built in the one buffer that there is, by whoever holds the turn.
 */

import { assert, type Errval, isOk, OK } from '@barreleye/core';
import type { Capref, Wait } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import { Parking, type Threads, type WaitReason } from './threads.ts';
import { SendResult, type Transport, yieldCore } from './transport.ts';
import { CONTINUE_WORDS, continueWord, HEADER_WORDS, headerWord } from './wire.ts';
import { Writer } from './writer.ts';

export class Sender implements WaitReason {
  readonly label: string;
  /** Whose turn it is to send. */
  holder: object | undefined;
  /** Body of the next message, for the holder of the turn. */
  readonly writer: Writer;
  /** What is still to be sent of the message goes without capabilities. */
  private isWithdrawn: boolean;
  private readonly threads: Threads;
  private readonly transport: Transport;
  private readonly fragment: Uint32Array;
  /** Where the holder of the turn waits for room. */
  private readonly room: Parking;
  /** Threads that wait for their turn, first come first served. */
  private readonly queue: object[];

  /** @param maxWords of the longest body */
  constructor(threads: Threads, transport: Transport, maxWords: number) {
    assert(transport.maxWords >= HEADER_WORDS, 'a header fits one message of the transport');
    this.label = 'the turn to send';
    this.holder = undefined;
    this.writer = new Writer(maxWords);
    this.isWithdrawn = false;
    this.threads = threads;
    this.transport = transport;
    this.fragment = new Uint32Array(transport.maxWords);
    this.room = new Parking(threads, 'room to send');
    this.queue = [];
  }

  /** Wait for the turn to send. `writer` is empty then. */
  *take(): Wait<void> {
    const { threads } = this;
    if (this.holder === undefined) {
      this.holder = threads.running;
    } else {
      this.queue.push(threads.running);
      threads.block(this);
      yield; // woken with the turn
    }
    this.isWithdrawn = false;
    this.writer.reset();
  }

  /** Whoever has the turn may not own the capabilities of its message any more; gifts it does. */
  withdraw(): void {
    this.isWithdrawn = true;
  }

  /** Pass the turn on. */
  release(): void {
    assert(this.holder !== undefined, 'the turn is passed on by whoever has it');
    this.holder = this.queue.shift();
    if (this.holder !== undefined) this.threads.wake(this.holder);
  }

  /**
   * Send what is in `writer`; the caller has the turn. Unless nothing was sent, gifts are gone.
   * @errors RPC_ERR_ARGUMENT nothing was sent; RPC_ERR_CAP a capability was missing from what was
   *   sent; RPC_ERR_CLOSED
   */
  *send(kind: number, method: number, token: number): Wait<Errval> {
    const { writer } = this;
    if (!isOk(writer.err)) return writer.err;
    const err = yield* this.sendFragments(kind, method, token);
    this.dropGifts();
    return err;
  }

  /** Give back the slots of what the message in `writer` gives away, and what is still in them. */
  dropGifts(): void {
    const { writer, transport } = this;
    for (let i = 0; i < writer.capCount; i++) {
      const cap = writer.caps[i];
      if (cap !== undefined && isGift(writer, i)) transport.dropCap(cap);
    }
  }

  private *sendFragments(kind: number, method: number, token: number): Wait<Errval> {
    const { fragment } = this;
    const { words, wordCount, caps, capCount } = this.writer;
    let err: Errval = OK;
    let at = 0;
    let capAt = 0;
    fragment[0] = headerWord(kind, capCount, method, wordCount);
    fragment[1] = token;
    let length: number = HEADER_WORDS;
    do {
      while (length < fragment.length && at < wordCount) {
        fragment[length] = words[at] ?? 0;
        length += 1;
        at += 1;
      }
      const cap = capAt < capCount ? caps[capAt] : undefined;
      const isGiven = isGift(this.writer, capAt);
      capAt += 1;
      const isLast = at === wordCount && capAt >= capCount;
      const sent = yield* this.sendFragment(length, cap, isLast, isGiven);
      if (!isOk(sent)) err = sent;
      if (sent === Err.RPC_ERR_CLOSED) return sent;
      fragment[0] = continueWord(at);
      length = CONTINUE_WORDS;
    } while (at < wordCount || capAt < capCount);
    return err;
  }

  /** A fragment goes out without its capability rather than not at all: the other side counts. */
  private *sendFragment(
    length: number,
    cap: Capref | undefined,
    isLast: boolean,
    isGiven: boolean,
  ): Wait<Errval> {
    const { transport, fragment, room } = this;
    let err: Errval = OK;
    let sentCap = cap;
    for (;;) {
      if (this.isWithdrawn) sentCap = undefined;
      const result = transport.trySend(fragment, length, sentCap, isLast, isGiven);
      if (result === SendResult.Sent) return err;
      if (result === SendResult.Left) {
        yield* yieldCore();
        return err;
      }
      if (result === SendResult.Dead) return Err.RPC_ERR_CLOSED;
      if (result === SendResult.CapInvalid) {
        err = Err.RPC_ERR_CAP;
        sentCap = undefined;
      } else {
        room.park();
        transport.whenSendable(room);
        yield;
      }
    }
  }
}

function isGift({ gifts }: Writer, i: number): boolean {
  return (gifts & (1 << i)) !== 0;
}

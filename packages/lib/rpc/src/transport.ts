/**
 * What carries messages between two domains: a pair of queues, one each way, of a few words and at
 * most one capability a message. Messages arrive in the order in which they were sent, once, whole
 * (I61, I62). What they mean is no concern of a transport.
 *
 * The calls are plain: they neither wait nor allocate. A caller that must wait registers a waiter.
 */

import { type Capref, PageFaultError, type Wait, type Waiter } from '@barreleye/libos';

/** What became of a message. */
export const SendResult = {
  Sent: 0,
  Busy: 1, //       no room, or nowhere to put the capability: try again when it can be sent
  Dead: 2, //       nobody will ever receive it
  CapInvalid: 3, // the capability cannot be sent; without it the message could be
  Left: 4, //       sent, and the core is gone: the thread must `yieldCore` before anything else
} as const;
export type SendResult = (typeof SendResult)[keyof typeof SendResult];

/** What `tryReceive` returns when it is not a number of words. */
export const ReceiveResult = {
  Nothing: -1, // not now
  Dead: -2, //    and never again
  Left: -3, //    the core is gone: the thread must `yieldCore` before anything else
} as const;

/**
 * Yield after `Left`. Where the core was lost because the memory of the transport was taken away,
 * that is no page fault of the thread: the transport is dead, and the next call will say so.
 */
export function* yieldCore(): Wait<void> {
  try {
    yield;
  } catch (error) {
    if (!(error instanceof PageFaultError)) throw error;
  }
}

export interface Transport {
  /** Words of the longest message; at least 4. */
  readonly maxWords: number;
  /** Whether this side has closed, or the other has ended and all it sent has been received. */
  readonly isDead: boolean;
  /** Whether, as far as is known, there still is another side to send to. */
  readonly hasPeer: boolean;
  /** What came with the message received last: its receiver owns the slot from then on. */
  readonly receivedCap: Capref | undefined;
  /**
   * Send the first `wordCount` words of `words`, and a copy of `cap`.
   * @param wordCount at least 1
   * @param isLast no further message follows at once: the other side may as well run
   * @param isGift `cap` leaves its slot, with the right to revoke it, which a copy lacks
   */
  trySend(
    words: Uint32Array,
    wordCount: number,
    cap: Capref | undefined,
    isLast: boolean,
    isGift?: boolean,
  ): SendResult;
  /** Put the next message into `into`, of `maxWords` words: its length, or a `ReceiveResult`. */
  tryReceive(into: Uint32Array): number;
  /**
   * Call `waiter` when there is something to receive or the transport is dead; at once if that is
   * so already. There is one such waiter: a new one takes the place of the old.
   */
  whenReceivable(waiter: Waiter): void;
  /** Likewise, when a message that was `Busy` is worth another try. */
  whenSendable(waiter: Waiter): void;
  /** Likewise, when there is no other side any more, whatever it has left to be received. */
  whenPeerGone(waiter: Waiter): void;
  /** Delete a capability that was received, and give its slot back. */
  dropCap(cap: Capref): void;
  /** End it, for both sides. The other still receives what was sent before. */
  close(): void;
}

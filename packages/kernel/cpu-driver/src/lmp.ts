/**
 * Local message passing, the receiving half: messages into rings, whether a dispatcher sends them
 * (lmp-send.ts, lrpc.ts) or the kernel itself. A message is delivered whole or not at all (I62):
 * `decodeDelivery` finds the room for it, after that nothing can fail (T47).
 * Source: Barrelfish kernel/dispatch.c `lmp_can_deliver_payload`, `lmp_deliver_payload`.
 */

import type { Slot } from '@barreleye/caps';
import { asPtr, type Errval, isOk, OK, type Ptr } from '@barreleye/core';
import {
  Cte,
  Dcb,
  DcbState,
  DispatcherFrame,
  Err,
  isEndpointBuffer,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpHeader,
} from '@barreleye/spec';
import { dcbOf, frameOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { wake } from './wakeup.ts';

/** A checked delivery; one record in the kernel's context is filled anew for every message. */
export interface Delivery {
  receiver: Ptr<'Dcb'>;
  /** Offset of the endpoint buffer in the receiver's frame, bytes. */
  offset: number;
  ringWords: number;
  /** Ring index of the header. */
  first: number;
}

const WORDS_PER_RING_WORD = LMP_RING_WORD_BYTES / 4;

/** An empty record to fill. */
export function createDelivery(): Delivery {
  return { receiver: asPtr(0), offset: 0, ringWords: 0, first: 0 };
}

/**
 * Deliver the first `wordCount` of `words` to the endpoint in slot `ep`.
 * @errors those of `decodeDelivery`
 */
export function deliver(k: Kernel, ep: Slot, words: Uint32Array, wordCount: number): Errval {
  const err = decodeDelivery(k, ep, wordCount);
  if (isOk(err)) applyDelivery(k, words, 0, wordCount, 0);
  return err;
}

/**
 * Whether a message of `wordCount` words can be delivered to the endpoint in slot `ep`; fills in
 * where.
 * @errors SYS_ERR_LMP_NO_TARGET the receiver is dead, or the endpoint has no buffer inside its
 *   dispatcher frame (T17);
 *   SYS_ERR_LMP_EP_STATE_INVALID the receiver corrupted its indices; SYS_ERR_LMP_BUF_OVERFLOW
 */
export function decodeDelivery(k: Kernel, ep: Slot, wordCount: number): Errval {
  const { mem, delivery } = k;
  const dcb = dcbOf(k, ep);
  const ringWords = Cte.arg1.get(mem, ep);
  const offset = Cte.arg0.get(mem, ep);
  const frameBytes = Cte.bytes.get(mem, Dcb.frame.at(dcb));
  const isAlive = Dcb.state.get(mem, dcb) !== DcbState.Dead;
  if (!isAlive || !isEndpointBuffer(frameBytes, offset, ringWords)) {
    return Err.SYS_ERR_LMP_NO_TARGET;
  }
  const buffer = asPtr<'LmpEndpoint'>(frameOf(k, dcb) + offset);
  const delivered = LmpEndpoint.delivered.get(mem, buffer);
  const consumed = LmpEndpoint.consumed.get(mem, buffer);
  if (delivered >= ringWords || consumed >= ringWords) return Err.SYS_ERR_LMP_EP_STATE_INVALID;
  const used = delivered - consumed + (delivered < consumed ? ringWords : 0);
  if (ringWords - used <= wordCount + 1) return Err.SYS_ERR_LMP_BUF_OVERFLOW;
  delivery.receiver = dcb;
  delivery.offset = offset;
  delivery.ringWords = ringWords;
  delivery.first = delivered;
  return OK;
}

/**
 * Write the message that `decodeDelivery` has found room for, and wake the receiver.
 * @param capBit `LmpHeader.CapBit` if a capability came along, else 0
 */
export function applyDelivery(
  k: Kernel,
  words: Uint32Array,
  from: number,
  wordCount: number,
  capBit: number,
): void {
  const { mem, delivery } = k;
  const { receiver, offset, ringWords } = delivery;
  const frame = frameOf(k, receiver);
  const buffer = asPtr<'LmpEndpoint'>(frame + offset);
  const ring = (buffer + LmpEndpoint.$bytes - mem.origin) / 4;
  const ringEnd = ring + ringWords * WORDS_PER_RING_WORD;
  const ram = mem.words;
  let at = ring + delivery.first * WORDS_PER_RING_WORD;
  let word = (wordCount << LmpHeader.LengthShift) | capBit;
  for (let i = 0; ; i++) {
    ram[at] = word;
    ram[at + 1] = 0;
    at += WORDS_PER_RING_WORD;
    if (at === ringEnd) at = ring;
    if (i === wordCount) break;
    word = words[from + i] ?? 0;
  }
  LmpEndpoint.delivered.set(mem, buffer, (at - ring) / WORDS_PER_RING_WORD);
  const delivered = DispatcherFrame.lmpDelivered.get(mem, frame) + wordCount + 1;
  DispatcherFrame.lmpDelivered.set(mem, frame, delivered >>> 0);
  DispatcherFrame.lmpHint.set(mem, frame, offset);
  wake(k, receiver);
}

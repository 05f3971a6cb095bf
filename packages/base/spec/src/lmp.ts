/**
 * Endpoints of local message passing: a ring of words in the receiver's dispatcher frame.
 * Source: Barrelfish lmp.h; indices and words are 32 bits here, words in pairs on 64-bit cores.
 */

import { type Errval, isAligned, isInside, layout, u32 } from '@barreleye/core';
import { DISPATCHER_SHARED_BYTES } from './dispatcher-frame.ts';
import { Err } from './errors.ts';

/** Head of an endpoint buffer; the ring follows it, of as many words as the capability says. */
export const LmpEndpoint = layout('LmpEndpoint', 16, {
  // Where the next received capability goes: address of a root CNode at level 2 of the receiver's
  // CSpace, and of a slot at level 2 below that one; 0 for none. Written by: the dispatcher
  recvCspace: u32(0),
  recvSlot: u32(4),
  delivered: u32(8), //  ring index of the next word to write. Written by: the CPU driver
  consumed: u32(12), //  ring index of the next word to read. Written by: the dispatcher
});

/**
 * Flags of an LMP send. A sender that gives the core away goes on later where it was, with the
 * answer in its result registers: if it was enabled, those of its enabled save area.
 */
export const LmpFlag = {
  Sync: 1, //     when the message is delivered, give the rest of the slice to the receiver
  Yield: 2, //    likewise when a transient error prevents that
  GiveAway: 4, // delete the sender's capability when it is delivered
  Identify: 8, // no message: `EndpointCmd`
} as const;

/** Words of an LRPC message. */
export const LRPC_WORDS = 4;

const TRANSIENT: readonly Errval[] = [
  Err.SYS_ERR_LMP_BUF_OVERFLOW,
  Err.SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID,
  Err.SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED,
];

/** Bytes of one ring word: the same on every architecture. */
export const LMP_RING_WORD_BYTES = 8;

/** Header word of a message: bit 0 says that a capability came along; bits 8-15 count words. */
export const LmpHeader = { CapBit: 1, LengthShift: 8 } as const;

/**
 * Whether a refused send may succeed later, when the receiver has taken messages or has armed
 * another receive slot.
 */
export function isLmpTransient(err: Errval): boolean {
  return TRANSIENT.includes(err);
}

/** Bytes of an endpoint buffer with a ring of `ringWords` words. */
export function endpointBufferBytes(ringWords: number): number {
  return LmpEndpoint.$bytes + ringWords * LMP_RING_WORD_BYTES;
}

/**
 * Whether an endpoint buffer may lie at `offset` in a dispatcher frame of `frameBytes` bytes:
 * wholly behind the page that kernel and dispatcher share, and aligned to its words (T17).
 */
export function isEndpointBuffer(frameBytes: number, offset: number, ringWords: number): boolean {
  const room = frameBytes - DISPATCHER_SHARED_BYTES;
  const bytes = endpointBufferBytes(ringWords);
  return (
    ringWords > 0 && isAligned(offset, 3) && isInside(offset, bytes, DISPATCHER_SHARED_BYTES, room)
  );
}

/**
 * Endpoints of local message passing: a ring of words in the receiver's dispatcher frame.
 * Source: Barrelfish lmp.h; indices and words are 32 bits here, words in pairs on 64-bit cores.
 */

import { isAligned, isInside, layout, u32 } from '@barreleye/core';
import { DISPATCHER_SHARED_BYTES } from './dispatcher-frame.ts';

/** Head of an endpoint buffer; the ring follows it, of as many words as the capability says. */
export const LmpEndpoint = layout('LmpEndpoint', 16, {
  recvCspace: u32(0), // capability address of the root CNode for the next received capability
  recvSlot: u32(4), //   capability address of that slot
  delivered: u32(8), //  ring index of the next word to write. Written by: the CPU driver
  consumed: u32(12), //  ring index of the next word to read. Written by: the dispatcher
});

/** Flags of an LMP send. */
export const LmpFlag = { Sync: 1, Yield: 2, GiveAway: 4, Identify: 8 } as const;

/** Bytes of one ring word: the same on every architecture. */
export const LMP_RING_WORD_BYTES = 8;

/** Header word of a message: bit 0 says that a capability came along; bits 8-15 count words. */
export const LmpHeader = { CapBit: 1, LengthShift: 8 } as const;

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

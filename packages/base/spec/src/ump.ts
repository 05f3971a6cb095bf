/**
 * Rings of user-level message passing: one way, one sender, one receiver, in memory that both have.
 * A ring is a head and then slots of a cache line each. Every line has one writer.
 *
 * A slot holds a message when its control word says so and has the sequence number that comes next;
 * the control word is written last. So the receiver never writes a slot, and says elsewhere how far
 * it has come.
 * Source: Barrelfish until January 2017 (`ump_impl.h`): sequence numbers, control word last. Sleep
 * words and `closed` are ours.
 */

import { layout, u32, words } from '@barreleye/core';

/** Payload words of a slot, at most. */
export const UMP_PAYLOAD_WORDS = 14;

export const UmpSlot = layout('UmpSlot', 64, {
  payload: words(0, UMP_PAYLOAD_WORDS),
  note: u32(56), //    a word from the sender's library to the receiver's; 0: just words
  control: u32(60), // UmpControl; written last
});

/** Head of a ring. All of it begins as zero. */
export const UmpHead = layout('UmpHead', 192, {
  acked: u32(0), //          sequence number of the last message taken. Written by: the receiver
  receiverSleep: u32(64), // odd: ring when a message has come. Written by: the receiver
  senderSleep: u32(128), //  odd: ring when there is room. Written by: the sender
  closed: u32(132), //       not 0: no further message will come. Written by: the sender
});

/** Fields of a control word: bit 0 is set, so that no message looks like memory never written. */
export const UmpControl = {
  Full: 1,
  LengthShift: 1, //   payload words, 4 bits
  LengthMask: 15,
  SequenceShift: 5, // the first message has number 1
} as const;

/** Sequence numbers wrap around at this mask. A ring has fewer slots, by far. */
export const UMP_SEQUENCE_MASK = 2 ** 27 - 1;
/** Most slots of a ring. */
export const UMP_MAX_SLOTS = 2 ** 20;

/** Bytes of a ring of `slotCount` slots. */
export function umpRingBytes(slotCount: number): number {
  return UmpHead.$bytes + slotCount * UmpSlot.$bytes;
}

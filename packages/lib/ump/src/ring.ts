/** Where things are in a ring, in words, and what a side of it may decide. */

import { assert } from '@barreleye/core';
import { UMP_MAX_SLOTS, UMP_SEQUENCE_MASK, UmpControl, UmpHead, UmpSlot } from '@barreleye/spec';

// Word indexes: of the head from its beginning, of a slot from its own.
export const ACKED = UmpHead.acked.offset / 4;
export const RECEIVER_SLEEP = UmpHead.receiverSleep.offset / 4;
export const SENDER_SLEEP = UmpHead.senderSleep.offset / 4;
export const CLOSED = UmpHead.closed.offset / 4;
export const HEAD_WORDS = UmpHead.$bytes / 4;
export const SLOT_WORDS = UmpSlot.$bytes / 4;
export const NOTE = UmpSlot.note.offset / 4;
export const CONTROL = UmpSlot.control.offset / 4;

/** Rings the other side's bell: it sleeps. Never waits, and may be heard later, but not never. */
export type RingDoorbell = () => void;

/** What both ends of a ring have to know of it. */
export interface RingOptions {
  /** Messages that fit; the other side's number. */
  readonly slotCount: number;
  /**
   * Of the sender. `latency`: every message is published at once. `bulk`: a quarter of the ring at
   * a time, unless a message is the last of several.
   */
  readonly mode?: UmpMode | undefined;
  /** Called when the other side sleeps and there is something for it. Without it, it must poll. */
  readonly ringDoorbell?: RingDoorbell | undefined;
  /** For an end that takes over from one that is no more: where that one was. */
  readonly position?: RingPosition | undefined;
}

export type UmpMode = 'latency' | 'bulk';

/** How far an end has come. */
export interface RingPosition {
  /** Number of its last message. */
  readonly sequence: number;
  /** The slot of its next one. */
  readonly slotIndex: number;
  /** What its sleep word says. */
  readonly sleep: number;
}

export const START: RingPosition = { sequence: 0, slotIndex: 0, sleep: 0 };

/** Messages that bulk mode publishes at once: a quarter of the ring. */
export function publishedAtOnce(slotCount: number): number {
  return Math.max(1, Math.floor(slotCount / 4));
}

/** Messages that are acknowledged at once: half the ring. More often takes a tenth longer. */
export function acknowledgedAtOnce(slotCount: number): number {
  return Math.max(1, Math.floor(slotCount / 2));
}

/** Bugs of the caller: the other side has no part in any of this. */
export function checkOptions({ slotCount, position = START }: RingOptions): void {
  assert(Number.isInteger(slotCount), 'a ring has a whole number of slots');
  assert(slotCount >= 1, 'a ring has a slot');
  assert(slotCount <= UMP_MAX_SLOTS, 'a ring has too many slots');
  assert(position.slotIndex < slotCount, 'there is no such slot');
  assert(position.sequence <= UMP_SEQUENCE_MASK, 'there is no such sequence number');
}

/** From the sequence number `older` to `newer`. */
export function distance(older: number, newer: number): number {
  return (newer - older) & UMP_SEQUENCE_MASK;
}

/** From a control word to the next one: the carry out of the sequence number is lost. */
export const SEQUENCE_STEP = 1 << UmpControl.SequenceShift;

/** The control word of message `sequence`, but for its length. */
export function controlOf(sequence: number): number {
  return (sequence << UmpControl.SequenceShift) | UmpControl.Full;
}

export function sequenceOf(control: number): number {
  return control >>> UmpControl.SequenceShift;
}

/**
 * Memory that one side shares with a hostile one: before any access of the victim, words may
 * change. Where the victim writes is checked, and how often it looks in one call.
 */

import type { Prng } from '@barreleye/core';
import { UMP_SEQUENCE_MASK, UmpControl, UmpHead, UmpSlot } from '@barreleye/spec';
import type { Words } from '../src/index.ts';

/** What a channel is to its victim. */
export interface Haunt {
  readonly base: number;
  readonly wordCount: number;
  /** Words that only the victim writes; all others only the ghost may. */
  readonly own: ReadonlySet<number>;
}

/** Accesses that a call makes at most: the words of a message, its control, the head. */
const MAX_ACCESSES = 40;

export class HauntedWords implements Words {
  readonly isGone = false;
  private readonly inner: Words;
  private readonly prng: Prng;
  private readonly haunt: Haunt;
  private accessCount: number;

  constructor(inner: Words, prng: Prng, haunt: Haunt) {
    this.inner = inner;
    this.prng = prng;
    this.haunt = haunt;
    this.accessCount = 0;
  }

  /** A new call begins. */
  begin(): void {
    this.accessCount = 0;
  }

  load(index: number): number {
    this.before(index);
    return this.inner.load(index);
  }

  store(index: number, value: number): void {
    this.beforeStore(index);
    this.inner.store(index, value);
  }

  loadMany(index: number, into: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) into[i] = this.load(index + i);
  }

  storeMany(index: number, from: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.store(index + i, from[i] ?? 0);
  }

  loadAcquire(index: number): number {
    this.before(index);
    return this.inner.loadAcquire(index);
  }

  storeRelease(index: number, value: number): void {
    this.beforeStore(index);
    this.inner.storeRelease(index, value);
  }

  private beforeStore(index: number): void {
    this.before(index);
    if (!this.haunt.own.has(index)) throw new Error(`wrote word ${index}, which is not its own`);
  }

  private before(index: number): void {
    const { base, wordCount } = this.haunt;
    if (index < base || index >= base + wordCount) throw new Error(`reached word ${index}`);
    this.accessCount += 1;
    if (this.accessCount > MAX_ACCESSES) throw new Error('does not come to an end');
    while (this.prng.below(4) === 0) this.interfere(index);
  }

  /** Change any word, most likely the one that is about to be read, most likely to what counts. */
  private interfere(index: number): void {
    const { prng, haunt } = this;
    const anywhere = haunt.base + prng.below(haunt.wordCount);
    this.inner.store(prng.below(2) === 0 ? index : anywhere, this.plausible());
  }

  private plausible(): number {
    const { prng } = this;
    const sequence = (prng.below(64) - 8) & UMP_SEQUENCE_MASK;
    switch (prng.below(4)) {
      case 0:
        return prng.next32();
      case 1:
        return sequence;
      case 2:
        return prng.below(3);
      default:
        return (sequence << UmpControl.SequenceShift) | (prng.below(16) << 1) | prng.below(2);
    }
  }
}

/** The words that an end writes: slots and the sender's line of one ring, two lines of another. */
export function ownWords(incoming: number, outgoing: number, slotCount: number): Set<number> {
  const own = new Set<number>();
  const { acked, receiverSleep, senderSleep, closed } = UmpHead;
  for (const field of [acked, receiverSleep]) own.add(incoming + field.offset / 4);
  for (const field of [senderSleep, closed]) own.add(outgoing + field.offset / 4);
  const slots = outgoing + UmpHead.$bytes / 4;
  for (let i = 0; i < (slotCount * UmpSlot.$bytes) / 4; i++) own.add(slots + i);
  return own;
}

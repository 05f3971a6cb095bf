/**
 * The receiving end of a ring. It never writes a slot, and reads no more words of a message than a
 * slot has, whatever the sender says: the worst that a sender can do is to send nonsense, or
 * nothing.
 *
 * Hot code: no allocation; where nothing has come, one load of a line that is in the cache.
 * Constants are literals there, as in the sender.
 */

import { UmpControl } from '@barreleye/spec';
import { Bell, SleepWord } from './bell.ts';
import {
  ACKED,
  acknowledgedAtOnce,
  CLOSED,
  CONTROL,
  checkOptions,
  controlOf,
  HEAD_WORDS,
  NOTE,
  RECEIVER_SLEEP,
  type RingOptions,
  type RingPosition,
  SENDER_SLEEP,
  SEQUENCE_STEP,
  SLOT_WORDS,
  START,
  sequenceOf,
} from './ring.ts';
import type { Words } from './words.ts';

/** Of a control word, all but the length. */
const NOT_LENGTH = ~(UmpControl.LengthMask << UmpControl.LengthShift);

/** What `tryReceive` returns when nothing has come. */
export const NOTHING = -1;

export class UmpReceiver {
  /** The note of the message received last. */
  note: number;
  private readonly words: Words;
  private readonly base: number;
  private readonly batch: number;
  private readonly bell: Bell;
  private readonly sleepWord: SleepWord;
  /** The control word of the next message, but for its length. */
  private expected: number;
  /** Messages taken and not acknowledged. */
  private unackedCount: number;
  /** Where the slot of the next message begins, the first slot, and the word behind the last. */
  private at: number;
  private readonly firstAt: number;
  private readonly endAt: number;

  /** @param base word where the ring begins, a multiple of 16 */
  constructor(words: Words, base: number, options: RingOptions) {
    checkOptions(options);
    const { slotCount, ringDoorbell, position = START } = options;
    this.note = 0;
    this.words = words;
    this.base = base;
    this.batch = acknowledgedAtOnce(slotCount);
    this.bell = new Bell(words, base + SENDER_SLEEP, ringDoorbell);
    this.sleepWord = new SleepWord(words, base + RECEIVER_SLEEP, position.sleep);
    this.expected = (controlOf(position.sequence) + SEQUENCE_STEP) | 0;
    this.unackedCount = 0;
    this.firstAt = base + HEAD_WORDS;
    this.endAt = this.firstAt + slotCount * SLOT_WORDS;
    this.at = this.firstAt + position.slotIndex * SLOT_WORDS;
  }

  /** Where another end can go on. */
  get position(): RingPosition {
    const slotIndex = (this.at - this.firstAt) / SLOT_WORDS;
    return { sequence: this.takenSequence(), slotIndex, sleep: this.sleepWord.value };
  }

  /** Whether there is a message. */
  hasMessage(): boolean {
    return ((this.words.loadAcquire(this.at + CONTROL) ^ this.expected) & NOT_LENGTH) === 0;
  }

  /** The note of the message that is there. A sender that is hostile may still change it. */
  peekNote(): number {
    return this.words.load(this.at + NOTE);
  }

  /**
   * Take the next message.
   * @param into room for 14 words
   * @returns its number of words, or `NOTHING`
   */
  tryReceive(into: Uint32Array): number {
    const control = this.words.loadAcquire(this.at + 15); // CONTROL
    if (((control ^ this.expected) & -31) /* NOT_LENGTH */ !== 0) return -1; // NOTHING
    return this.take(control, into);
  }

  /** Whether the sender has said that no message will come after those that are there. */
  isClosed(): boolean {
    return this.words.loadAcquire(this.base + CLOSED) !== 0;
  }

  /** From now on the sender rings when it has sent something; look again whether it has. */
  lieDown(): void {
    this.sleepWord.lieDown();
  }

  getUp(): void {
    this.sleepWord.getUp();
  }

  /**
   * Let the sender have the slots of all messages taken. It is done for half the ring at once,
   * which cannot stop a sender: as long as less is free, there is something to take.
   */
  acknowledge(): void {
    this.unackedCount = 0;
    this.words.storeRelease(this.base + ACKED, this.takenSequence());
    this.bell.ringIfAsleep();
  }

  /** Apart from `tryReceive`, so that looking for a message is short enough to be inlined. */
  private take(control: number, into: Uint32Array): number {
    const { words, at } = this;
    const length = (control >>> 1) & 15; // LengthShift, LengthMask
    const wordCount = length < 14 ? length : 14; // UMP_PAYLOAD_WORDS
    words.loadMany(at, into, wordCount);
    this.note = words.load(at + 14); // NOTE
    const next = at + 16; // SLOT_WORDS
    this.at = next === this.endAt ? this.firstAt : next;
    this.expected = (this.expected + 32) | 0; // SEQUENCE_STEP
    this.unackedCount += 1;
    if (this.unackedCount === this.batch) this.acknowledge();
    return wordCount;
  }

  /** Number of the last message taken. */
  private takenSequence(): number {
    return sequenceOf(this.expected - SEQUENCE_STEP);
  }
}

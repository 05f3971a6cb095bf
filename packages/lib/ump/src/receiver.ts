/**
 * The receiving end of a ring. It never writes a slot, and reads no more words of a message than a
 * slot has, whatever the sender says: the worst that a sender can do is to send nonsense, or
 * nothing.
 *
 * Hot code: no allocation; where nothing has come, one load of a line that is in the cache.
 */

import { UMP_PAYLOAD_WORDS, UmpControl } from '@barreleye/spec';
import { Bell, SleepWord } from './bell.ts';
import {
  ACKED,
  after,
  batchOf,
  CLOSED,
  CONTROL,
  checkOptions,
  distance,
  HEAD_WORDS,
  NOTE,
  RECEIVER_SLEEP,
  type RingOptions,
  type RingPosition,
  SENDER_SLEEP,
  SLOT_WORDS,
  START,
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
  private readonly slotCount: number;
  private readonly batch: number;
  private readonly bell: Bell;
  private readonly sleepWord: SleepWord;
  /** Number of the last message taken, and acknowledged; what the next control word is like. */
  private sequence: number;
  private acked: number;
  private expected: number;
  /** Slot of the next message, and the word where it begins. */
  private slotIndex: number;
  private at: number;

  /** @param base word where the ring begins, a multiple of 16 */
  constructor(words: Words, base: number, options: RingOptions) {
    checkOptions(options);
    const { slotCount, ringDoorbell, position = START } = options;
    this.note = 0;
    this.words = words;
    this.base = base;
    this.slotCount = slotCount;
    this.batch = batchOf(options);
    this.bell = new Bell(words, base + SENDER_SLEEP, ringDoorbell);
    this.sleepWord = new SleepWord(words, base + RECEIVER_SLEEP, position.sleep);
    this.sequence = position.sequence;
    this.acked = position.sequence;
    this.expected = controlOf(after(position.sequence));
    this.slotIndex = position.slotIndex;
    this.at = base + HEAD_WORDS + position.slotIndex * SLOT_WORDS;
  }

  /** Where another end can go on. */
  get position(): RingPosition {
    const { sequence, slotIndex, sleepWord } = this;
    return { sequence, slotIndex, sleep: sleepWord.value };
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
    const { words, at } = this;
    const control = words.loadAcquire(at + CONTROL);
    if (((control ^ this.expected) & NOT_LENGTH) !== 0) return NOTHING;
    const length = (control >>> UmpControl.LengthShift) & UmpControl.LengthMask;
    const wordCount = length < UMP_PAYLOAD_WORDS ? length : UMP_PAYLOAD_WORDS;
    for (let i = 0; i < wordCount; i++) into[i] = words.load(at + i);
    this.note = words.load(at + NOTE);
    this.advance();
    return wordCount;
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

  /** The slot is free; say so. */
  private advance(): void {
    const sequence = after(this.sequence);
    this.sequence = sequence;
    this.expected = controlOf(after(sequence));
    this.slotIndex += 1;
    this.at += SLOT_WORDS;
    if (this.slotIndex === this.slotCount) {
      this.slotIndex = 0;
      this.at = this.base + HEAD_WORDS;
    }
    if (distance(this.acked, sequence) < this.batch) return;
    this.acked = sequence;
    this.words.storeRelease(this.base + ACKED, sequence);
    this.bell.ringIfAsleep();
  }
}

/** The control word of message `sequence`, without its length. */
function controlOf(sequence: number): number {
  return (sequence << UmpControl.SequenceShift) | UmpControl.Full;
}

/**
 * The sending end of a ring. It writes slots and its own words of the head. It believes the
 * receiver's acknowledgements only as far as they make sense: others change nothing, so the worst
 * that a receiver can do is not to receive.
 *
 * Hot code: no allocation, and one ordered store a message, or one a batch.
 */

import { assert } from '@barreleye/core';
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

export class UmpSender {
  readonly slotCount: number;
  private readonly words: Words;
  private readonly base: number;
  private readonly batch: number;
  private readonly bell: Bell;
  private readonly sleepWord: SleepWord;
  /** Number of the last message, published or not; and the last that is known to be taken. */
  private sequence: number;
  private acked: number;
  /** Slot of the next message, and the word where it begins. */
  private slotIndex: number;
  private at: number;
  /** Messages written but not published: the first one's control word is still to be stored. */
  private stagedCount: number;
  private stagedAt: number;
  private stagedControl: number;

  /** @param base word where the ring begins, a multiple of 16 */
  constructor(words: Words, base: number, options: RingOptions) {
    checkOptions(options);
    const { slotCount, ringDoorbell, position = START } = options;
    this.slotCount = slotCount;
    this.words = words;
    this.base = base;
    this.batch = batchOf(options);
    this.bell = new Bell(words, base + RECEIVER_SLEEP, ringDoorbell);
    this.sleepWord = new SleepWord(words, base + SENDER_SLEEP, position.sleep);
    this.sequence = position.sequence;
    this.acked = position.sequence - slotCount; // none is known to be free: look first
    this.slotIndex = position.slotIndex;
    this.at = base + HEAD_WORDS + position.slotIndex * SLOT_WORDS;
    this.stagedCount = 0;
    this.stagedAt = 0;
    this.stagedControl = 0;
  }

  /** Where another end can go on, once everything is flushed. */
  get position(): RingPosition {
    const { sequence, slotIndex, sleepWord } = this;
    return { sequence, slotIndex, sleep: sleepWord.value };
  }

  /**
   * Send the first `wordCount` words of `message`. False: the ring is full.
   * @param wordCount at most 14
   * @param isLast no further message follows at once: in bulk mode too, the receiver sees it now
   * @param note for the library at the other side
   */
  trySend(message: Uint32Array, wordCount: number, isLast = true, note = 0): boolean {
    assert(wordCount <= UMP_PAYLOAD_WORDS, 'the message is longer than a slot');
    if (!this.hasRoom()) {
      this.flush();
      return false;
    }
    const { words, at } = this;
    for (let i = 0; i < wordCount; i++) words.store(at + i, message[i]!);
    words.store(at + NOTE, note);
    const sequence = after(this.sequence);
    const control =
      (sequence << UmpControl.SequenceShift) |
      (wordCount << UmpControl.LengthShift) |
      UmpControl.Full;
    this.sequence = sequence;
    this.advance();
    if (this.stagedCount === 0 && (isLast || this.batch === 1)) this.publish(at, control);
    else this.stage(at, control, isLast);
    return true;
  }

  /** Let the receiver see everything that was sent. */
  flush(): void {
    if (this.stagedCount === 0) return;
    this.stagedCount = 0;
    this.publish(this.stagedAt, this.stagedControl);
  }

  /** Whether the next message would find a slot. */
  hasRoom(): boolean {
    if (distance(this.acked, this.sequence) < this.slotCount) return true;
    const acked = this.words.loadAcquire(this.base + ACKED);
    if (distance(acked, this.sequence) > this.slotCount) return false; // it makes no sense
    this.acked = acked;
    return distance(acked, this.sequence) < this.slotCount;
  }

  /** Nothing more will be sent. */
  close(): void {
    this.flush();
    this.words.storeRelease(this.base + CLOSED, 1);
    this.bell.ringIfAsleep();
  }

  /** From now on the receiver rings when there is room; look again whether there is. */
  lieDown(): void {
    this.flush();
    this.sleepWord.lieDown();
  }

  getUp(): void {
    this.sleepWord.getUp();
  }

  private advance(): void {
    this.slotIndex += 1;
    this.at += SLOT_WORDS;
    if (this.slotIndex < this.slotCount) return;
    this.slotIndex = 0;
    this.at = this.base + HEAD_WORDS;
  }

  private publish(at: number, control: number): void {
    this.words.storeRelease(at + CONTROL, control);
    this.bell.ringIfAsleep();
  }

  /**
   * Keep a message back. The receiver looks at one slot only, that of the first message kept back.
   * The control words behind it can be stored plainly: whoever finds the first one, which is stored
   * last, finds them too.
   */
  private stage(at: number, control: number, isLast: boolean): void {
    if (this.stagedCount === 0) {
      this.stagedAt = at;
      this.stagedControl = control;
    } else {
      this.words.store(at + CONTROL, control);
    }
    this.stagedCount += 1;
    if (isLast || this.stagedCount === this.batch) this.flush();
  }
}

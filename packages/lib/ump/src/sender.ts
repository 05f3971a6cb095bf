/**
 * The sending end of a ring. It writes slots and its own words of the head. It believes the
 * receiver's acknowledgements only as far as they make sense: others change nothing, so the worst
 * that a receiver can do is not to receive.
 *
 * Hot code: no allocation, and one ordered store a message, or one a batch. Constants in `trySend`
 * are literals, as V8 loads imported ones anew in each call: that was a third of a message's time.
 */

import { assert } from '@barreleye/core';
import { Bell, SleepWord } from './bell.ts';
import {
  ACKED,
  CLOSED,
  CONTROL,
  checkOptions,
  controlOf,
  distance,
  HEAD_WORDS,
  publishedAtOnce,
  RECEIVER_SLEEP,
  type RingOptions,
  type RingPosition,
  SENDER_SLEEP,
  SLOT_WORDS,
  START,
  sequenceOf,
} from './ring.ts';
import type { Words } from './words.ts';

export class UmpSender {
  readonly slotCount: number;
  private readonly words: Words;
  private readonly base: number;
  private readonly batch: number;
  private readonly bell: Bell;
  private readonly sleepWord: SleepWord;
  /** The control word of the last message, published or not, but for its length. */
  private control: number;
  /** Slots that are known to be free. */
  private roomCount: number;
  /** Where the slot of the next message begins, the first slot, and the word behind the last. */
  private at: number;
  private readonly firstAt: number;
  private readonly endAt: number;
  /** Messages written but not published: the first one's control word is still to be stored. */
  private stagedCount: number;
  private stagedAt: number;
  private stagedControl: number;

  /** @param base word where the ring begins, a multiple of 16 */
  constructor(words: Words, base: number, options: RingOptions) {
    checkOptions(options);
    const { slotCount, mode = 'latency', ringDoorbell, position = START } = options;
    this.slotCount = slotCount;
    this.words = words;
    this.base = base;
    this.batch = mode === 'bulk' ? publishedAtOnce(slotCount) : 1;
    this.bell = new Bell(words, base + RECEIVER_SLEEP, ringDoorbell);
    this.sleepWord = new SleepWord(words, base + SENDER_SLEEP, position.sleep);
    this.control = controlOf(position.sequence);
    this.roomCount = 0;
    this.firstAt = base + HEAD_WORDS;
    this.endAt = this.firstAt + slotCount * SLOT_WORDS;
    this.at = this.firstAt + position.slotIndex * SLOT_WORDS;
    this.stagedCount = 0;
    this.stagedAt = 0;
    this.stagedControl = 0;
  }

  /** Where another end can go on, once everything is flushed. */
  get position(): RingPosition {
    const slotIndex = (this.at - this.firstAt) / SLOT_WORDS;
    return { sequence: sequenceOf(this.control), slotIndex, sleep: this.sleepWord.value };
  }

  /**
   * Send the first `wordCount` words of `message`. False: the ring is full.
   * @param wordCount at most 14
   * @param isLast no further message follows at once: in bulk mode too, the receiver sees it now
   * @param note for the library at the other side
   */
  trySend(message: Uint32Array, wordCount: number, isLast = true, note = 0): boolean {
    assert(wordCount <= 14 /* UMP_PAYLOAD_WORDS */, 'the message is longer than a slot');
    if (!this.hasRoom()) {
      this.flush();
      return false;
    }
    const { words, at } = this;
    words.storeMany(at, message, wordCount);
    words.store(at + 14, note); // NOTE
    const bare = (this.control + 32) | 0; // SEQUENCE_STEP
    const control = bare | (wordCount << 1); // LengthShift
    const isPublished = this.stagedCount === 0 && (isLast || this.batch === 1);
    if (isPublished) words.storeRelease(at + 15, control); // CONTROL
    // The message is on its way: the rest takes none of its time.
    const next = at + 16; // SLOT_WORDS
    this.at = next === this.endAt ? this.firstAt : next;
    this.control = bare;
    this.roomCount -= 1;
    if (isPublished) this.bell.ringIfAsleep();
    else this.stage(at, control, isLast);
    return true;
  }

  /** Let the receiver see everything that was sent. */
  flush(): void {
    if (this.stagedCount === 0) return;
    this.stagedCount = 0;
    this.words.storeRelease(this.stagedAt + CONTROL, this.stagedControl);
    this.bell.ringIfAsleep();
  }

  /** Whether the next message would find a slot. */
  hasRoom(): boolean {
    if (this.roomCount > 0) return true;
    const acked = this.words.loadAcquire(this.base + ACKED);
    const leftCount = this.slotCount - distance(acked, sequenceOf(this.control));
    if (leftCount > 0) this.roomCount = leftCount; // less than none makes no sense
    return leftCount > 0;
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

/**
 * When to ring. A side that is about to sleep makes its sleep word odd and then looks once more
 * whether there is something to do; when it is awake it makes the word even. The other side writes
 * what there is to do and then reads the word. Whichever of the two comes second sees the other,
 * so no wake-up is lost, and while nobody sleeps the word stays in both caches.
 */

import type { RingDoorbell } from './ring.ts';
import type { Words } from './words.ts';

/** One's own sleep word. */
export class SleepWord {
  private readonly words: Words;
  private readonly index: number;
  value: number;

  /** @param value what the word is at present */
  constructor(words: Words, index: number, value: number) {
    this.words = words;
    this.index = index;
    this.value = value;
  }

  /** From now on the other side rings. What it did before, it did without ringing: look again. */
  lieDown(): void {
    if ((this.value & 1) === 0) this.step();
  }

  /** It need not ring any more. */
  getUp(): void {
    if ((this.value & 1) !== 0) this.step();
  }

  private step(): void {
    this.value = (this.value + 1) | 0;
    this.words.storeRelease(this.index, this.value);
  }
}

/** The other side's sleep word, and its bell. */
export class Bell {
  private readonly words: Words;
  private readonly index: number;
  private readonly ringDoorbell: RingDoorbell | undefined;
  /** The sleep that it was rung for. A bell rings on until it is heard: once is enough. */
  private rungFor: number;

  constructor(words: Words, index: number, ringDoorbell: RingDoorbell | undefined) {
    this.words = words;
    this.index = index;
    this.ringDoorbell = ringDoorbell;
    this.rungFor = 0;
  }

  /** There is something for the other side: ring if it sleeps. */
  ringIfAsleep(): void {
    if (this.ringDoorbell === undefined) return; // an ordered load takes 10 ns
    const sleep = this.words.loadAcquire(this.index);
    if ((sleep & 1) !== 0) this.ring(sleep, this.ringDoorbell);
  }

  private ring(sleep: number, ringDoorbell: RingDoorbell): void {
    if (sleep === this.rungFor) return;
    this.rungFor = sleep;
    ringDoorbell();
  }
}

/**
 * A doorbell for two workers: a word of shared memory that one side sleeps on. And how to wait with
 * it: poll for a while, because a message between two running workers takes a fraction of a
 * microsecond and waking one takes fifty; then sleep, because where there are more workers than
 * processors the other side may need this one to run.
 */

import type { UmpEnd } from './end.ts';
import { NOTHING } from './receiver.ts';

const SILENT = 0;
const RUNG = 1;

/** Looks before a worker sleeps, at 12 ns: as long as it takes to be woken. */
export const POLL_BUDGET = 2000;

/** What `receive` returns when the other end has closed and everything has been received. */
export const ENDED = -2;

export class Doorbell {
  private readonly cells: Int32Array;
  private readonly index: number;

  /** @param cells over a SharedArrayBuffer; its word `index` is the bell, and begins as zero */
  constructor(cells: Int32Array, index: number) {
    this.cells = cells;
    this.index = index;
  }

  /** For the other side: wake whoever sleeps. It is heard even by who goes to sleep only now. */
  ring(): void {
    Atomics.store(this.cells, this.index, RUNG);
    Atomics.notify(this.cells, this.index);
  }

  /**
   * Sleep until it rings, and no longer than `timeoutMs`. Who returns looks whether there is
   * something to do. The main thread of a browser page may not sleep: it has to poll.
   */
  sleep(timeoutMs = Number.POSITIVE_INFINITY): void {
    Atomics.wait(this.cells, this.index, SILENT, timeoutMs);
    Atomics.store(this.cells, this.index, SILENT);
  }
}

/**
 * Wait for the next message and take it.
 * @param into room for 14 words
 * @returns its number of words, or `ENDED`
 */
export function receive(
  end: UmpEnd,
  into: Uint32Array,
  doorbell: Doorbell,
  pollBudget = POLL_BUDGET,
): number {
  const { receiver } = end;
  for (;;) {
    for (let left = pollBudget; left >= 0; left--) {
      const wordCount = receiver.tryReceive(into);
      if (wordCount !== NOTHING) return wordCount;
    }
    if (end.isPeerClosed()) return receiver.hasMessage() ? receiver.tryReceive(into) : ENDED;
    if (end.lieDown(true, false)) doorbell.sleep();
    end.getUp();
  }
}

/** Wait for room and send. False: the other end has closed. */
export function send(
  end: UmpEnd,
  message: Uint32Array,
  wordCount: number,
  doorbell: Doorbell,
  pollBudget = POLL_BUDGET,
): boolean {
  const { sender } = end;
  for (;;) {
    for (let left = pollBudget; left >= 0; left--) {
      if (sender.trySend(message, wordCount)) return true;
    }
    if (end.isPeerClosed()) return false;
    if (end.lieDown(false, true)) doorbell.sleep();
    end.getUp();
  }
}

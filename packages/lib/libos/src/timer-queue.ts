/**
 * What a domain has to do at which time: a binary heap by deadline, and among equal deadlines by
 * the order in which they were set. Setting and cancelling take logarithmic time.
 */

import { assert } from '@barreleye/core';

/** Something to be done once at a time. It can be set again, also when it expires. */
export class Timer {
  /** When it expires, cycles. */
  deadline: number;
  /** Called when it expires; it is no longer set then. */
  readonly expire: () => void;
  /** For the queue: which of equal deadlines comes first, and the place in the heap. */
  order: number;
  place: number;

  constructor(expire: () => void) {
    this.deadline = Number.POSITIVE_INFINITY;
    this.expire = expire;
    this.order = 0;
    this.place = -1;
  }

  get isSet(): boolean {
    return this.place >= 0;
  }
}

export class TimerQueue {
  private readonly heap: Timer[];
  private nextOrder: number;

  constructor() {
    this.heap = [];
    this.nextOrder = 0;
  }

  /** Timers that are set. */
  get length(): number {
    return this.heap.length;
  }

  /** The earliest deadline, cycles; infinite when no timer is set. */
  get deadline(): number {
    return this.heap[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Have `timer`, which is not set, expire at `deadline`, cycles. */
  set(timer: Timer, deadline: number): void {
    assert(!timer.isSet, 'the timer is set already');
    timer.deadline = deadline;
    timer.order = this.nextOrder;
    this.nextOrder += 1;
    this.heap.push(timer);
    this.rise(timer, this.heap.length - 1);
  }

  /** @returns whether it was set; false also when it has expired */
  cancel(timer: Timer): boolean {
    const { place } = timer;
    if (place < 0) return false;
    assert(this.heap[place] === timer, 'the timer is in another queue');
    timer.place = -1;
    const last = this.heap.pop();
    if (last !== undefined && last !== timer) {
      this.rise(last, place);
      this.sink(last, last.place);
    }
    return true;
  }

  /** Let all timers expire whose deadline is `now` or earlier, the earliest first. */
  expireUntil(now: number): void {
    for (;;) {
      const [timer] = this.heap;
      if (timer === undefined || timer.deadline > now) return;
      this.cancel(timer);
      timer.expire();
    }
  }

  /** Put `timer` at `place` or above. */
  private rise(timer: Timer, place: number): void {
    let at = place;
    while (at > 0) {
      const parentPlace = (at - 1) >> 1;
      const parent = this.heap[parentPlace];
      if (parent === undefined || !isBefore(timer, parent)) break;
      this.put(parent, at);
      at = parentPlace;
    }
    this.put(timer, at);
  }

  /** Put `timer` at `place` or below. */
  private sink(timer: Timer, place: number): void {
    let at = place;
    for (;;) {
      const left = this.heap[2 * at + 1];
      if (left === undefined) break;
      const right = this.heap[2 * at + 2];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, timer)) break;
      const childPlace = child.place;
      this.put(child, at);
      at = childPlace;
    }
    this.put(timer, at);
  }

  private put(timer: Timer, place: number): void {
    this.heap[place] = timer;
    timer.place = place;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}

/**
 * First in, first out, of things that carry their own links: nothing is allocated, and whatever is
 * in a queue leaves it in constant time. Each thing is in one queue at most.
 */

import { assert } from '@barreleye/core';

/** What can be in a queue; it begins with all three undefined and leaves them to the queue. */
export interface Queued<T extends Queued<T>> {
  next: T | undefined;
  previous: T | undefined;
  queue: Queue<T> | undefined;
}

export class Queue<T extends Queued<T>> {
  /** Things in the queue. */
  length: number;
  private first: T | undefined;
  private last: T | undefined;

  constructor() {
    this.length = 0;
    this.first = undefined;
    this.last = undefined;
  }

  /** Put `item`, which is in no queue, at the end. */
  push(item: T): void {
    assert(item.queue === undefined, 'it is in a queue already');
    const { last } = this;
    item.queue = this;
    item.previous = last;
    if (last === undefined) this.first = item;
    else last.next = item;
    this.last = item;
    this.length += 1;
  }

  /** Take the one that has been here longest. */
  shift(): T | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Take `item`, which is in this queue, out of it. */
  remove(item: T): void {
    assert(item.queue === this, 'it is in another queue or in none');
    const { next, previous } = item;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    item.next = undefined;
    item.previous = undefined;
    item.queue = undefined;
    this.length -= 1;
  }

  /** From the first to the last; the one at hand may be removed. */
  *[Symbol.iterator](): Generator<T, void, void> {
    let item = this.first;
    while (item !== undefined) {
      const { next } = item;
      yield item;
      item = next;
    }
  }
}

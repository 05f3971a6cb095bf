/** Barriers: a number of threads wait for each other. They can be used again at once. */

import { assert } from '@barreleye/core';
import type { Os, Wait } from './os.ts';
import { Queue } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';

export class Barrier implements WaitTarget {
  readonly label: string;
  readonly isInner: true;
  readonly holder: undefined;
  private readonly os: Os;
  private readonly count: number;
  private readonly waiters: Queue<Thread>;

  /** @param count threads that meet, at least one */
  constructor(os: Os, name: string, count: number) {
    assert(count >= 1, 'at least one thread meets at a barrier');
    this.os = os;
    this.label = `barrier ${name}`;
    this.isInner = true;
    this.holder = undefined;
    this.count = count;
    this.waiters = new Queue();
  }

  /** Wait until `count` threads have come. @returns whether this one was the last of them */
  *arrive(): Wait<boolean> {
    const { scheduler } = this.os;
    if (this.waiters.length + 1 === this.count) {
      scheduler.wakeAll(this.waiters);
      return true;
    }
    scheduler.block(this, this.waiters);
    yield;
    return false;
  }
}

/** Counting semaphores. Whoever has waited longest gets what is posted. */

import { assert } from '@barreleye/core';
import type { Os, Wait } from './os.ts';
import { Queue } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';

export class Semaphore implements WaitTarget {
  readonly label: string;
  readonly isInner: true;
  readonly holder: undefined;
  private readonly os: Os;
  private units: number;
  private readonly waiters: Queue<Thread>;

  /** @param count units that are there at first, not negative */
  constructor(os: Os, name: string, count: number) {
    assert(count >= 0, 'a semaphore counts from zero');
    this.os = os;
    this.label = `semaphore ${name}`;
    this.isInner = true;
    this.holder = undefined;
    this.units = count;
    this.waiters = new Queue();
  }

  /** Units that are there to be taken; none while anybody waits. */
  get count(): number {
    return this.units;
  }

  /** Take a unit if there is one. */
  tryTake(): boolean {
    if (this.units === 0) return false;
    this.units -= 1;
    return true;
  }

  /** Take a unit, or wait for one. */
  *take(): Wait<void> {
    if (this.tryTake()) return;
    this.os.scheduler.block(this, this.waiters);
    yield;
  }

  /** Put a unit there. */
  post(): void {
    if (this.os.scheduler.wakeFirst(this.waiters) === undefined) this.units += 1;
  }
}

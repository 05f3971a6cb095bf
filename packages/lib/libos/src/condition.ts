/**
 * Condition variables: wait, outside of a mutex, until another thread says that something has
 * changed. The mutex is had again afterwards, but others may have had it in between: look again.
 */

import type { Mutex } from './mutex.ts';
import type { Os, Wait } from './os.ts';
import { Queue } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';

export class Condition implements WaitTarget {
  readonly label: string;
  readonly isInner: true;
  readonly holder: undefined;
  private readonly os: Os;
  private readonly waiters: Queue<Thread>;

  constructor(os: Os, name: string) {
    this.os = os;
    this.label = `condition ${name}`;
    this.isInner = true;
    this.holder = undefined;
    this.waiters = new Queue();
  }

  /**
   * Unlock `mutex`, wait for a signal, and lock it again. No signal is lost in between. Throws
   * LIB_ERR_MUTEX_NOT_OWNER, and does not wait then.
   */
  *wait(mutex: Mutex): Wait<void> {
    mutex.unlock();
    this.os.scheduler.block(this, this.waiters);
    yield;
    yield* mutex.lock();
  }

  /** Wake the thread that has waited longest. */
  signal(): void {
    this.os.scheduler.wakeFirst(this.waiters);
  }

  /** Wake all that wait. */
  broadcast(): void {
    this.os.scheduler.wakeAll(this.waiters);
  }
}

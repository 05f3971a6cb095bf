/** Mutual exclusion between the threads of a domain. Whoever has waited longest is next. */

import { Err } from '@barreleye/spec';
import type { Os, Wait } from './os.ts';
import { OsError } from './os-error.ts';
import { Queue } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';

export class Mutex implements WaitTarget {
  readonly label: string;
  readonly isInner: true;
  private readonly os: Os;
  private owner: Thread | undefined;
  private readonly waiters: Queue<Thread>;

  constructor(os: Os, name: string) {
    this.os = os;
    this.label = `mutex ${name}`;
    this.isInner = true;
    this.owner = undefined;
    this.waiters = new Queue();
  }

  /** The thread that has it. */
  get holder(): Thread | undefined {
    return this.owner;
  }

  /** Take it if nobody has it. */
  tryLock(): boolean {
    if (this.owner !== undefined) return false;
    this.owner = this.os.currentThread;
    return true;
  }

  /** Take it, or wait for it. Throws LIB_ERR_DEADLOCK to the thread that has it. */
  *lock(): Wait<void> {
    if (this.tryLock()) return;
    if (this.owner === this.os.currentThread) throw new OsError(Err.LIB_ERR_DEADLOCK);
    this.os.scheduler.block(this, this.waiters);
    yield;
  }

  /** Pass it on. Throws LIB_ERR_MUTEX_NOT_OWNER to all but the thread that has it. */
  unlock(): void {
    if (this.owner !== this.os.currentThread) throw new OsError(Err.LIB_ERR_MUTEX_NOT_OWNER);
    this.owner = this.os.scheduler.wakeFirst(this.waiters);
  }
}

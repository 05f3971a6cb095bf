/**
 * Threads as a binding sees them. The dispatcher of `@barreleye/libos` fits, and so does any other
 * scheduler of generators.
 */

import type { Wait } from '@barreleye/libos';
import type { Waiter } from './transport.ts';

export interface Threads {
  /** Mark the running thread blocked; it yields next. @returns what `wake` wants of it */
  block(reason: string): object;
  /** Make a blocked thread ready. */
  wake(thread: object): void;
  /** Start a thread. */
  createThread(name: string, body: Wait<unknown>): object;
}

/** Where one thread waits for one kind of event; the event may come when nobody waits. */
export class Parking implements Waiter {
  private readonly threads: Threads;
  private thread: object | undefined;

  constructor(threads: Threads) {
    this.threads = threads;
    this.thread = undefined;
  }

  /** Block the running thread until `ready`; it yields next, and then looks again. */
  park(reason: string): void {
    this.thread = this.threads.block(reason);
  }

  ready(): void {
    const { thread } = this;
    this.thread = undefined;
    if (thread !== undefined) this.threads.wake(thread);
  }
}

/**
 * User-level threads. A thread is a generator: `yield` is the only way to give up the core, and
 * only the dispatcher resumes it. What the thread waits for is in its state, not in the yield.
 */

import type { Errval } from '@barreleye/core';
import type { PageFault } from './os-error.ts';

/** What a thread runs; the return value is what `join` gets. */
export type ThreadBody<T = unknown> = Generator<void, T, void>;

/**
 * Serves a page fault in the thread that caused it: OK to try the access again, else why not. It
 * may wait like any code of a thread; a fault of its own is not served.
 */
export type PageFaultHandler = (fault: PageFault) => ThreadBody<Errval>;

/** A page fault that is being served. */
export interface Handling {
  readonly fault: PageFault;
  readonly body: ThreadBody<Errval>;
}

/** What a thread is doing. */
export type ThreadState =
  | 'ready' //   in the run queue
  | 'running' // the current thread; if the core was taken away it still is
  | 'blocked' // in some queue; `wake` makes it ready
  | 'done';

export class Thread {
  readonly id: number;
  readonly name: string;
  readonly body: ThreadBody;
  state: ThreadState;
  /** Thrown into the thread when it runs next: how a fault reaches it. */
  pendingError: Error | undefined;
  /** Runs before the body goes on. */
  handling: Handling | undefined;
  /** Why it is blocked, for people. */
  waitReason: string;
  /** Wake-up time of a sleeping thread, cycles. */
  deadline: number;
  /** Result of a finished thread, or what it died of. */
  result: unknown;
  error: unknown;
  /** Threads in `join`. */
  readonly joiners: Thread[];

  constructor(id: number, name: string, body: ThreadBody) {
    this.id = id;
    this.name = name;
    this.body = body;
    this.state = 'ready';
    this.pendingError = undefined;
    this.handling = undefined;
    this.waitReason = '';
    this.deadline = Number.POSITIVE_INFINITY;
    this.result = undefined;
    this.error = undefined;
    this.joiners = [];
  }
}

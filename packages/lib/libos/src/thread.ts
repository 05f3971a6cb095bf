/**
 * User-level threads. A thread is a generator: `yield` is the only way to give up the core, and
 * only the dispatcher resumes it. What the thread waits for is in its state, not in the yield; a
 * `yield` of a thread that waits for nothing lets the others run.
 */

import type { Errval } from '@barreleye/core';
import type { PageFault } from './os-error.ts';
import type { Queue, Queued } from './queue.ts';
import type { Timer } from './timer-queue.ts';

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

/** Something that threads wait for. */
export interface WaitTarget {
  /** What it is, for people: `mutex table`. */
  readonly label: string;
  /** The thread that can end the wait, where it is one that is known. */
  readonly holder: Thread | undefined;
  /** Nothing but another thread of the domain can end the wait. No, if left out. */
  readonly isInner?: boolean;
}

/** How a thread ended. */
export type Outcome =
  | { readonly kind: 'ended'; readonly value: unknown }
  | { readonly kind: 'died'; readonly error: unknown };

export class Thread implements Queued<Thread>, WaitTarget {
  readonly id: number;
  readonly name: string;
  readonly body: ThreadBody;
  state: ThreadState;
  /** Thrown into the thread when it runs next: how a fault reaches it. */
  pendingError: Error | undefined;
  /** Runs before the body goes on. */
  handling: Handling | undefined;
  /** What a blocked thread waits for. */
  waitsFor: WaitTarget | undefined;
  /** Ends its sleep; made when it sleeps for the first time. */
  sleepTimer: Timer | undefined;
  /** The thread ends with this value as soon as it runs again. */
  exitWith: { readonly value: unknown } | undefined;
  /** Nobody will ask how it ended. */
  isDetached: boolean;
  /** Serves the others: the domain is done when only such threads are left. */
  readonly isDaemon: boolean;
  readonly isInner: true;
  /** How a finished thread ended. */
  outcome: Outcome | undefined;
  /** Threads in `join`; made when there is one. */
  joiners: Queue<Thread> | undefined;
  next: Thread | undefined;
  previous: Thread | undefined;
  queue: Queue<Thread> | undefined;

  constructor(id: number, name: string, body: ThreadBody, isDaemon: boolean) {
    this.id = id;
    this.name = name;
    this.body = body;
    this.state = 'ready';
    this.pendingError = undefined;
    this.handling = undefined;
    this.waitsFor = undefined;
    this.sleepTimer = undefined;
    this.exitWith = undefined;
    this.isDetached = false;
    this.isDaemon = isDaemon;
    this.isInner = true;
    this.outcome = undefined;
    this.joiners = undefined;
    this.next = undefined;
    this.previous = undefined;
    this.queue = undefined;
  }

  /** As what others wait for: its end. */
  get label(): string {
    return `the end of thread ${this.name}`;
  }

  get holder(): Thread {
    return this;
  }

  /** Why it is blocked, for people; empty when it is not. */
  get waitReason(): string {
    return this.waitsFor === undefined ? '' : `waits for ${this.waitsFor.label}`;
  }
}

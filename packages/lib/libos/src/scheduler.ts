/**
 * The threads of a dispatcher: which are ready, who runs, who sleeps until when. Round robin.
 *
 * Threads change places only at a `yield`, so plain code needs no locks for any of this.
 */

import { assert } from '@barreleye/core';
import { Err, type UserCpu } from '@barreleye/spec';
import { OsError } from './os-error.ts';
import { Queue } from './queue.ts';
import { type Outcome, Thread, type ThreadBody, type WaitTarget } from './thread.ts';
import { Timer, TimerQueue } from './timer-queue.ts';

const CLOCK: WaitTarget = { label: 'the clock', holder: undefined };
const OTHERS: WaitTarget = { label: 'the end of all others', holder: undefined, isInner: true };

/** What may be said of a new thread. */
export interface ThreadOptions {
  /** See `Thread.isDaemon`. If left out, as the thread that makes it. */
  readonly isDaemon?: boolean;
}

/** Where the time comes from, cycles. */
type Clock = Pick<UserCpu, 'now'>;

export class Scheduler {
  /** All threads that are not done, by number. */
  readonly threads: Map<number, Thread>;
  /** Everything that waits for a time. */
  readonly timers: TimerQueue;
  /** The thread that has the core, or had it last and will go on with it. */
  current: Thread | undefined;
  private readonly clock: Clock;
  private readonly ready: Queue<Thread>;
  private nextThreadId: number;
  /** Threads that are no daemons. */
  private workerCount: number;
  /** Waits for all other workers to end. */
  private lastWorker: Thread | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
    this.threads = new Map();
    this.timers = new TimerQueue();
    this.current = undefined;
    this.ready = new Queue();
    this.nextThreadId = 1;
    this.workerCount = 0;
    this.lastWorker = undefined;
  }

  /** Whether there is a thread that is no daemon. */
  get hasWorkers(): boolean {
    return this.workerCount > 0;
  }

  /** Whether all threads but daemons wait for each other, and no time is waited for. */
  get isStuck(): boolean {
    for (const { isDaemon, waitsFor } of this.threads.values()) {
      if (!isDaemon && waitsFor?.isInner !== true) return false;
    }
    return this.timers.length === 0;
  }

  /** The thread whose code is running. */
  get running(): Thread {
    assert(this.current !== undefined, 'no thread is running');
    return this.current;
  }

  /** Make a thread; it runs when its turn comes. */
  create(name: string, body: ThreadBody, options: ThreadOptions = {}): Thread {
    const isDaemon = options.isDaemon ?? this.current?.isDaemon ?? false;
    const thread = new Thread(this.nextThreadId, name, body, isDaemon);
    this.nextThreadId += 1;
    if (!isDaemon) this.workerCount += 1;
    this.threads.set(thread.id, thread);
    this.ready.push(thread);
    return thread;
  }

  /** The thread that runs next: the current one if it still has its turn. */
  choose(): Thread | undefined {
    this.current ??= this.ready.shift();
    return this.current;
  }

  /** Block the current thread; it must `yield` next. It waits in `queue`, if there is one. */
  block(target: WaitTarget, queue?: Queue<Thread>): void {
    const thread = this.running;
    thread.state = 'blocked';
    thread.waitsFor = target;
    queue?.push(thread);
  }

  /** Make a blocked thread, which is in no queue any more, ready. */
  wake(thread: Thread): void {
    assert(thread.state === 'blocked', 'only a blocked thread can be woken');
    thread.state = 'ready';
    thread.waitsFor = undefined;
    this.ready.push(thread);
  }

  /** Wake the thread that has been longest in `queue`; undefined when nobody is. */
  wakeFirst(queue: Queue<Thread>): Thread | undefined {
    const thread = queue.shift();
    if (thread !== undefined) this.wake(thread);
    return thread;
  }

  /** Wake all threads in `queue`. */
  wakeAll(queue: Queue<Thread>): void {
    while (this.wakeFirst(queue) !== undefined);
  }

  /** Block the current thread until `deadline`, cycles; it must `yield` next. */
  sleepUntil(deadline: number): void {
    const thread = this.running;
    thread.sleepTimer ??= new Timer(() => this.wake(thread));
    this.timers.set(thread.sleepTimer, deadline);
    this.block(CLOCK);
  }

  /** Call `expire` once, when `cycles` cycles have passed. */
  setAlarm(cycles: number, expire: () => void): Timer {
    const timer = new Timer(expire);
    this.timers.set(timer, this.clock.now() + Math.max(cycles, 1));
    return timer;
  }

  /** Call it off; no matter if it has expired. */
  cancelAlarm(alarm: Timer): void {
    this.timers.cancel(alarm);
  }

  /** Make the current thread the last of the ready ones; it must `yield` next. */
  giveWay(): void {
    const thread = this.running;
    thread.state = 'ready';
    this.ready.push(thread);
  }

  /**
   * Block the current thread until `thread` is done; it must `yield` next. False: it is done, and
   * there is nothing to wait for. Throws LIB_ERR_THREAD_DETACHED, LIB_ERR_DEADLOCK.
   */
  joinBlocks(thread: Thread): boolean {
    if (thread.isDetached) throw new OsError(Err.LIB_ERR_THREAD_DETACHED);
    if (thread === this.current) throw new OsError(Err.LIB_ERR_DEADLOCK);
    if (thread.state === 'done') return false;
    thread.joiners ??= new Queue();
    this.block(thread, thread.joiners);
    return true;
  }

  /**
   * Block the current thread, a worker, until it is the only one; it must `yield` next. False: it
   * is so already. One thread at a time.
   */
  waitsForOthers(): boolean {
    assert(!this.running.isDaemon && this.lastWorker === undefined, 'one worker outlives the rest');
    if (this.workerCount === 1) return false;
    this.lastWorker = this.running;
    this.block(OTHERS);
    return true;
  }

  /**
   * Nobody may wait for `thread` any more. Throws LIB_ERR_THREAD_DETACHED, LIB_ERR_THREAD_JOINED.
   */
  detach(thread: Thread): void {
    if (thread.isDetached) throw new OsError(Err.LIB_ERR_THREAD_DETACHED);
    if (thread.joiners !== undefined && thread.joiners.length > 0) {
      throw new OsError(Err.LIB_ERR_THREAD_JOINED);
    }
    thread.isDetached = true;
    thread.outcome = undefined;
  }

  /** `thread` is done, whatever it was about to wait for. */
  finish(thread: Thread, outcome: Outcome): void {
    thread.queue?.remove(thread);
    if (thread.sleepTimer !== undefined) this.timers.cancel(thread.sleepTimer);
    thread.state = 'done';
    if (!thread.isDetached) thread.outcome = outcome;
    this.threads.delete(thread.id);
    if (!thread.isDaemon) this.workerEnded(thread);
    if (thread.joiners !== undefined) this.wakeAll(thread.joiners);
  }

  private workerEnded(thread: Thread): void {
    this.workerCount -= 1;
    const { lastWorker } = this;
    if (lastWorker === thread) this.lastWorker = undefined;
    if (lastWorker === undefined || lastWorker === thread || this.workerCount > 1) return;
    this.lastWorker = undefined;
    this.wake(lastWorker);
  }
}

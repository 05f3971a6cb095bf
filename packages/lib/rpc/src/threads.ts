/**
 * Threads as a binding sees them. The scheduler of `@barreleye/libos` fits, and so does any other
 * of generators.
 */

import type { Wait, Waiter } from '@barreleye/libos';

/** What a thread waits for. */
export interface WaitReason {
  /** For people: `a reply`. */
  readonly label: string;
  /** The thread that can end the wait, where it is one that is known. */
  readonly holder: object | undefined;
}

export interface Threads {
  /** The thread whose code is running. */
  readonly running: object;
  /** Mark it blocked; it yields next. */
  block(reason: WaitReason): void;
  /** Make a blocked thread ready. */
  wake(thread: object): void;
  /** Start a thread. A daemon does not keep its domain alive. */
  create(name: string, body: Wait<unknown>, options?: { readonly isDaemon?: boolean }): object;
  /** Call `expire` once, when `cycles` cycles have passed. @returns what `cancelAlarm` takes */
  setAlarm(cycles: number, expire: () => void): object;
  /** Call it off; no matter if it has expired. */
  cancelAlarm(alarm: object): void;
}

/** Where one thread waits for one kind of event; the event may come when nobody waits. */
export class Parking implements Waiter, WaitReason {
  readonly label: string;
  readonly holder: undefined;
  private readonly threads: Threads;
  private thread: object | undefined;

  constructor(threads: Threads, label: string) {
    this.label = label;
    this.holder = undefined;
    this.threads = threads;
    this.thread = undefined;
  }

  /** Block the running thread until `ready`; it yields next, and then looks again. */
  park(): void {
    this.thread = this.threads.running;
    this.threads.block(this);
  }

  ready(): void {
    const { thread } = this;
    this.thread = undefined;
    if (thread !== undefined) this.threads.wake(thread);
  }
}

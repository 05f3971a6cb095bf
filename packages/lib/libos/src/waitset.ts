/**
 * Waitsets: what threads wait at for any of many events, and handle them. A registration is good
 * for one event; who wants the next one registers again. Several threads may wait at one waitset:
 * each event goes to one of them, in the order in which events happened.
 *
 * A handler that waits does so in the thread that dispatches, and only that thread: it dispatches
 * nothing else meanwhile. What blocks for one event in particular (`EventSource.wait`, a mutex, a
 * sleep) never runs other handlers.
 */

import { Err } from '@barreleye/spec';
import type { Os, Wait } from './os.ts';
import { OsError } from './os-error.ts';
import { Queue, type Queued } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';

/** What is done about an event; returns what is still to be done, if that takes waiting. */
export type Handler = () => Wait<void> | undefined;

/** Something that can happen, and who is to hear of it: one handler at one waitset. */
export class Registration implements Queued<Registration> {
  next: Registration | undefined;
  previous: Registration | undefined;
  queue: Queue<Registration> | undefined;
  private waitset: Waitset | undefined;
  private handler: Handler | undefined;

  constructor() {
    this.next = undefined;
    this.previous = undefined;
    this.queue = undefined;
    this.waitset = undefined;
    this.handler = undefined;
  }

  /** Whether somebody is to hear of it. */
  get isSet(): boolean {
    return this.waitset !== undefined;
  }

  /** Whether it has happened and nobody has handled it yet. */
  get isPending(): boolean {
    return this.queue !== undefined;
  }

  /** Have `handler` run at `waitset` when it happens. Throws LIB_ERR_CHAN_ALREADY_REGISTERED. */
  set(waitset: Waitset, handler: Handler): void {
    if (this.isSet) throw new OsError(Err.LIB_ERR_CHAN_ALREADY_REGISTERED);
    this.waitset = waitset;
    this.handler = handler;
  }

  /** It has happened. Nothing happens twice before it is handled. */
  ready(): void {
    if (this.waitset !== undefined && !this.isPending) this.waitset.add(this);
  }

  /** Forget it, also when it has happened already. @returns false: its handler runs or has run */
  cancel(): boolean {
    if (!this.isSet) return false;
    this.take();
    return true;
  }

  /** End the registration. @returns the handler */
  take(): Handler | undefined {
    const { handler } = this;
    this.queue?.remove(this);
    this.waitset = undefined;
    this.handler = undefined;
    return handler;
  }
}

export class Waitset implements WaitTarget {
  readonly label: string;
  readonly holder: undefined;
  /** The domain whose threads wait here. */
  readonly os: Os;
  private readonly pending: Queue<Registration>;
  private readonly waiters: Queue<Thread>;

  constructor(os: Os, name: string) {
    this.label = `an event at ${name}`;
    this.holder = undefined;
    this.os = os;
    this.pending = new Queue();
    this.waiters = new Queue();
  }

  /** Events that have happened and wait to be handled. */
  get pendingCount(): number {
    return this.pending.length;
  }

  /** Wait for the next event and handle it. */
  *dispatch(): Wait<void> {
    let registration = this.pending.shift();
    while (registration === undefined) {
      this.os.scheduler.block(this, this.waiters);
      yield;
      registration = this.pending.shift();
    }
    const rest = registration.take()?.();
    if (rest !== undefined) yield* rest;
  }

  /**
   * Handle the next event if one has happened. What its handler has to wait for, it does in a
   * thread of its own. @returns whether there was an event
   */
  tryDispatch(): boolean {
    const registration = this.pending.shift();
    if (registration === undefined) return false;
    const rest = registration.take()?.();
    if (rest !== undefined) this.os.spawnThread(`handler at ${this.label}`, rest);
    return true;
  }

  /** An event that happens now. */
  post(handler: Handler): void {
    const registration = new Registration();
    registration.set(this, handler);
    registration.ready();
  }

  /** For registrations: one of them has happened. */
  add(registration: Registration): void {
    this.pending.push(registration);
    this.os.scheduler.wakeFirst(this.waiters);
  }
}

/**
 * Something that becomes ready from time to time: a message has come, sending is worth another try.
 * Threads block on it, and one waiter, for instance a handler at a waitset, is told of it. Both
 * look at once whether it is ready already, so nothing is missed. Whoever is told looks again:
 * somebody else may have been faster.
 */

import type { Events } from './events.ts';
import type { Wait } from './os.ts';
import { Queue, type Queued } from './queue.ts';
import type { Thread, WaitTarget } from './thread.ts';
import { type Handler, Registration, type Waitset } from './waitset.ts';

/** Is told, once, that what it waits for may have come. It only notes that, and never throws. */
export interface Waiter {
  ready(): void;
}

/** What an event source is and when it is looked at. */
export interface EventSourceOptions {
  /** What becomes ready, for people. */
  readonly label: string;
  /**
   * `message`: when the kernel has put words into endpoints. `poll`: whenever the dispatcher gets
   * the core; while anybody waits it stays runnable for that.
   */
  readonly watch: 'message' | 'poll';
  readonly isReady: () => boolean;
}

export class EventSource implements Queued<EventSource>, WaitTarget {
  readonly label: string;
  readonly holder: undefined;
  next: EventSource | undefined;
  previous: EventSource | undefined;
  queue: Queue<EventSource> | undefined;
  private readonly events: Events;
  private readonly watched: Queue<EventSource>;
  private readonly looks: () => boolean;
  private readonly threads: Queue<Thread>;
  private readonly registration: Registration;
  private waiter: Waiter | undefined;

  constructor(events: Events, { label, watch, isReady }: EventSourceOptions) {
    this.label = label;
    this.holder = undefined;
    this.next = undefined;
    this.previous = undefined;
    this.queue = undefined;
    this.events = events;
    this.watched = watch === 'poll' ? events.polled : events.messages;
    this.looks = isReady;
    this.threads = new Queue();
    this.registration = new Registration();
    this.waiter = undefined;
  }

  /** Wait until it is ready. No handler of anything else runs in this thread meanwhile. */
  *wait(): Wait<void> {
    while (!this.looks()) {
      this.events.scheduler.block(this, this.threads);
      this.watch();
      yield;
    }
  }

  /** Tell `waiter` when it is ready, at once if it is so already. It takes the place of another. */
  whenReady(waiter: Waiter): void {
    this.deregister();
    if (this.looks()) {
      waiter.ready();
      return;
    }
    this.waiter = waiter;
    this.watch();
  }

  /**
   * Have `handler` run once at `waitset` when it is ready. Throws LIB_ERR_CHAN_ALREADY_REGISTERED
   * while another handler is.
   */
  register(waitset: Waitset, handler: Handler): void {
    const { registration } = this;
    registration.set(waitset, handler);
    if (this.looks()) {
      registration.ready();
      return;
    }
    this.waiter = registration;
    this.watch();
  }

  /**
   * Forget handler and waiter, also when it is ready.
   * @returns false: there was none, or it runs already
   */
  deregister(): boolean {
    const wasRegistered = this.registration.cancel();
    const wasWaiting = this.waiter !== undefined;
    this.waiter = undefined;
    if (this.threads.length === 0) this.queue?.remove(this);
    return wasRegistered || wasWaiting;
  }

  /** For those who watch: tell everybody if it is ready. @returns whether it is */
  check(): boolean {
    if (!this.looks()) return false;
    this.events.scheduler.wakeAll(this.threads);
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.ready();
    return true;
  }

  private watch(): void {
    if (this.queue === undefined) this.watched.push(this);
  }
}

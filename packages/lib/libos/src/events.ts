/**
 * What reaches a dispatcher from outside: times, messages, things to be polled. Looked at whenever
 * the kernel enters the dispatcher at Run.
 */

import type { EventSource } from './event-source.ts';
import { Queue } from './queue.ts';
import type { Scheduler } from './scheduler.ts';

export class Events {
  readonly scheduler: Scheduler;
  /** Sources that somebody waits for: those that messages make ready, and those to be polled. */
  readonly messages: Queue<EventSource>;
  readonly polled: Queue<EventSource>;
  /** Times that the dispatcher has been entered at Run. */
  entryCount: number;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
    this.messages = new Queue();
    this.polled = new Queue();
    this.entryCount = 0;
  }

  /** Whether the dispatcher has to stay runnable, because nobody will tell it. */
  get isPolling(): boolean {
    return this.polled.length > 0;
  }

  /** Whether the world outside may still wake a thread: somebody waits for a time or a source. */
  get canCome(): boolean {
    const { scheduler, messages, polled } = this;
    return scheduler.timers.length > 0 || messages.length > 0 || polled.length > 0;
  }

  /** The kernel has entered the dispatcher at `now`, cycles; whether with messages. */
  deliver(now: number, hasMessages: boolean): void {
    this.entryCount += 1;
    this.scheduler.timers.expireUntil(now);
    if (hasMessages) checkAll(this.messages);
    checkAll(this.polled);
  }
}

/** Tell those who wait for what is ready, and keep the others. */
function checkAll(sources: Queue<EventSource>): void {
  for (let left = sources.length; left > 0; left--) {
    const source = sources.shift();
    if (source === undefined) return; // whoever was told has cancelled others
    if (!source.check()) sources.push(source);
  }
}

/** Events of the clock at a waitset: once after some time, or again and again. */

import { Timer } from './timer-queue.ts';
import { type Handler, Registration, type Waitset } from './waitset.ts';

/** An event that happens once, `cycles` cycles from now or somewhat later. */
export function deferredEvent(waitset: Waitset, cycles: number, handler: Handler): TimedEvent {
  return new TimedEvent(waitset, cycles, false, handler);
}

/**
 * An event that happens every `cycles` cycles from now on. Times at which the last one has not been
 * handled yet are left out.
 */
export function periodicEvent(waitset: Waitset, cycles: number, handler: Handler): TimedEvent {
  return new TimedEvent(waitset, cycles, true, handler);
}

/** A time of less than one cycle counts as one. */
export class TimedEvent {
  private readonly waitset: Waitset;
  private readonly cycles: number;
  private readonly isPeriodic: boolean;
  private readonly handler: Handler;
  private readonly timer: Timer;
  private readonly registration: Registration;

  constructor(waitset: Waitset, cycles: number, isPeriodic: boolean, handler: Handler) {
    const { os } = waitset;
    this.waitset = waitset;
    this.cycles = Math.max(cycles, 1);
    this.isPeriodic = isPeriodic;
    this.handler = handler;
    this.timer = new Timer(() => this.expire());
    this.registration = new Registration();
    this.registration.set(waitset, handler);
    os.scheduler.timers.set(this.timer, os.now() + this.cycles);
  }

  /**
   * It does not happen any more, also if it has and is not handled yet.
   * @returns false: there was nothing to cancel; it was cancelled before, or its only time is over
   */
  cancel(): boolean {
    const wasSet = this.waitset.os.scheduler.timers.cancel(this.timer);
    return this.registration.cancel() || wasSet;
  }

  private expire(): void {
    if (this.isPeriodic) this.setAgain();
    this.registration.ready();
  }

  /** For the next time that lies ahead. */
  private setAgain(): void {
    const { waitset, cycles, timer, registration } = this;
    const passed = Math.floor((waitset.os.now() - timer.deadline) / cycles);
    waitset.os.scheduler.timers.set(timer, timer.deadline + (passed + 1) * cycles);
    if (!registration.isSet) registration.set(waitset, this.handler);
  }
}

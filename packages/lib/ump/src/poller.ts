/**
 * Looks after the transports of a domain, or of a worker, on which somebody waits: nobody else
 * will say when something has come. Only who waits costs anything, a load or two for each look.
 */

import { Queue, type Queued } from '@barreleye/libos';

/** A transport, as its poller sees it. */
export interface Polled extends Queued<Polled> {
  /** Its memory is there no more, and the core may be gone with it. */
  readonly isGone: boolean;
  /** Tell those whose wait is over. @returns whether somebody still waits */
  look(): boolean;
  /** Have the other side ring. @returns false: something has come */
  lieDown(): boolean;
  getUp(): void;
}

/** What differs where memory can be taken away, and the core with it. */
export interface PollerOptions {
  /** Do a step of a transport that nobody waits for, at once or later. At once, if left out. */
  readonly later?: (step: () => void) => void;
  /**
   * Called when somebody waits, after nobody did; and when somebody begins to wait while all are to
   * sleep, for what is there already.
   */
  readonly onWork?: () => void;
}

export class UmpPoller {
  readonly later: (step: () => void) => void;
  private readonly onWork: (() => void) | undefined;
  private readonly waiting: Queue<Polled>;
  /** Other sides ring: whoever waits from now on has that said, too. */
  private isLying: boolean;

  constructor({ later = (step) => step(), onWork }: PollerOptions = {}) {
    this.later = later;
    this.onWork = onWork;
    this.waiting = new Queue();
    this.isLying = false;
  }

  /** Whether there is anything to look at. */
  get isIdle(): boolean {
    return this.waiting.length === 0;
  }

  /** For transports: somebody waits from now on. */
  add(transport: Polled): void {
    const isNew = transport.queue === undefined;
    if (isNew) this.waiting.push(transport);
    // Another thread may wait on it already, but for something else.
    const isMissed = this.isLying && !transport.lieDown();
    if (isMissed || (isNew && this.waiting.length === 1)) this.onWork?.();
  }

  /**
   * Look once at everything that somebody waits for, and wake them.
   * @returns false: the memory of one was taken away, and the core with it; the thread must
   *   `yieldCore` before anything else, and then look again
   */
  poll(): boolean {
    const { waiting } = this;
    for (let left = waiting.length; left > 0; left--) {
      const transport = waiting.shift();
      if (transport === undefined) return true; // whoever was woken has closed others
      const wasGone = transport.isGone;
      if (transport.look()) this.add(transport);
      if (transport.isGone && !wasGone) return false;
    }
    return true;
  }

  /**
   * Before the worker sleeps on its doorbell: whether it may. `getUp` must follow in any case.
   * Where memory can be taken away, the core may be gone when this says no.
   */
  lieDown(): boolean {
    this.isLying = true;
    for (const transport of this.waiting) {
      const wasGone = transport.isGone;
      if (!transport.lieDown() || (transport.isGone && !wasGone)) return false;
    }
    return true;
  }

  /** @returns false: as `poll` does; the thread must `yieldCore` and then do this again */
  getUp(): boolean {
    this.isLying = false;
    for (const transport of this.waiting) {
      const wasGone = transport.isGone;
      transport.getUp();
      if (transport.isGone && !wasGone) return false;
    }
    return true;
  }
}

/**
 * What the person at the terminal waits for, and the Ctrl-C that ends the waiting. Whoever waits
 * here is woken by the change that it waits for or by Ctrl-C, whichever is first.
 */

import type { Wait } from '@barreleye/libos';
import { Bell, type Threads } from '@barreleye/rpc';

/** Ctrl-C has ended a command. */
export class InterruptError extends Error {
  override readonly name = 'InterruptError';
}

export class Foreground {
  private readonly bell: Bell;
  /** Whether there is anything for Ctrl-C to end. */
  private isBusy: boolean;
  private isInterrupted: boolean;

  constructor(threads: Threads) {
    this.bell = new Bell(threads, 'the end of a command');
    this.isBusy = false;
    this.isInterrupted = false;
  }

  /** A line begins to run; an interrupt from before was not meant for it. */
  begin(): void {
    this.isBusy = true;
    this.isInterrupted = false;
  }

  /** Nothing runs any more. */
  end(): void {
    this.isBusy = false;
    this.isInterrupted = false;
  }

  /** Ctrl-C was pressed. */
  interrupt(): void {
    if (!this.isBusy) return;
    this.isInterrupted = true;
    this.bell.ring();
  }

  /** What somebody may wait for has changed. */
  changed(): void {
    this.bell.ring();
  }

  /**
   * Wait until `isDone`.
   * @returns false: Ctrl-C was first; it counts as served
   */
  *until(isDone: () => boolean): Wait<boolean> {
    yield* this.bell.until(() => isDone() || this.isInterrupted);
    if (isDone()) return true;
    this.isInterrupted = false;
    return false;
  }

  /** A point at which a long command can be ended. Throws InterruptError. */
  checkpoint(): void {
    if (!this.isInterrupted) return;
    this.isInterrupted = false;
    throw new InterruptError('interrupted');
  }
}

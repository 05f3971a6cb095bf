/**
 * A call with a deadline. A thread of its own makes it, and the caller waits for that thread only
 * for so long. A call that was given up stays pending: its token names no other until the reply
 * has come, and was dropped, or the binding has ended.
 */

import { KernelPanic } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import type { PendingCall } from './pending-calls.ts';
import { RpcError } from './rpc-error.ts';
import { Parking, type Threads } from './threads.ts';

type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

export class Attempt {
  /** The caller waits no more. */
  isAbandoned: boolean;
  /** The thread that makes the call. */
  thread: object | undefined;
  /** Its place in the table, once it has one. */
  call: PendingCall | undefined;
  private readonly threads: Threads;
  private readonly end: Parking;
  private outcome: Outcome | undefined;

  constructor(threads: Threads) {
    this.isAbandoned = false;
    this.thread = undefined;
    this.call = undefined;
    this.threads = threads;
    this.end = new Parking(threads, 'a reply');
    this.outcome = undefined;
  }

  /**
   * Have `step` done; what it returns or throws.
   * @errors RPC_ERR_TIMEOUT it was not done within `cycles`; it goes on without the caller
   */
  *run<R>(step: Wait<R>, cycles: number): Wait<R> {
    const { threads, end } = this;
    this.thread = threads.create('a call', this.perform(step), { isDaemon: true });
    let isLate = false;
    const alarm = threads.setAlarm(cycles, () => {
      isLate = true;
      end.ready();
    });
    try {
      // A reply that is there is not given up, even if its thread has not had its turn yet.
      while (this.outcome === undefined && !(isLate && this.call?.isDone !== true)) {
        end.park();
        yield;
      }
    } finally {
      threads.cancelAlarm(alarm);
      this.isAbandoned = this.outcome === undefined;
    }
    if (this.outcome === undefined) throw new RpcError(Err.RPC_ERR_TIMEOUT);
    if (!this.outcome.ok) throw this.outcome.error;
    return this.outcome.value as R;
  }

  /** What the thread of the call does. */
  private *perform(step: Wait<unknown>): Wait<void> {
    try {
      this.outcome = { ok: true, value: yield* step };
    } catch (error) {
      if (error instanceof KernelPanic) throw error; // the library itself is broken
      this.outcome = { ok: false, error };
    }
    this.end.ready();
  }
}

/** What ends a whole domain, in words that make sense to somebody who did not write it. */

import { formatWaits, type WaitReport } from './wait-report.ts';

/** A thread died of an exception, and the program has not said what to do then. */
export class UncaughtError extends Error {
  override readonly name: string = 'UncaughtError';

  constructor(threadName: string, cause: unknown) {
    super(`thread ${threadName}: ${String(cause)}`, { cause });
  }
}

/** All threads wait, and nothing can wake them any more. */
export class DeadlockError extends Error {
  override readonly name: string = 'DeadlockError';
  readonly report: WaitReport;

  constructor(report: WaitReport) {
    super(formatWaits(report));
    this.report = report;
  }
}

/** The clock of the host, in cycles of a core. It is the same for all threads. */

export class HostClock {
  private readonly cyclesPerMs: number;
  private readonly epochMs: number;

  /** @param epochMs when the clock was 0: see `hostMs` */
  constructor(frequency: number, epochMs: number) {
    this.cyclesPerMs = frequency / 1000;
    this.epochMs = epochMs;
  }

  /** Cycles since the epoch, a whole number. */
  now(): number {
    return Math.floor((hostMs() - this.epochMs) * this.cyclesPerMs);
  }

  /** Milliseconds that `cycles` cycles take. */
  msOf(cycles: number): number {
    return cycles / this.cyclesPerMs;
  }
}

/** Milliseconds on the clock of the host. */
export function hostMs(): number {
  return performance.timeOrigin + performance.now(); // a thread's own clock begins with it
}

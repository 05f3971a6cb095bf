/**
 * Workers in a ring, each with a channel to the next; a token goes round. All but one of them wait
 * at any time: with more workers than processors, those that poll keep the one from running.
 */
import { Worker } from 'node:worker_threads';
import { type Doorbell, POLL_BUDGET, receive, send } from '@barreleye/ump';
import type { Gauge } from './bench.ts';
import { openNeighbours, type TokenJob, tokenRingBytes } from './token-neighbours.ts';

/** Times that the token goes round in one round of the bench. */
const LAPS = 40;

export class TokenRing {
  private readonly job: TokenJob;
  private readonly workers: readonly Worker[];

  /** This thread is one of the `count`. */
  constructor(count: number, pollBudget = POLL_BUDGET) {
    const buffer = new SharedArrayBuffer(tokenRingBytes(count));
    this.job = { buffer, place: 0, count, pollBudget };
    this.workers = Array.from({ length: count - 1 }, (_, i) => {
      const workerData: TokenJob = { ...this.job, place: i + 1 };
      return new Worker(new URL('./token-worker.ts', import.meta.url), { workerData });
    });
  }

  /** Nanoseconds for one hop. */
  gauge(): Gauge {
    const { count, pollBudget } = this.job;
    const { previous, next, doorbell } = openNeighbours(this.job);
    const token = new Uint32Array(14);
    const lap = (bell: Doorbell): void => {
      send(next, token, 1, bell, pollBudget);
      receive(previous, token, bell, pollBudget);
    };
    lap(doorbell); // until all are there
    const round = (): number => {
      const start = performance.now();
      for (let i = 0; i < LAPS; i++) lap(doorbell);
      return ((performance.now() - start) * 1e6) / (LAPS * count);
    };
    return { round };
  }

  stop(): void {
    for (const worker of this.workers) void worker.terminate();
  }
}

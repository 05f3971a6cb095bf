/** Two workers, one channel: everything arrives, whoever sleeps and however often. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type UmpMode, umpChannelBytes } from '../src/index.ts';
import type { RingJob } from './ring-worker.ts';

const WORKER = new URL('./ring-worker.ts', import.meta.url);

/** Run both sides to their end. @returns how often each has rung */
async function run(job: Omit<RingJob, 'buffer' | 'side' | 'seed'>): Promise<number[]> {
  const buffer = new SharedArrayBuffer(128 + umpChannelBytes(job.slotCount));
  const sides = (['client', 'server'] as const).map(async (side, seed) => {
    const worker = new Worker(WORKER, { workerData: { ...job, buffer, side, seed } });
    const [rungCount] = await once(worker, 'message');
    await worker.terminate();
    return rungCount as number;
  });
  return Promise.all(sides);
}

describe('messages between two workers arrive whole, once, in order', () => {
  it.each<[number, UmpMode, number, number]>([
    [1, 'latency', 0, 2000],
    [1, 'latency', 200, 2000],
    [29, 'latency', 0, 20_000],
    [29, 'latency', 200, 200_000],
    [16, 'bulk', 0, 20_000],
    [64, 'bulk', 200, 200_000],
  ])('%d slots, %s, %d looks before sleeping', { timeout: 120_000 }, async (...args) => {
    const [slotCount, mode, pollBudget, messageCount] = args;
    const rung = await run({ slotCount, mode, pollBudget, messageCount });
    expect(rung).toHaveLength(2);
    if (pollBudget === 0) expect(rung[0]).toBeGreaterThan(0);
  });
});

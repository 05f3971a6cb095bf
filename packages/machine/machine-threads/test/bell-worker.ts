/**
 * One of two threads that wake each other. Each sleeps without a timeout, or with one so short that
 * it often wakes by itself at the same moment: a wake-up that is lost ends the test.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '@barreleye/core';
import { LINE_WORDS, SharedCore } from '../src/shared-core.ts';

export interface BellJob {
  readonly buffer: SharedArrayBuffer;
  readonly side: 0 | 1;
  readonly roundCount: number;
  readonly seed: number;
}

const { buffer, side, roundCount, seed } = workerData as BellJob;
const coreAt = (index: number): SharedCore =>
  new SharedCore(new Int32Array(buffer, 4 * LINE_WORDS * index, LINE_WORDS));
const own = coreAt(side);
const other = coreAt(1 - side);
const prng = new Prng(seed);
let sleepCount = 0;

function awaitLine(line: number): void {
  const mask = 1 << (line & 31);
  const hasWork = (): boolean => own.hasPending();
  while ((Atomics.load(own.pending, line >>> 5) & mask) === 0) {
    sleepCount += 1;
    own.sleep(hasWork, prng.below(4) === 0 ? 0.001 : Number.POSITIVE_INFINITY);
  }
  Atomics.and(own.pending, line >>> 5, ~mask);
}

own.wake();
for (let round = 0; round < roundCount; round++) {
  const line = 32 + (round % 64); // two words of lines, one after the other
  if (side === 0) other.raise(line);
  awaitLine(line);
  for (let left = prng.below(300); left > 0; left--) prng.next32(); // who is first varies
  if (side === 1) other.raise(line);
}
own.halt();
parentPort?.postMessage(sleepCount);

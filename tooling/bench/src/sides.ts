/** Sides of a trial that measure themselves, as what they measure is not all that they do. */
import { getHeapStatistics } from 'node:v8';
import type { Gauge } from './bench.ts';
import { type Clock, ROUND_MS } from './measure.ts';

/** A call, and what has to be done before and after it, which is not measured. */
export interface Steps {
  readonly before?: () => void;
  readonly call: () => void;
  readonly after?: () => void;
}

const hostClock: Clock = () => performance.now();

/** The time that a call takes which does `operations` operations. */
export function timing({ before, call, after }: Steps, operations: number, now = hostClock): Gauge {
  const round = (): number => {
    let milliseconds = 0;
    let calls = 0;
    while (milliseconds < ROUND_MS) {
      before?.();
      const start = now();
      call();
      milliseconds += now() - start;
      after?.();
      calls += 1;
    }
    return (milliseconds * 1e6) / (calls * operations);
  };
  return { round };
}

/** A call that does `operations` operations, how often to call it in a round, and what before. */
export interface Repeated {
  readonly before?: () => void;
  readonly call: () => void;
  readonly operations: number;
  readonly times: number;
}

/**
 * Bytes that the JavaScript heap has handed out in a round, whether they are still in use or not.
 * It counts in pieces of 256 KiB, so a round should be a million operations.
 */
export function allocating({ before, call, operations, times }: Repeated): Gauge {
  const round = (): number => {
    before?.();
    const start = getHeapStatistics().total_allocated_bytes;
    for (let i = 0; i < times; i++) call();
    return (getHeapStatistics().total_allocated_bytes - start) / (times * operations);
  };
  return { round, warmUp: call };
}

/** Bytes of the JavaScript heap that are in use after a round and were not before. */
export function keeping({ before, call, operations, times }: Repeated): Gauge {
  const round = (): number => {
    before?.();
    const start = bytesInUse();
    for (let i = 0; i < times; i++) call();
    return (bytesInUse() - start) / (times * operations);
  };
  return { round, warmUp: call };
}

function bytesInUse(): number {
  const { gc } = globalThis;
  if (!gc) throw new Error('this bench needs the option --expose-gc');
  gc();
  return getHeapStatistics().used_heap_size;
}

/** Sides of a trial that measure themselves, as what they measure is not all that they do. */
import { getHeapStatistics } from 'node:v8';
import type { Gauge } from './bench.ts';
import { ROUND_MS } from './measure.ts';

/** A call, and what has to be done before and after it, which is not measured. */
export interface Steps {
  readonly before?: () => void;
  readonly call: () => void;
  readonly after?: () => void;
}

/** The time that a call takes which does `operations` operations. */
export function timing({ before, call, after }: Steps, operations: number): Gauge {
  const round = (): number => {
    let milliseconds = 0;
    let calls = 0;
    while (milliseconds < ROUND_MS) {
      before?.();
      const start = performance.now();
      call();
      milliseconds += performance.now() - start;
      after?.();
      calls += 1;
    }
    return (milliseconds * 1e6) / (calls * operations);
  };
  return { round };
}

/**
 * Bytes that the JavaScript heap handed out during a call, whether they are still in use or not. It
 * does so in pieces of up to 256 KiB, so a call should do a million operations.
 */
export function allocating(call: () => void, operations: number): Gauge {
  const round = (): number => {
    const before = getHeapStatistics().total_allocated_bytes;
    call();
    return (getHeapStatistics().total_allocated_bytes - before) / operations;
  };
  return { round };
}

/** Bytes of the JavaScript heap that are in use after a call and were not before. */
export function keeping({ before, call, after }: Steps, operations: number): Gauge {
  const round = (): number => {
    before?.();
    const start = bytesInUse();
    call();
    const bytes = bytesInUse() - start;
    after?.();
    return bytes / operations;
  };
  return { round };
}

function bytesInUse(): number {
  const { gc } = globalThis;
  if (!gc) throw new Error('this bench needs the option --expose-gc');
  gc();
  return getHeapStatistics().used_heap_size;
}

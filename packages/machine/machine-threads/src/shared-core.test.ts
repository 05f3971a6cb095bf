/** What threads know of each other's cores, and that none sleeps through what it should hear. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { BellJob } from '../test/bell-worker.ts';
import { CoreState, LINE_WORDS, SharedCore } from './shared-core.ts';

const LINE_BYTES = 4 * LINE_WORDS;

function create(): SharedCore {
  return new SharedCore(new Int32Array(new SharedArrayBuffer(LINE_BYTES)));
}

describe('a core', () => {
  it('begins off, and one of those who start it may', () => {
    const core = create();
    expect(core.state).toBe(CoreState.Off);
    expect([core.claim(), core.claim()]).toEqual([true, false]);
    expect(core.state).toBe(CoreState.Starting);
  });

  it('has all lines that were raised, whatever its state', () => {
    const core = create();
    for (const line of [1, 31, 32, 63, 64, 95]) core.raise(line);
    expect([...core.pending]).toEqual([-0x8000_0000 + 2, -0x8000_0000 + 1, -0x8000_0000 + 1]);
    expect([core.hasPending(), core.state]).toEqual([true, CoreState.Off]);
  });

  it('does not sleep when there is something to do', () => {
    const core = create();
    core.wake();
    core.raise(40);
    core.sleep(() => core.hasPending(), Number.POSITIVE_INFINITY);
    expect([core.state, core.wakeCount]).toEqual([CoreState.Awake, 2]);
  });

  it('sleeps no longer than it wants to, and is seen to sleep', () => {
    const core = create();
    const seen: number[] = [];
    const look = (): boolean => {
      seen.push(core.state);
      return false;
    };
    core.sleep(look, 1);
    core.sleep(() => look() || true, Number.POSITIVE_INFINITY);
    expect(seen).toEqual([CoreState.Dozing, CoreState.Asleep]);
  });

  it('is rung by who comes between its look and its sleep', () => {
    const core = create();
    const look = (): boolean => {
      core.ring();
      core.ring(); // others may, too
      return false;
    };
    core.sleep(look, Number.POSITIVE_INFINITY);
    expect(core.state).toBe(CoreState.Awake);
  });

  it('that is off for good stays so', () => {
    const core = create();
    core.halt();
    core.raise(40);
    expect([core.state, core.claim()]).toEqual([CoreState.Halted, false]);
  });

  it('that was switched off has heard of nothing, and can be started anew', () => {
    const core = create();
    expect(core.isOff).toBe(true);
    expect(core.claim()).toBe(true);
    core.wake();
    expect(core.isOff).toBe(false);
    core.raise(40);
    core.switchOff();
    expect([core.isOff, core.hasPending(), core.claim()]).toEqual([true, false, true]);
  });

  it('says what time it is there', () => {
    const core = create();
    core.cycles = 2 ** 52 + 1;
    expect(core.cycles).toBe(2 ** 52 + 1);
  });
});

it('two that wake each other never wait for ever (seeds 1 to 4)', {
  timeout: 120_000,
}, async () => {
  for (const seed of [1, 3]) {
    const buffer = new SharedArrayBuffer(2 * LINE_BYTES);
    const sides = ([0, 1] as const).map(async (side) => {
      const workerData: BellJob = { buffer, side, roundCount: 8000, seed: seed + side };
      const url = new URL('../test/bell-worker.ts', import.meta.url);
      const worker = new Worker(url, { workerData });
      const [sleepCount] = await once(worker, 'message');
      await worker.terminate();
      return sleepCount as number;
    });
    for (const sleepCount of await Promise.all(sides)) expect(sleepCount).toBeGreaterThan(0);
  }
});

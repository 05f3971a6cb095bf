/** Calls over channels: two loops of threads that have nothing but memory in common. */

import { Prng } from '@barreleye/core';
import { capref, type Wait } from '@barreleye/libos';
import {
  bindClient,
  bytes,
  call,
  cap,
  defineInterface,
  oneway,
  RpcError,
  serve,
  string,
} from '@barreleye/rpc';
import { Loop } from '@barreleye/rpc/testing';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  SharedWords,
  UmpEnd,
  type UmpMode,
  UmpPoller,
  UmpTransport,
  umpChannelBytes,
} from '../src/index.ts';

const Echo = defineInterface('echo', {
  echo: call({ text: string(4096) }, { text: string(4096) }),
  grant: call({ frame: cap('Frame') }, {}),
  push: oneway({ data: bytes(1000) }),
});

/** A core: threads of its own, which nobody but its poller wakes. */
class FakeCore {
  readonly loop: Loop;
  readonly poller = new UmpPoller();
  readonly transport: UmpTransport;
  /** Its bell has been rung. */
  isRung = false;
  isAsleep = false;

  constructor(prng: Prng, end: UmpEnd) {
    this.loop = new Loop(prng);
    this.transport = new UmpTransport(end, this.poller);
  }

  /** Run until all threads wait, then sleep if that is allowed. */
  run(): void {
    if (this.isAsleep && !this.isRung) return;
    if (this.isAsleep) this.poller.getUp();
    this.isAsleep = false;
    this.isRung = false;
    this.poller.poll();
    this.loop.run();
    this.isAsleep = this.poller.lieDown();
    if (!this.isAsleep) this.poller.getUp();
  }
}

function createCores(seed: number, slotCount: number, mode: UmpMode): [FakeCore, FakeCore] {
  const prng = new Prng(seed);
  const words = new SharedWords(new Int32Array(new SharedArrayBuffer(umpChannelBytes(slotCount))));
  const cores: FakeCore[] = [];
  for (const [i, side] of (['client', 'server'] as const).entries()) {
    const ringDoorbell = (): void => {
      const other = cores[1 - i];
      if (other !== undefined) other.isRung = true;
    };
    cores.push(new FakeCore(prng, new UmpEnd(words, 0, side, { slotCount, mode, ringDoorbell })));
  }
  return cores as [FakeCore, FakeCore];
}

/** Let both cores run in any order, until both sleep for good. */
function runBoth(cores: readonly FakeCore[], prng: Prng): void {
  let quietCount = 0;
  while (quietCount < 50) {
    const core = cores[prng.below(2)];
    quietCount = core?.isAsleep && !core.isRung ? quietCount + 1 : 0;
    core?.run();
  }
}

/** What a side of a test has done. */
interface Served {
  pushedBytes: number;
  hasEnded: boolean;
}

function* serveEcho({ loop, transport }: FakeCore, served: Served): Wait<void> {
  yield* serve(loop, transport, Echo, {
    *echo({ text }) {
      yield* [];
      return { text: text.toUpperCase() };
    },
    grant: () => ({}),
    push: ({ data }) => {
      served.pushedBytes += data.length;
    },
  });
  served.hasEnded = true;
}

/** The code of the error that `step` ends with. */
function* errorOf(step: Wait<unknown>): Wait<unknown> {
  try {
    yield* step;
  } catch (error) {
    return error instanceof RpcError ? error.errval : error;
  }
  return undefined;
}

describe.each<[number, UmpMode]>([
  [1, 'latency'],
  [3, 'latency'],
  [29, 'latency'],
  [3, 'bulk'],
  [29, 'bulk'],
])('calls over a channel of %d slots in %s mode', (slotCount, mode) => {
  it.each([1, 2, 3])('are answered, and nobody waits at the end (seed %d)', (seed) => {
    const prng = new Prng(seed);
    const cores = createCores(seed, slotCount, mode);
    const [near, far] = cores;
    const served: Served = { pushedBytes: 0, hasEnded: false };
    const answers: string[] = [];
    let refusal: unknown;
    const client = function* (): Wait<void> {
      const echo = yield* bindClient(near.loop, near.transport, Echo);
      for (const length of [0, 1, 40, 4096]) {
        yield* echo.push({ data: new Uint8Array(Math.min(length, 1000)) });
        answers.push((yield* echo.echo({ text: 'x'.repeat(length) })).text);
      }
      refusal = yield* errorOf(echo.grant({ frame: capref<'Frame'>(4, 9) }));
      answers.push((yield* echo.echo({ text: 'still here' })).text);
      near.transport.close();
    };
    far.loop.create('server', serveEcho(far, served));
    near.loop.create('client', client());
    runBoth(cores, prng);
    expect(answers.map((text) => text.length)).toEqual([0, 1, 40, 4096, 10]);
    expect(answers.at(-1)).toBe('STILL HERE');
    expect(served).toEqual({ pushedBytes: 1041, hasEnded: true });
    expect(refusal).toBe(Err.RPC_ERR_CAP);
    expect([near.poller.isIdle, far.poller.isIdle]).toEqual([true, true]);
  });
});

it('a call to a side that closes ends with an error', () => {
  const cores = createCores(1, 4, 'latency');
  const [near, far] = cores;
  let failure: unknown;
  const client = function* (): Wait<void> {
    failure = yield* errorOf(bindClient(near.loop, near.transport, Echo));
  };
  near.loop.create('client', client());
  near.run();
  far.transport.close();
  runBoth(cores, new Prng(1));
  expect(failure).toBe(Err.RPC_ERR_CLOSED);
});

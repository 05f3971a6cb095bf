/**
 * Calls over LMP channels: between threads of one domain, and between two domains. Userlevel
 * acceptance tests 30, 33 and 34, on one core.
 */

import { OK } from '@barreleye/core';
import {
  type Capref,
  capCopy,
  capIdentify,
  capref,
  type Os,
  program,
  TASK_DISPATCHER_FRAME,
  type Thread,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { channelPair, connect, type LmpChannel, LmpListener, PeerWatch } from '@barreleye/lmp';
import {
  array,
  bindClient,
  bytes,
  type Client,
  call,
  cap,
  defineInterface,
  gift,
  oneway,
  serve,
  string,
  u32,
  u64,
} from '@barreleye/rpc';
import { type SpawnedDomain, spawnProgram } from '@barreleye/spawn';
import { capAddrOf, Err, RootSlot, TaskSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import {
  checkEveryEntry,
  type FirstDomain,
  moduleCap,
  runFirstDomain,
  spawnerOf,
  TARGETS,
} from '../src/index.ts';

const MIB = 2 ** 20;
const wishes = { ramBytes: 32 * MIB, wrapDriver: checkEveryEntry };

const Acceptance = defineInterface('acceptance', {
  number: call({ n: u32 }, { n: u32 }),
  text: call({ text: string(4096) }, { text: string(4096) }),
  raw: call({ data: bytes(3000) }, { sum: u32 }),
  frames: call({ frames: array(cap('Frame'), 4) }, { bases: array(u64, 4) }),
  back: call({ frame: cap('Frame') }, { frame: gift('Frame') }),
  slots: call({}, { freeCount: u32 }),
  tick: oneway({ seq: u32 }),
});

const Words = defineInterface('words', {
  next: call({ words: array(u32, 512) }, { words: array(u32, 512) }),
});

const Lending = defineInterface('lending', { lend: call({}, { frame: cap('Frame') }) });

/** Calls with 1 to 512 words; each answer must be the one to its own. */
function* callOften(server: Client<typeof Words.methods>, seed: number, count: number): Wait<void> {
  for (let i = 1; i <= count; i++) {
    const words = Array.from({ length: (seed * i * 97) % 512 }, (_, at) => seed * 1000 + i + at);
    const answer = yield* server.next({ words });
    expect(answer.words).toEqual(words.map((word) => word + 1));
  }
}

/** What `step` throws. */
function* failureOf(step: Wait<unknown>): Wait<unknown> {
  try {
    return yield* step;
  } catch (error) {
    return error;
  }
}

/** Serve `Acceptance` at `channel` until it is closed; the ticks that were heard. */
function* serveAcceptance(os: Os, channel: LmpChannel, ticks: number[] = []): Wait<void> {
  const err = yield* serve(os.scheduler, channel, Acceptance, {
    number: ({ n }) => ({ n: n + 1 }),
    text: ({ text }) => ({ text: `${text}!` }),
    raw: ({ data }) => ({ sum: data.reduce((sum, byte) => sum + byte, 0) }),
    *frames({ frames }) {
      const bases = frames.map((frame) => unwrap(capIdentify(os.sys, frame)).base);
      for (const frame of frames) yield* os.destroy(frame);
      return { bases };
    },
    back: ({ frame }) => ({ frame }),
    slots: () => ({ freeCount: os.slots.freeCount }),
    tick: ({ seq }) => void ticks.push(seq),
  });
  os.check(err);
}

/** Say everything there is to say at `channel`, and then close it. */
function* exercise(os: Os, channel: LmpChannel): Wait<void> {
  const server = yield* bindClient(os.scheduler, channel, Acceptance);
  const frame = TASK_DISPATCHER_FRAME;
  const { base } = unwrap(capIdentify(os.sys, frame));
  const { freeCount } = os.slots;
  const there = yield* server.slots({});

  expect(yield* server.number({ n: 41 })).toEqual({ n: 42 });
  expect(yield* server.text({ text: 'short' })).toEqual({ text: 'short!' });
  const long = 'a text of two KiB '.repeat(114);
  expect(yield* server.text({ text: long })).toEqual({ text: `${long}!` });
  expect(yield* server.raw({ data: new Uint8Array(3000).fill(3) })).toEqual({ sum: 9000 });
  expect(yield* server.frames({ frames: [frame] })).toEqual({ bases: [base] });
  for (let i = 0; i < 100; i++) {
    expect(yield* server.frames({ frames: [frame, frame] })).toEqual({ bases: [base, base] });
  }
  const { frame: returned } = yield* server.back({ frame });
  expect(unwrap(capIdentify(os.sys, returned)).base).toBe(base);
  yield* os.destroy(returned);
  for (let seq = 0; seq < 10; seq++) yield* server.tick({ seq });

  expect(yield* server.slots({})).toEqual(there);
  expect(os.slots.freeCount).toBe(freeCount);
  channel.close();
}

/** Where a spawned domain finds the endpoint of its spawner's listener. */
const INIT_EP: Capref<'EndPointLMP'> = capref(RootSlot.TaskCn, TaskSlot.InitEp);

/** Give a spawned domain, before it runs, a way to connect. */
function introduceTo(os: Os, { rootCn }: SpawnedDomain, listener: LmpListener): void {
  const cptr = capAddrOf(RootSlot.TaskCn, TaskSlot.InitEp) as typeof INIT_EP.cptr;
  unwrap(capCopy(os.sys, { croot: rootCn.cptr, cptr, level: 2 }, listener.cap));
}

describe.each(TARGETS)('on $name', (target) => {
  test('33, 34: two threads call each other, and no slot is lost', () => {
    const ticks: number[] = [];
    runFirstDomain(
      target,
      function* ({ os }: FirstDomain) {
        const free = os.slots.freeCount;
        const [here, there] = channelPair(os);
        const server = os.spawnThread('server', serveAcceptance(os, there, ticks));
        yield* exercise(os, here);
        yield* os.join(server);
        yield* os.sleep(10_000); // both sides say goodbye
        expect(os.slots.freeCount).toBe(free);
      },
      { ramBytes: wishes.ramBytes },
    );
    expect(ticks).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('33, 34: a domain calls another, and no slot is lost', () => {
    const ticks: number[] = [];
    let [before, after] = [0, 1];
    const server = program('server', function* (os) {
      before = os.slots.freeCount;
      yield* serveAcceptance(os, yield* connect(os, INIT_EP), ticks);
      yield* os.sleep(10_000);
      after = os.slots.freeCount;
    });
    runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const spawner = spawnerOf(domain);
        const listener = new LmpListener(os);
        const image = moduleCap(0);
        const spawned = unwrap(spawnProgram(spawner, { name: 'server', image }));
        introduceTo(os, spawned, listener);
        const free = os.slots.freeCount;
        yield* exercise(os, yield* listener.accept());
        yield* os.sleep(100_000);
        expect(os.slots.freeCount).toBe(free);
        os.check(spawned.kill());
      },
      { ramBytes: wishes.ramBytes, others: [server] },
    );
    expect(after).toBe(before);
    expect(ticks).toHaveLength(10);
  });

  test('30: threads of several domains call one server, each gets its own answers', () => {
    const [domainCount, threadCount, callCount] = [3, 4, 8];
    const client = program('client', function* (os) {
      const channel = yield* connect(os, INIT_EP);
      const server = yield* bindClient(os.scheduler, channel, Words);
      const threads = Array.from({ length: threadCount }, (_, t) =>
        os.spawnThread(`caller ${t}`, callOften(server, t + 1, callCount)),
      );
      for (const thread of threads) yield* os.join(thread);
      channel.close();
    });
    let [served, mostAtOnce, active] = [0, 0, 0];
    runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const spawner = spawnerOf(domain);
        const listener = new LmpListener(os);
        const spawned = Array.from({ length: domainCount }, () => {
          const made = unwrap(spawnProgram(spawner, { name: 'client', image: moduleCap(0) }));
          introduceTo(os, made, listener);
          return made;
        });
        const handlers = {
          *next({ words }: { readonly words: readonly number[] }) {
            active += 1;
            mostAtOnce = Math.max(mostAtOnce, active);
            yield* os.sleep(50_000);
            active -= 1;
            served += 1;
            return { words: words.map((word) => word + 1) };
          },
        };
        const servers: Thread[] = [];
        for (let i = 0; i < domainCount; i++) {
          const channel = yield* listener.accept();
          const body = serve(os.scheduler, channel, Words, handlers);
          servers.push(os.spawnThread(`server ${i}`, body));
        }
        for (const thread of servers) expect(yield* os.join(thread)).toBe(OK);
        for (const each of spawned) os.check(each.kill());
      },
      { ramBytes: wishes.ramBytes, others: [client] },
    );
    expect(served).toBe(domainCount * threadCount * callCount);
    expect(mostAtOnce).toBeGreaterThan(1);
  });

  test('a call that is late fails in time, and its reply leaves nothing behind', () => {
    runFirstDomain(
      target,
      function* ({ os }) {
        const [here, there] = channelPair(os);
        let waitCycles = 300_000;
        const serving = serve(os.scheduler, there, Lending, {
          *lend() {
            yield* os.sleep(waitCycles);
            return { frame: TASK_DISPATCHER_FRAME };
          },
        });
        const server = os.spawnThread('server', serving);
        const options = { timeoutCycles: 100_000 };
        const client = yield* bindClient(os.scheduler, here, Lending, options);
        const free = os.slots.freeCount;
        const start = os.now();
        expect(yield* failureOf(client.lend({}))).toMatchObject({ errval: Err.RPC_ERR_TIMEOUT });
        expect(os.now() - start).toBeGreaterThanOrEqual(100_000);
        expect(os.now() - start).toBeLessThan(300_000);
        waitCycles = 1;
        const { frame } = yield* client.lend({});
        yield* os.destroy(frame);
        yield* os.sleep(400_000); // the late reply comes
        expect(os.slots.freeCount).toBe(free);
        here.close();
        expect(yield* os.join(server)).toBe(OK);
      },
      wishes,
    );
  });

  test('a call ends with an error when the other domain is killed', () => {
    const server = program('server', function* (os) {
      yield* serve(os.scheduler, yield* connect(os, INIT_EP), Words, {
        *next() {
          for (;;) yield* os.sleep(1000);
        },
      });
    });
    let failure: unknown;
    runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const listener = new LmpListener(os);
        const request = { name: 'server', image: moduleCap(0) };
        const spawned = unwrap(spawnProgram(spawnerOf(domain), request));
        introduceTo(os, spawned, listener);
        const watch = new PeerWatch();
        const channel = yield* listener.accept({ watch });
        const client = yield* bindClient(os.scheduler, channel, Words);
        const caller = os.spawnThread('caller', failureOf(client.next({ words: [] })));
        yield* os.sleep(50_000);
        os.check(spawned.kill());
        watch.checkAll();
        failure = yield* os.join(caller);
        expect(watch.size).toBe(0);
      },
      { ...wishes, others: [server] },
    );
    expect(failure).toMatchObject({ errval: Err.RPC_ERR_CLOSED });
  });
});

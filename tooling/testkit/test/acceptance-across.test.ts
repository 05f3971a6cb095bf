/**
 * Userlevel acceptance tests 29 to 31, 33, 34 and 40 with domains of several cores: they reach each
 * other over shared memory. Test 32 is about the registers of one core. Of 33 and 34: capabilities
 * that stand for memory do not leave their core yet, so it is Domain capabilities that travel here.
 * Of 40, spanning is in span.test.ts; a core that stops, and a CPU driver that is replaced, in
 * core-control.test.ts.
 *
 * Test 30 asks for 10,000 calls of each thread: `ACCEPTANCE_CALLS=10000`.
 */

import {
  type Capref,
  capCopy,
  capIdentify,
  holds,
  periodicEvent,
  TASK_DOMAIN,
  type Thread,
  ThreadLocal,
  unwrap,
  type Wait,
  Waitset,
} from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { array, bytes, call, cap, defineInterface, oneway, string, u32 } from '@barreleye/rpc';
import { describe, expect, test } from 'vitest';
import { runSystem, TARGETS } from '../src/index.ts';
import { callOften, Load, startServers, THREADS } from './load.ts';

const CORES = 3;
const WISHES = { coreCount: CORES, ramBytes: 96 * 2 ** 20 };
const CALLS = Math.ceil(Number(process.env['ACCEPTANCE_CALLS'] ?? 500) / 10);
/** Of domains that start others, and of these. */
const QUOTA_BYTES = 3.5 * 2 ** 20;
const CHILD_QUOTA_BYTES = 1.5 * 2 ** 20;
const MINUTE = 60_000;

const Kinds = defineInterface('kinds', {
  number: oneway({ value: u32 }),
  text: oneway({ value: string(4096) }),
  domains: oneway({ value: array(cap('Domain'), 2) }),
  buffer: oneway({ value: bytes(3000) }),
  echo: call({ value: string(100) }, { value: string(100) }),
  take: call({ value: array(cap('Domain'), 2) }, { ids: array(u32, 2) }),
});

interface Started {
  readonly domain: Capref<'Domain'>;
}

function* startOn(os: ProgramOs, core: number, name: string, args: string[] = []): Wait<Started> {
  const wish = { core, program: name, args, environment: [], caps: [] };
  const quotaBytes = args.length === 0 ? QUOTA_BYTES : CHILD_QUOTA_BYTES;
  return yield* os.system.spawn({ ...wish, quotaBytes });
}

/** What a domain has returned. */
function* endValueOf(os: ProgramOs, { domain }: Started): Wait<number> {
  const { end } = yield* os.system.wait({ domain });
  os.drop(domain);
  expect([end.how, end.report]).toEqual(['exited', '']);
  return end.value;
}

/** Start a program on every core at once; what each has returned. */
function* onAllCores(os: ProgramOs, name: string): Wait<number[]> {
  const started: Started[] = [];
  for (let core = 0; core < CORES; core++) started.push(yield* startOn(os, core, name));
  const values: number[] = [];
  for (const each of started) values.push(yield* endValueOf(os, each));
  return values;
}

/** Three threads with variables of their own. */
const locals = program('locals', function* (os) {
  const [own, other] = [new ThreadLocal(os, () => 37), new ThreadLocal(os, () => 42)];
  function* count(rounds: number): Wait<number> {
    for (let i = 0; i < rounds; i++) {
      own.value += 1;
      other.value += 1;
      yield* os.giveWay();
    }
    return own.value * 100 + other.value;
  }
  const threads = [1, 2, 3].map((n) => os.spawnThread(`t${n}`, count(n)));
  let sum = 0;
  for (const thread of threads) sum += Number(yield* os.join(thread));
  return sum;
});

const loadServer = program('server', function* (os) {
  yield* os.names.serve('load', Load, startServers(os, []), { maxActive: 64 });
});

/** Ten threads that call the server; how many answers were right. */
const loadClient = program('client', function* (os) {
  const server = yield* os.names.connect('load', Load, true);
  const threads: Thread[] = [];
  for (let t = 0; t < THREADS; t++) {
    const seed = os.coreId * THREADS + t;
    threads.push(os.spawnThread(`client ${t}`, callOften(server, seed, CALLS)));
  }
  let matched = 0;
  for (const thread of threads) matched += Number(yield* os.join(thread));
  return matched;
});

/** Two timers; how often both have fired, or -1: one was early. */
const clock = program('clock', function* (os) {
  const waitset = new Waitset(os, 'clock');
  const start = os.now();
  const limits = [20, 7];
  let [fired, isEarly] = [0, false];
  for (const [i, limit] of limits.entries()) {
    const period = (11 + 19 * i) * 100_000;
    let count = 0;
    const event = periodicEvent(waitset, period, () => {
      count += 1;
      fired += 1;
      if (os.now() - start < count * period) isEarly = true;
      if (count === limit) event.cancel();
      return undefined;
    });
  }
  for (let left = 27; left > 0; left--) yield* waitset.dispatch();
  yield* os.sleep(1e7);
  return isEarly || waitset.pendingCount > 0 ? -1 : fired;
});

/** Starts a domain on every core, and waits for its end; what they say. */
const starter = program('starter', function* (os) {
  let sum = 0;
  for (let core = 0; core < CORES; core++) {
    sum = sum * 10 + (yield* endValueOf(os, yield* startOn(os, core, 'whereabouts', ['x', 'y z'])));
  }
  return sum;
});

/** Which core it is on, if it was told what it should be. */
const whereabouts = program('whereabouts', function* (os) {
  yield* os.preempt();
  return os.args.join() === 'whereabouts,x,y z' ? os.coreId + 1 : 0;
});

/** Uses what a core has: memory, threads, timers, names. Dies if something does not work. */
const selfTest = program('selftest', function* (os) {
  yield* os.memory.reserve(65_536);
  const thread = os.spawnThread('adds', count(os));
  yield* os.sleep(1000);
  yield* os.names.serve(`self/${os.coreId}`, Kinds, sink);
  const self = yield* os.system.machine({});
  const isFound = (yield* os.names.list('self/')).some(({ core }) => core === os.coreId);
  expect([isFound, self.coreId, yield* os.join(thread)]).toEqual([true, os.coreId, 4]);
});

function* count(os: ProgramOs): Wait<number> {
  yield* os.preempt();
  return 4;
}

const sink = {
  number: () => undefined,
  text: () => undefined,
  domains: () => undefined,
  buffer: () => undefined,
  echo: ({ value }: { readonly value: string }) => ({ value }),
  take: () => ({ ids: [] }),
};

const LONG = 'zwölf Boxkämpfer '.repeat(120);
const BUFFER = Uint8Array.from({ length: 3000 }, (_, i) => i * 7);

/** Takes everything; keeps what it has heard in words, and no capability. */
const listener = (heard: unknown[]) =>
  program('listener', function* (os) {
    const hear = ({ value }: { readonly value: unknown }): void => void heard.push(value);
    const take = (value: readonly Capref[]): number[] => {
      const ids = value.map((domain) => unwrap(capIdentify(os.sys, domain)).arg1);
      for (const domain of value) os.drop(domain);
      return ids;
    };
    yield* os.names.serve('listener', Kinds, {
      number: hear,
      text: hear,
      buffer: hear,
      domains: ({ value }) => hear({ value: take(value) }),
      echo: ({ value }) => ({ value }),
      take: ({ value }) => ({ ids: take(value) }),
    });
  });

describe.each(TARGETS)('on $name', (target) => {
  test('29: threads of domains of all cores have variables of their own', () => {
    runSystem(
      target,
      function* ({ os }) {
        const sum = [1, 2, 3].reduce((all, n) => all + (37 + n) * 100 + 42 + n, 0);
        expect(yield* onAllCores(os, 'locals')).toEqual(Array(CORES).fill(sum));
      },
      { ...WISHES, others: [locals] },
    );
  });

  test(`30: ${THREADS} threads of each core make ${CALLS} calls each`, { timeout: MINUTE }, () => {
    runSystem(
      target,
      function* ({ os }) {
        yield* startOn(os, 1, 'server');
        expect(yield* onAllCores(os, 'client')).toEqual(Array(CORES).fill(THREADS * CALLS));
      },
      { ...WISHES, others: [loadServer, loadClient] },
    );
  });

  test('31: timed events of domains of all cores are in time, as often as wanted', () => {
    runSystem(
      target,
      function* ({ os }) {
        expect(yield* onAllCores(os, 'clock')).toEqual(Array(CORES).fill(27));
      },
      { ...WISHES, others: [clock] },
    );
  });

  test('33, 34: every kind of value arrives whole and in order; no slot is lost', () => {
    const heard: unknown[] = [];
    runSystem(
      target,
      function* ({ os }) {
        yield* startOn(os, 2, 'listener');
        const there = yield* os.names.connect('listener', Kinds, true);
        const own = unwrap(capIdentify(os.sys, TASK_DOMAIN)).arg1;
        const lend = () => unwrap(capCopy(os.sys, os.allocSlot(), TASK_DOMAIN));
        yield* there.take({ value: [holds<'Domain'>(TASK_DOMAIN)] });
        const free = os.slots.freeCount;
        for (let round = 0; round < 10; round++) {
          yield* there.number({ value: 0xffff_fff0 + round });
          yield* there.text({ value: 'short' });
          yield* there.text({ value: LONG });
          const lent = [lend(), lend(), lend()];
          yield* there.domains({ value: lent.slice(0, 1) });
          yield* there.domains({ value: lent.slice(1) });
          for (const domain of lent) yield* os.destroy(domain);
          const sent = BUFFER.slice();
          yield* there.buffer({ value: sent });
          sent.fill(0);
          expect(yield* there.echo({ value: `${round}` })).toEqual({ value: `${round}` });
        }
        const one = ['short', LONG, [own], [own, own], BUFFER];
        const all = Array.from({ length: 10 }, (_, round) => [0xffff_fff0 + round, ...one]);
        expect(heard).toEqual(all.flat(1));
        const both = [holds<'Domain'>(TASK_DOMAIN), holds<'Domain'>(TASK_DOMAIN)];
        for (let i = 0; i < 100; i++) {
          expect((yield* there.take({ value: both })).ids).toEqual([own, own]);
        }
        expect(os.slots.freeCount).toBe(free);
      },
      { ...WISHES, others: [listener(heard)] },
    );
  });

  test('40: cores test themselves, and start domains on each other, which end meanwhile', () => {
    runSystem(
      target,
      function* ({ os }) {
        for (let core = 0; core < CORES; core++) yield* startOn(os, core, 'selftest');
        for (let core = 0; core < CORES; core++) yield* os.names.waitFor(`self/${core}`);
        // All at once, and each of them on all cores; those that serve go on meanwhile.
        expect(yield* onAllCores(os, 'starter')).toEqual(Array(CORES).fill(123));
        for (let core = 0; core < CORES; core++) {
          const self = yield* os.names.connect(`self/${core}`, Kinds);
          expect(yield* self.echo({ value: `${core}` })).toEqual({ value: `${core}` });
        }
      },
      { ...WISHES, ramBytes: 128 * 2 ** 20, others: [selfTest, starter, whereabouts] },
    );
  });
});

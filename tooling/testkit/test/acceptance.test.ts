/**
 * Userlevel acceptance tests 30, 31 and 33 at their full size, on one core (across cores:
 * acceptance-across.test.ts); 29 is in
 * threads.test.ts, 32 in the tests of the CPU driver, 34 in calls.test.ts.
 *
 * Test 30 asks for 10,000 calls of each of 10 threads. That takes a minute, so here it is a tenth;
 * `ACCEPTANCE_CALLS=10000 npm test -- testkit acceptance` makes all of them.
 */

import {
  type Capref,
  capCopy,
  capIdentify,
  capref,
  deferredEvent,
  type Os,
  periodicEvent,
  program,
  TASK_DISPATCHER_FRAME,
  type Thread,
  unwrap,
  type Wait,
  Waitset,
} from '@barreleye/libos';
import { connect, LmpListener } from '@barreleye/lmp';
import {
  array,
  bindClient,
  bytes,
  call,
  cap,
  defineInterface,
  oneway,
  serve,
  string,
  u32,
} from '@barreleye/rpc';
import { spawnProgram } from '@barreleye/spawn';
import { capAddrOf, type Program, RootSlot, TaskSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { type FirstDomain, moduleCap, runFirstDomain, spawnerOf, TARGETS } from '../src/index.ts';
import { callOften, Load, startServers, THREADS } from './load.ts';

const RAM_BYTES = 32 * 2 ** 20;
const CALLS = Number(process.env['ACCEPTANCE_CALLS'] ?? 1000);
const MINUTE = 60_000;

const Kinds = defineInterface('kinds', {
  number: oneway({ value: u32 }),
  text: oneway({ value: string(4096) }),
  frames: oneway({ value: array(cap('Frame'), 2) }),
  buffer: oneway({ value: bytes(3000) }),
  end: call({}, {}),
});

/** Where a spawned domain finds the endpoint of its spawner's listener. */
const INIT_EP: Capref<'EndPointLMP'> = capref(RootSlot.TaskCn, TaskSlot.InitEp);

/** Start the `i`-th of the other programs, with a way to connect to `listener`. */
function spawnPeer(domain: FirstDomain, i: number, listener: LmpListener): void {
  const spawned = unwrap(spawnProgram(spawnerOf(domain), { name: 'peer', image: moduleCap(i) }));
  const cptr = capAddrOf(RootSlot.TaskCn, TaskSlot.InitEp) as typeof INIT_EP.cptr;
  unwrap(capCopy(domain.os.sys, { croot: spawned.rootCn.cptr, cptr, level: 2 }, listener.cap));
}

/** Run the programs of two domains; the first makes the second and listens for it. */
function runTwo(
  target: (typeof TARGETS)[number],
  main: (domain: FirstDomain, listener: LmpListener) => Wait<void>,
  other: Program,
): void {
  runFirstDomain(
    target,
    function* (domain) {
      const listener = new LmpListener(domain.os);
      spawnPeer(domain, 0, listener);
      yield* main(domain, listener);
    },
    { ramBytes: RAM_BYTES, others: [other] },
  );
}

describe.each(TARGETS)('on $name', (target) => {
  const callCount = target.name === 'x86_64' ? CALLS : Math.min(CALLS, 50);

  test(
    `30: ${THREADS} threads make ${callCount} calls each, ${THREADS} at one waitset serve them`,
    () => {
      const matched: unknown[] = [];
      const served: number[] = [];
      const client = program('client', function* (os) {
        const channel = yield* connect(os, INIT_EP);
        const server = yield* bindClient(os.scheduler, channel, Load);
        const threads: Thread[] = [];
        for (let t = 0; t < THREADS; t++) {
          threads.push(os.spawnThread(`client ${t}`, callOften(server, t, callCount)));
        }
        for (const thread of threads) matched.push(yield* os.join(thread));
        channel.close();
      });
      runTwo(
        target,
        function* ({ os }, listener) {
          const channel = yield* listener.accept();
          os.check(yield* serve(os.scheduler, channel, Load, startServers(os, served)));
        },
        client,
      );
      expect(matched).toEqual(Array(THREADS).fill(callCount));
      expect(served.reduce((sum, count) => sum + count, 0)).toBe(THREADS * callCount);
      expect(served.filter((count) => count > 0).length).toBeGreaterThan(1);
    },
    10 * MINUTE,
  );

  test('31: timed events of two domains are in time, as often as wanted, and end', () => {
    const MS = 100_000; // cycles
    const counts = new Map<number, number>();
    let isDone = false;
    function* keepTime(os: Os, limits: readonly (readonly [number, number])[]): Wait<void> {
      const waitset = new Waitset(os, 'clock');
      const start = os.now();
      let onceCount = 0;
      deferredEvent(waitset, 50 * MS, () => {
        onceCount += 1;
        expect(os.now() - start).toBeGreaterThanOrEqual(50 * MS);
        return undefined;
      });
      let left = 1;
      for (const [ms, limit] of limits) {
        left += limit;
        const event = periodicEvent(waitset, ms * MS, () => {
          const count = (counts.get(ms) ?? 0) + 1;
          counts.set(ms, count);
          expect(os.now() - start).toBeGreaterThanOrEqual(count * ms * MS);
          if (count === limit) expect(event.cancel()).toBe(true);
          return undefined;
        });
      }
      for (; left > 0; left--) yield* waitset.dispatch();
      yield* os.sleep(2000 * MS);
      expect([onceCount, waitset.pendingCount]).toEqual([1, 0]);
    }
    const other = program('other', function* (os) {
      const channel = yield* connect(os, INIT_EP);
      yield* keepTime(os, [
        [200, 20],
        [700, 10],
      ]);
      isDone = true;
      channel.close();
    });
    runTwo(
      target,
      function* ({ os }, listener) {
        yield* listener.accept();
        yield* keepTime(os, [
          [11, 100],
          [450, 20],
          [900, 10],
        ]);
      },
      other,
    );
    expect(isDone).toBe(true);
    expect([...counts].toSorted(([a], [b]) => a - b)).toEqual([
      [11, 100],
      [200, 20],
      [450, 20],
      [700, 10],
      [900, 10],
    ]);
  });

  test('33: every kind of value arrives whole and in order, and may be freed once sent', () => {
    const heard: unknown[] = [];
    const long = 'zwölf Boxkämpfer '.repeat(120);
    const buffer = Uint8Array.from({ length: 3000 }, (_, i) => i * 7);
    const client = program('client', function* (os) {
      const channel = yield* connect(os, INIT_EP);
      const {
        number,
        text,
        frames,
        buffer: raw,
        end,
      } = yield* bindClient(os.scheduler, channel, Kinds);
      const free = os.slots.freeCount;
      const lend = (): Capref<'Frame'> =>
        unwrap(capCopy(os.sys, os.allocSlot(), TASK_DISPATCHER_FRAME));
      for (let round = 0; round < 10; round++) {
        yield* number({ value: 0xffff_fff0 + round });
        yield* text({ value: 'short' });
        yield* text({ value: long });
        const lent = [lend(), lend(), lend()];
        yield* frames({ value: lent.slice(0, 1) });
        yield* frames({ value: lent.slice(1) });
        for (const frame of lent) yield* os.destroy(frame);
        const sent = buffer.slice();
        yield* raw({ value: sent });
        sent.fill(0);
      }
      yield* end({});
      expect(os.slots.freeCount).toBe(free);
      channel.close();
    });
    runTwo(
      target,
      function* ({ os }, listener) {
        const channel = yield* listener.accept();
        const hear = ({ value }: { readonly value: unknown }): void => void heard.push(value);
        const free = os.slots.freeCount;
        const err = yield* serve(os.scheduler, channel, Kinds, {
          number: hear,
          text: hear,
          buffer: hear,
          frames({ value }) {
            heard.push(value.map((frame) => unwrap(capIdentify(os.sys, frame)).type));
            for (const frame of value) channel.dropCap(frame);
          },
          end() {
            expect(os.slots.freeCount).toBe(free);
            return {};
          },
        });
        os.check(err);
      },
      client,
    );
    const expected = Array.from({ length: 10 }, (_, round) => [
      0xffff_fff0 + round,
      'short',
      long,
      ['Frame'],
      ['Frame', 'Frame'],
      buffer,
    ]);
    expect(heard).toEqual(expected.flat(1));
  });
});

/** A domain that another one stops: it does nothing, loses nothing, and goes on or ends. */

import { OK } from '@barreleye/core';
import {
  type Capref,
  capref,
  dispatcherResume,
  dispatcherStop,
  type Os,
  program,
  TASK_DISPATCHER,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { connect, LmpListener } from '@barreleye/lmp';
import { bindClient, call, defineInterface, serve, u32 } from '@barreleye/rpc';
import { spawnProgram } from '@barreleye/spawn';
import { errNames, RootSlot, TaskSlot } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, moduleCap, runFirstDomain, spawnerOf, TARGETS } from '../src/index.ts';

const wishes = { ramBytes: 32 * 2 ** 20, wrapDriver: checkEveryEntry };
const INIT_EP: Capref<'EndPointLMP'> = capref(RootSlot.TaskCn, TaskSlot.InitEp);
/** Long enough for everybody to have several turns. */
const A_WHILE = 300_000;

const Successor = defineInterface('successor', { of: call({ n: u32 }, { n: u32 }) });

/** Two ways to be at work until killed: always busy, and asleep most of the time. */
const WORK: readonly (readonly [string, (os: Os) => Wait<void>])[] = [
  [
    'computes',
    function* (os) {
      os.sys.cpu.spend(5000);
      yield* os.preempt();
    },
  ],
  ['sleeps', (os) => os.sleep(20_000)],
];

describe.each(TARGETS)('on $name', (target) => {
  test.each(WORK)(
    'a domain that %s does not while it is stopped, and can be killed then',
    (_, step) => {
      let count = 0;
      const counter = program('counter', function* (os) {
        for (;;) {
          count += 1;
          yield* step(os);
        }
      });
      runFirstDomain(
        target,
        function* (domain) {
          const { os, memory } = domain;
          const start = () =>
            unwrap(spawnProgram(spawnerOf(domain), { name: 'counter', image: moduleCap(0) }));
          start().kill(); // leaves page tables and slots for the next one
          const free = [memory.mm.freeBytes(), os.slots.freeCount];
          const { dispatcher, kill } = start();
          yield* os.sleep(A_WHILE);
          for (let round = 0; round < 3; round++) {
            expect(dispatcherStop(os.sys, dispatcher)).toBe(OK);
            const stoppedAt = count;
            yield* os.sleep(A_WHILE);
            expect(count).toBe(stoppedAt);
            expect(dispatcherResume(os.sys, dispatcher)).toBe(OK);
            yield* os.sleep(A_WHILE);
            expect(count).toBeGreaterThan(stoppedAt);
          }
          expect(dispatcherStop(os.sys, dispatcher)).toBe(OK);
          const last = count;
          expect(kill()).toBe(OK);
          expect([memory.mm.freeBytes(), os.slots.freeCount]).toEqual(free);
          yield* os.sleep(A_WHILE);
          expect(count).toBe(last);
          const gone = errNames(dispatcherResume(os.sys, dispatcher));
          expect(gone).toEqual(['LIB_ERR_DISP_RESUME', 'SYS_ERR_CAP_NOT_FOUND']);
        },
        { ...wishes, others: [counter] },
      );
    },
  );

  test('a call to a stopped domain is answered when that is resumed', () => {
    const server = program('server', function* (os) {
      yield* serve(os.scheduler, yield* connect(os, INIT_EP), Successor, {
        of: ({ n }) => ({ n: n + 1 }),
      });
    });
    runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const listener = new LmpListener(os);
        const taskCaps = [[TaskSlot.InitEp, listener.cap]] as const;
        const request = { name: 'server', image: moduleCap(0), taskCaps };
        const { dispatcher, kill } = unwrap(spawnProgram(spawnerOf(domain), request));
        const channel = yield* listener.accept();
        const successor = yield* bindClient(os.scheduler, channel, Successor);
        expect(yield* successor.of({ n: 1 })).toEqual({ n: 2 });
        expect(dispatcherStop(os.sys, dispatcher)).toBe(OK);
        let answer = 0;
        const asking = os.spawnThread(
          'asking',
          (function* () {
            answer = (yield* successor.of({ n: 41 })).n;
          })(),
        );
        yield* os.sleep(A_WHILE);
        expect(answer).toBe(0);
        expect(dispatcherResume(os.sys, dispatcher)).toBe(OK);
        yield* os.join(asking);
        expect(answer).toBe(42);
        channel.close();
        expect(kill()).toBe(OK);
      },
      { ...wishes, others: [server] },
    );
  });

  test('a domain that stops itself goes on behind that when it is resumed', () => {
    const log: string[] = [];
    const shy = program('shy', function* (os) {
      log.push('before');
      os.check(dispatcherStop(os.sys, TASK_DISPATCHER));
      yield* os.preempt();
      log.push('behind');
    });
    runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const request = { name: 'shy', image: moduleCap(0) };
        const { dispatcher, kill } = unwrap(spawnProgram(spawnerOf(domain), request));
        yield* os.sleep(A_WHILE);
        expect(log).toEqual(['before']);
        expect(dispatcherResume(os.sys, dispatcher)).toBe(OK);
        yield* os.sleep(A_WHILE);
        expect(log).toEqual(['before', 'behind']);
        expect(kill()).toBe(OK);
      },
      { ...wishes, others: [shy] },
    );
  });
});

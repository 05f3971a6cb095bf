/** Domains of several cores: started from anywhere, they find each other by name. */

import { errStack } from '@barreleye/core';
import {
  capCopy,
  capIdentify,
  holds,
  OsError,
  TASK_DOMAIN,
  type Thread,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { array, bytes, call, cap, defineInterface, gift, u32 } from '@barreleye/rpc';
import { errName } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { expectAllInventories, runSystem, TARGETS, takeAllInventories } from '../src/index.ts';

const CORES = 3;
const WISHES = { coreCount: CORES, ramBytes: 96 * 2 ** 20 };
const PAYLOAD = 3000;

const Echo = defineInterface('echo', {
  where: call({}, { core: u32 }),
  again: call({ body: bytes(PAYLOAD) }, { body: bytes(PAYLOAD) }),
});

/** Serves on whatever core it is. */
const echo = program('echo', function* (os) {
  yield* os.names.serve(`echo/${os.coreId}`, Echo, {
    where: () => ({ core: os.coreId }),
    again: ({ body }) => ({ body }),
  });
});

/** Finds the services of all cores and talks to them; its exit value says what went wrong. */
const caller = program('caller', function* (os) {
  let score = 0;
  for (let core = 0; core < CORES; core++) {
    const client = yield* os.names.connect(`echo/${core}`, Echo, true);
    if ((yield* client.where({})).core === core) score += 1;
    for (const length of [0, 1, 55, 56, 57, PAYLOAD]) {
      const body = Uint8Array.from({ length }, (_, i) => (i * 7 + core) & 255);
      const answer = yield* client.again({ body });
      if (answer.body.length === length && answer.body.every((b, i) => b === body[i])) score += 1;
    }
  }
  yield* os.printLine(`caller on core ${os.coreId}: ${os.args.slice(1).join(' ')}`);
  return score;
});

function* errorOf(step: Wait<unknown>): Wait<string | undefined> {
  try {
    yield* step;
    return undefined;
  } catch (error) {
    if (error instanceof OsError) return errName(errStack(error.errval).at(-1) ?? error.errval);
    throw error;
  }
}

function* spawnOn(os: ProgramOs, core: number, name: string, args: readonly string[] = []) {
  return yield* os.system.spawn({ core, program: name, args, environment: [], caps: [] });
}

describe.each(TARGETS)('on $name', (target) => {
  test('programs start on every core from every core, and find services of every core', () => {
    const { screen } = runSystem(
      target,
      function* ({ os, inits }) {
        for (let core = 0; core < CORES; core++) yield* spawnOn(os, core, 'echo');
        const ends: unknown[] = [];
        for (let core = 0; core < CORES; core++) {
          const started = yield* spawnOn(os, core, 'caller', ['a', `b ${core}`]);
          expect(started.core).toBe(core);
          ends.push((yield* os.system.wait({ domain: started.domain })).end);
          os.drop(started.domain);
        }
        expect(ends).toEqual(Array(CORES).fill({ how: 'exited', value: 7 * CORES, report: '' }));
        expect(inits.size).toBe(CORES);
        const names = yield* os.names.list('echo/');
        expect(names.map(({ name, core }) => [name, core])).toEqual([
          ['echo/0', 0],
          ['echo/1', 1],
          ['echo/2', 2],
        ]);
        for (let core = 0; core < CORES; core++) {
          const { domains } = yield* os.system.list({ core });
          expect(domains.every((domain) => domain.core === core)).toBe(true);
          expect(domains.map(({ name }) => name)).toContain('echo');
        }
      },
      { ...WISHES, others: [echo, caller] },
    );
    for (let core = 0; core < CORES; core++) {
      expect(screen).toContain(`caller on core ${core}: a b ${core}`);
    }
  });

  test('domains of other cores are killed, suspended and waited for; nothing is left', () => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        const round = function* (): Wait<void> {
          const { domain, id } = yield* spawnOn(os, 1, 'echo');
          const client = yield* os.names.connect('echo/1', Echo, true);
          expect((yield* client.where({})).core).toBe(1);
          const authority = os.argCap<'ProcessManager'>(1);
          const other = yield* os.system.domainOf({ core: 1, id, authority });
          yield* os.system.suspend({ domain: other.domain });
          const [info] = (yield* os.system.list({ core: 1 })).domains.filter((d) => d.id === id);
          expect(info?.state).toBe('suspended');
          yield* os.system.resume({ domain });
          expect((yield* client.where({})).core).toBe(1);
          yield* os.system.kill({ domain: other.domain });
          expect((yield* os.system.wait({ domain })).end.how).toBe('killed');
          expect(yield* errorOf(client.where({}))).toBe('RPC_ERR_CLOSED');
          expect(yield* errorOf(os.system.kill({ domain }))).toBe('SPAWN_ERR_NO_DOMAIN');
          os.drop(domain);
          os.drop(other.domain);
        };
        yield* round();
        yield* round();
        const before = yield* takeAllInventories(tester);
        yield* round();
        yield* round();
        yield* expectAllInventories(tester, before);
      },
      { ...WISHES, others: [echo] },
    );
  });

  test('a client that dies leaves nothing on the core of its service', () => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        yield* spawnOn(os, 0, 'echo');
        yield* spawnOn(os, 2, 'echo');
        yield* os.names.waitFor('echo/2');
        const round = function* (): Wait<void> {
          const { domain } = yield* spawnOn(os, 1, 'sitter');
          yield* os.names.waitFor('sits');
          yield* os.system.kill({ domain });
          yield* os.system.wait({ domain });
          os.drop(domain);
          yield* os.sleep(1e6);
        };
        yield* round();
        yield* round();
        const before = yield* takeAllInventories(tester);
        yield* round();
        yield* expectAllInventories(tester, before);
      },
      { ...WISHES, others: [echo, sitter] },
    );
  });

  test('capabilities that stand for no memory travel, both ways and many at a time', () => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        const { domain } = yield* spawnOn(os, 1, 'keeper');
        const keeper = yield* os.names.connect('keeper', Keeper, true);
        const own = unwrap(capIdentify(os.sys, TASK_DOMAIN)).arg1;
        const round = function* (): Wait<void> {
          // It has been told which domain that is, and gives back another of its own core.
          const answer = yield* keeper.swap({ caps: [holds<'Null'>(TASK_DOMAIN)] });
          const { type, arg0, arg1 } = unwrap(capIdentify(os.sys, answer.cap));
          expect([answer.core, answer.id, type, arg0]).toEqual([0, own, 'Domain', 1]);
          expect(unwrap(capIdentify(os.sys, domain)).arg1).toBe(arg1);
          os.drop(answer.cap);
        };
        yield* round();
        const freeCount = os.slots.freeCount;
        for (let i = 0; i < 20; i++) yield* round();
        const threads: Thread[] = [];
        for (let i = 0; i < 8; i++) threads.push(os.spawnThread('swaps', round()));
        for (const thread of threads) yield* os.join(thread);
        yield* os.sleep(1e5);
        expect(os.slots.freeCount).toBe(freeCount);
        const { ram } = yield* os.system.allocRam({ bytes: 4096, alignBytes: 4096 });
        const step = keeper.swap({ caps: [holds<'Null'>(ram)] });
        expect(yield* errorOf(step)).toBe('RPC_ERR_CAP');
        yield* round();
      },
      { ...WISHES, others: [keeper] },
    );
  });

  test('what cannot be is refused with a reason', () => {
    runSystem(
      target,
      function* ({ os }) {
        expect(yield* errorOf(spawnOn(os, 7, 'echo'))).toBe('MON_ERR_NO_CORE');
        expect(yield* errorOf(spawnOn(os, 1, 'nobody'))).toBe('SPAWN_ERR_NO_PROGRAM');
        expect(yield* errorOf(os.system.list({ core: 3 }))).toBe('MON_ERR_NO_CORE');
        const { coreId } = os;
        for (const iref of [0, 1, 99, 2 ** 24 + 99, 2 ** 32 - 1]) {
          const step = iref < 2 ** 24 ? os.system.bind({ iref }) : os.services.connect(iref);
          if (iref !== 1) expect(yield* errorOf(step)).toMatch(/^MON_ERR_NO_(SERVICE|CORE)$/);
        }
        expect(yield* errorOf(os.system.acceptAcross({ channel: 1 }))).toBe('MON_ERR_NO_CHANNEL');
        expect(yield* errorOf(os.system.closeAcross({ channel: 1 }))).toBe('MON_ERR_NO_CHANNEL');
        expect(coreId).toBe(0);
      },
      { ...WISHES, others: [echo] },
    );
  });
});

const Keeper = defineInterface('keeper', {
  swap: call({ caps: array(cap('Null'), 2) }, { core: u32, id: u32, cap: gift('Null') }),
});

/** Says which domain a capability names, and answers with that of its own. */
const keeper = program('keeper', function* (os) {
  yield* os.names.serve('keeper', Keeper, {
    swap({ caps: [given] }) {
      const { arg0, arg1 } = unwrap(capIdentify(os.sys, given ?? TASK_DOMAIN));
      if (given !== undefined) os.drop(given);
      const copy = unwrap(capCopy(os.sys, os.allocSlot(), TASK_DOMAIN));
      return { core: arg0, id: arg1, cap: holds<'Null'>(copy) };
    },
  });
});

/** Has channels with two other cores, and a name. */
const sitter = program('sitter', function* (os) {
  for (const core of [0, 2]) {
    const client = yield* os.names.connect(`echo/${core}`, Echo, true);
    yield* client.where({});
  }
  yield* os.names.serve('sits', Echo, {
    where: () => ({ core: os.coreId }),
    again: ({ body }) => ({ body }),
  });
  yield* os.sleep(1e15);
});

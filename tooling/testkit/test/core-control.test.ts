/** Cores that are stopped, started and given another CPU driver while the system runs. */

import { errStack } from '@barreleye/core';
import { OsError, unwrap, type Wait } from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { bytes, call, defineInterface, u32 } from '@barreleye/rpc';
import { errName } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { runSystem, TARGETS, type Tester } from '../src/index.ts';

const CORES = 3;
const MIB = 2 ** 20;
/** Enough for two cores, not for four. */
const LITTLE_RAM = 14 * MIB;
const WISHES = { coreCount: CORES, ramBytes: 96 * MIB };

const Count = defineInterface('count', {
  next: call({ body: bytes(600) }, { count: u32, body: bytes(600) }),
});

/** Counts the calls that it has served. */
const counter = program('counter', function* (os) {
  let count = 0;
  yield* os.names.serve(`count/${os.coreId}`, Count, {
    next: ({ body }) => {
      count += 1;
      return { count, body };
    },
  });
});

function* spawnOn(os: ProgramOs, core: number) {
  const request = { core, program: 'counter', args: [], environment: [], caps: [] };
  return yield* os.system.spawn(request);
}

function* errorsOf(step: Wait<unknown>): Wait<string[]> {
  try {
    yield* step;
  } catch (error) {
    if (error instanceof OsError) return errStack(error.errval).map(errName);
    throw error;
  }
  return [];
}

function* statesOf({ os }: Tester): Wait<string[]> {
  return (yield* os.system.cores({})).cores.map(({ state }) => state);
}

function order(os: ProgramOs, core: number) {
  return { core, authority: os.argCap<'ProcessManager'>(1) };
}

describe.each(TARGETS)('on $name', (target) => {
  test('a core is stopped and started again, and nothing is lost by it', () => {
    runSystem(
      target,
      function* (tester) {
        const { os, inits } = tester;
        const { monitor, memory } = inits.get(0) ?? tester.init;
        const free: number[] = [];
        const ids = new Set<number>();
        const irefs = new Set<number>();
        for (let round = 0; round < 6; round++) {
          const { domain, id } = yield* spawnOn(os, 2);
          ids.add(id);
          const client = yield* os.names.connect('count/2', Count, true);
          const { count } = yield* client.next({ body: Uint8Array.of(round) });
          expect(count).toBe(1);
          irefs.add(inits.get(2)?.monitor.exports.lastIndex ?? 0);
          yield* os.system.stopCore(order(os, 2));
          expect(yield* statesOf(tester)).toEqual(['running', 'running', 'off']);
          const { end } = yield* os.system.wait({ domain });
          expect(end.how).not.toBe('exited');
          os.drop(domain);
          expect(yield* errorsOf(client.next({ body: new Uint8Array(0) }))).toContain(
            'RPC_ERR_CLOSED',
          );
          expect(yield* errorsOf(spawnOn(os, 2))).toContain('MON_ERR_NO_CORE');
          expect(inits.get(1)?.monitor.peers.all()[2]?.state).toBe('off');
          yield* os.sleep(1e6);
          free.push(memory.mm.freeBytes());
          expect([monitor.channels.count, monitor.watches.count]).toEqual([0, 0]);
          yield* os.system.startCore(order(os, 2));
          expect(yield* statesOf(tester)).toEqual(['running', 'running', 'running']);
        }
        expect(ids.size, 'numbers of domains are not used again').toBe(6);
        expect(irefs.size, 'nor references of services').toBe(6);
        expect(new Set(free.slice(1)).size, `free bytes: ${free}`).toBe(1);
        // The new core knows all others.
        for (const core of [1, 2]) yield* spawnOn(os, core);
        for (const core of [1, 2]) {
          const client = yield* os.names.connect(`count/${core}`, Count, true);
          expect((yield* client.next({ body: new Uint8Array(600) })).count).toBe(1);
        }
      },
      { ...WISHES, others: [counter] },
    );
  });

  test('a CPU driver is replaced under load, on every core, and no message is lost', () => {
    const { system } = runSystem(
      target,
      function* ({ os }) {
        for (let core = 0; core < CORES; core++) yield* spawnOn(os, core);
        const load = function* (core: number): Wait<void> {
          const client = yield* os.names.connect(`count/${core}`, Count, true);
          for (let i = 1; i <= 60; i++) {
            const body = Uint8Array.from({ length: (i * 37) % 600 }, (_, at) => (at * i) & 255);
            const answer = yield* client.next({ body });
            expect(answer.count).toBe(i);
            expect(answer.body).toEqual(body);
          }
        };
        const threads = Array.from({ length: CORES }, (_, core) =>
          os.spawnThread(`loads core ${core}`, load(core)),
        );
        const generations: number[] = [];
        for (let i = 0; i < 12; i++) {
          const { generation } = yield* os.system.replaceCore(order(os, i % CORES));
          generations.push(generation);
        }
        expect(generations).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
        for (const thread of threads) yield* os.join(thread);
      },
      { ...WISHES, others: [counter] },
    );
    expect(system.machine.programFailures).toEqual([]);
  });

  test('a core that lacks RAM gets some from the first one, which has it back in the end', () => {
    runSystem(
      target,
      function* (tester) {
        const { os, inits, init } = tester;
        const root = inits.get(1)?.domains.root.account;
        if (root === undefined) throw new Error('core 1 has an init');
        const spawn = function* (quotaBytes: number): Wait<void> {
          const wish = { core: 1, program: 'counter', args: [], environment: [], caps: [] };
          os.drop((yield* os.system.spawn({ ...wish, quotaBytes })).domain);
        };
        const round = function* (): Wait<number> {
          const { quotaBytes } = root;
          unwrap(root.open(root.leftBytes - MIB)); // somebody there has nearly all
          yield* spawn(3 * MIB);
          expect(root.quotaBytes).toBeGreaterThanOrEqual(quotaBytes + 2 * MIB);
          expect(yield* errorsOf(spawn(15 * MIB))).toContain('INIT_ERR_QUOTA');
          yield* os.system.stopCore(order(os, 1));
          yield* os.sleep(1e6);
          return init.memory.mm.freeBytes();
        };
        const free = yield* round();
        yield* os.system.startCore(order(os, 1));
        yield* os.system.stopCore(order(os, 1));
        yield* os.sleep(1e6);
        expect(init.memory.mm.freeBytes()).toBe(free);
      },
      { ...WISHES, others: [counter] },
    );
  });

  test('where RAM is too little for all cores, the first keeps what its domains need', () => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        yield* os.system.awaitCores({});
        expect(yield* statesOf(tester)).toEqual(['running', 'running', 'failed', 'failed']);
        const { cores } = yield* os.system.cores({});
        expect(cores.at(-1)?.why).toContain('INIT_ERR_QUOTA');
        os.drop((yield* spawnOn(os, 0)).domain);
        const client = yield* os.names.connect('count/0', Count, true);
        expect((yield* client.next({ body: new Uint8Array(0) })).count).toBe(1);
      },
      { coreCount: 4, ramBytes: LITTLE_RAM, others: [counter] },
    );
  });

  test('what makes no sense is refused', () => {
    runSystem(
      target,
      function* (tester) {
        const { os } = tester;
        const { system } = os;
        for (const core of [CORES, 63, 2 ** 32 - 1]) {
          for (const step of [system.startCore, system.stopCore, system.replaceCore]) {
            expect(yield* errorsOf(step(order(os, core)))).toContain('MON_ERR_NO_CORE');
          }
        }
        expect(yield* errorsOf(system.startCore(order(os, 1)))).toContain('MON_ERR_CORE_STATE');
        expect(yield* errorsOf(system.stopCore(order(os, 0)))).toContain('MON_ERR_CORE_STATE');
        const { cap: authority } = os.createEndpoint(16);
        const forged = { core: 1, authority: authority as never };
        expect(yield* errorsOf(system.stopCore(forged))).toContain('INIT_ERR_NOT_YOURS');
        const stopping = os.spawnThread('stops', errorsOf(system.stopCore(order(os, 1))));
        yield* os.giveWay();
        const again = yield* errorsOf(system.stopCore(order(os, 1)));
        expect([again.includes('MON_ERR_CORE_STATE'), yield* os.join(stopping)]).toEqual([
          true,
          [],
        ]);
        expect(yield* statesOf(tester)).toEqual(['running', 'off', 'running']);
      },
      WISHES,
    );
  });
});

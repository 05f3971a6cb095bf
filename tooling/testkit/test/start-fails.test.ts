/** Domains that init cannot start: it says why, and nothing of them is left. */

import { fail } from '@barreleye/core';
import { type Capref, OsError, unwrap, type Wait } from '@barreleye/libos';
import { MAX_ARG_BYTES, type ProgramOs, program } from '@barreleye/program';
import { Err, errNames } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { expectInventory, runSystem, TARGETS, type Tester, takeInventory } from '../src/index.ts';

const idler = program('idler', function* (os) {
  for (;;) yield* os.sleep(1e9);
});

const PLAIN = { program: 'idler', args: [], environment: [], caps: [], quotaBytes: undefined };
const MIB = 2 ** 20;

type Wishes = Partial<Parameters<ProgramOs['system']['spawn']>[0]>;

/** Start a domain, and kill it. If it cannot be started: the errors below RPC_ERR_REMOTE. */
function* start({ os }: Tester, wishes: Wishes = {}): Wait<string[]> {
  try {
    const { domain } = yield* os.system.spawn({ ...PLAIN, ...wishes });
    yield* os.system.kill({ domain });
    yield* os.system.wait({ domain });
    os.drop(domain);
    return [];
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return errNames(error.errval).filter((name) => name !== 'RPC_ERR_REMOTE');
  }
}

/** Whatever the first domain leaves for the next ones. */
function* warmUp(tester: Tester): Wait<void> {
  expect(yield* start(tester)).toEqual([]);
  expect(yield* start(tester)).toEqual([]);
}

describe.each(TARGETS)('on $name', (target) => {
  test('what cannot be started is refused with its reason, and costs nothing', () => {
    const others = [idler];
    const cases: readonly (readonly [Wishes, readonly string[]])[] = [
      [{ program: 'nobody' }, ['SPAWN_ERR_NO_PROGRAM']],
      [{ program: '' }, ['SPAWN_ERR_NO_PROGRAM']],
      [{ quotaBytes: 1024 * MIB }, ['INIT_ERR_QUOTA']],
      [{ quotaBytes: 2 ** 52 }, ['INIT_ERR_QUOTA']],
      [{ quotaBytes: 0 }, ['LIB_ERR_SPAWN', 'INIT_ERR_QUOTA']],
      [{ quotaBytes: 4096 }, ['LIB_ERR_SPAWN', 'INIT_ERR_QUOTA']],
      [{ args: Array(20).fill('x'.repeat(1000)) }, ['LIB_ERR_SPAWN', 'SPAWN_ERR_ARGS']],
      [{ environment: Array(20).fill('x'.repeat(1000)) }, ['LIB_ERR_SPAWN', 'SPAWN_ERR_ARGS']],
      [{ args: ['x'.repeat(MAX_ARG_BYTES + 1)] }, ['RPC_ERR_ARGUMENT']],
      [{ args: Array(33).fill('') }, ['RPC_ERR_ARGUMENT']],
      [{ program: 'x'.repeat(65) }, ['RPC_ERR_ARGUMENT']],
    ];
    runSystem(
      target,
      function* (tester) {
        yield* warmUp(tester);
        const before = yield* takeInventory(tester);
        for (const [wishes, names] of cases) {
          const found = yield* start(tester, wishes);
          expect(found.slice(0, names.length), JSON.stringify(wishes).slice(0, 60)).toEqual(names);
        }
        yield* expectInventory(tester, before);
      },
      { others },
    );
  });

  test('more capabilities than can be handed over are refused', () => {
    runSystem(
      target,
      function* (tester) {
        yield* warmUp(tester);
        const before = yield* takeInventory(tester);
        const { os } = tester;
        const caps = Array.from({ length: 9 }, () => os.allocSlot());
        expect(yield* start(tester, { caps })).toEqual(['RPC_ERR_ARGUMENT']);
        for (const cap of caps) os.drop(cap);
        yield* expectInventory(tester, before);
      },
      { others: [idler] },
    );
  });

  test('with every quota that is too small nothing is left', () => {
    runSystem(
      target,
      function* (tester) {
        yield* warmUp(tester);
        const before = yield* takeInventory(tester);
        let failures = 0;
        for (let quotaBytes = 0; ; quotaBytes += 16 * 1024) {
          const names = yield* start(tester, { quotaBytes });
          if (names.length === 0) break;
          expect([names.at(0), names.at(-1)]).toEqual(['LIB_ERR_SPAWN', 'INIT_ERR_QUOTA']);
          failures += 1;
        }
        expect(failures).toBeGreaterThan(30);
        yield* expectInventory(tester, before);
      },
      { others: [idler] },
    );
  });

  test('when init runs out of slots at any step nothing is left', () => {
    runSystem(
      target,
      function* (tester) {
        const { os, init } = tester;
        const { slots } = init.os;
        yield* warmUp(tester);
        const before = yield* takeInventory(tester);
        const { refill } = slots;
        slots.refill = undefined;
        let failures = 0;
        for (let left = 0; ; left++) {
          yield* os.sleep(100_000);
          const taken: Capref[] = [];
          while (slots.freeCount > left) taken.push(unwrap(slots.alloc()));
          const names = yield* start(tester);
          for (const slot of taken) init.os.check(slots.free(slot));
          if (names.length === 0) break;
          expect(names.at(-1), names.join()).toMatch(/SLOT|LMP/);
          failures += 1;
        }
        slots.refill = refill;
        expect(failures).toBeGreaterThan(20);
        yield* expectInventory(tester, before);
      },
      { others: [idler] },
    );
  });

  test('when init runs out of memory at any step nothing is left', () => {
    runSystem(
      target,
      function* (tester) {
        const { init } = tester;
        const { mm } = init.memory;
        yield* warmUp(tester);
        const before = yield* takeInventory(tester);
        let failures = 0;
        for (let step = 1; ; step++) {
          let calls = 0;
          const alloc = mm.alloc.bind(mm);
          mm.alloc = (bytes, options) => {
            calls += 1;
            return calls === step ? fail(Err.MM_ERR_NOT_FOUND) : alloc(bytes, options);
          };
          const names = yield* start(tester);
          mm.alloc = alloc;
          if (names.length === 0) break;
          expect(names.slice(0, 1)).toEqual(['LIB_ERR_SPAWN']);
          expect(names.at(-1)).toBe('MM_ERR_NOT_FOUND');
          failures += 1;
        }
        expect(failures).toBeGreaterThan(8);
        yield* expectInventory(tester, before);
      },
      { others: [idler] },
    );
  });
});

/** Who pays for memory, and what a domain does with what it gets: on real capabilities. */

import { asPaddr, BASE_PAGE_SIZE, OK, type Result } from '@barreleye/core';
import { Account } from '@barreleye/init/testing';
import {
  type Capref,
  capIdentify,
  capRetype,
  capRevoke,
  OsError,
  TASK_DISPATCHER,
  TASK_DOMAIN,
  TASK_INIT_EP,
  TASK_ROOT_CN,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import type { ProgramOs } from '@barreleye/program';
import { Err, errNames, Rights } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, runFirstDomain, runSystem, TARGETS } from '../src/index.ts';

const PAGE = BASE_PAGE_SIZE;
const KIB = 1024;
const MIB = 2 ** 20;

/** The outermost reason of a failure. */
function reasonOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : errNames(result.err)[0];
}

describe.each(TARGETS)('an account on $name', (target) => {
  /** Run `body` with an account of 100 pages, and see that everything comes back. */
  function withAccount(body: (root: Account, os: ProgramOs['sys']) => void): void {
    runFirstDomain(
      target,
      function* ({ os, memory }) {
        const root = new Account(os, memory.mm, 100 * PAGE);
        const warm = unwrap(root.grant(PAGE, PAGE)); // slots and nodes
        os.drop(warm.ram);
        os.check(root.takeBack(warm.base));
        const [freeBytes, freeSlots] = [memory.mm.freeBytes(), os.slots.freeCount];
        body(root, os.sys);
        root.close();
        memory.collect();
        expect(root.usedBytes).toBe(0);
        expect(memory.mm.freeBytes()).toBe(freeBytes);
        expect(os.slots.freeCount).toBeGreaterThanOrEqual(freeSlots - 8); // those of gifts
        yield* os.preempt();
      },
      { wrapDriver: checkEveryEntry },
    );
  }

  test('pays for what is taken, up to its quota, and is paid back', () => {
    withAccount((root) => {
      const block = unwrap(root.alloc(60 * PAGE, PAGE));
      expect([root.usedBytes, root.leftBytes]).toEqual([60 * PAGE, 40 * PAGE]);
      expect(root.alloc(41 * PAGE, PAGE)).toEqual({ ok: false, err: Err.INIT_ERR_QUOTA });
      expect(root.alloc(Number.MAX_SAFE_INTEGER, PAGE).ok).toBe(false);
      expect(root.leftBytes).toBe(40 * PAGE);
      expect(root.free({ ...block })).toBe(Err.INIT_ERR_NOT_YOURS);
      expect(root.free(block)).toBe(OK);
      expect(root.free(block)).toBe(Err.INIT_ERR_NOT_YOURS);
      expect(root.usedBytes).toBe(0);
    });
  });

  test('gives others RAM of which nothing that they do reaches its own capability', () => {
    withAccount((root, sys) => {
      const { ram, base, bytes } = unwrap(root.grant(5 * PAGE - 1, PAGE));
      expect(unwrap(capIdentify(sys, ram))).toMatchObject({ base, bytes: 5 * PAGE });
      expect(bytes).toBe(5 * PAGE);
      expect(capRevoke(sys, ram)).toBe(OK);
      expect(root.takeBack(base + PAGE)).toBe(Err.INIT_ERR_NOT_YOURS);
      expect(root.takeBack(base)).toBe(OK);
      expect(capIdentify(sys, ram).ok, 'the grant is gone, whoever had it').toBe(false);
      expect(root.takeBack(base)).toBe(Err.INIT_ERR_NOT_YOURS);
    });
  });

  test('is cut out of another, to which all goes back when it is closed', () => {
    withAccount((root) => {
      const child = unwrap(root.open(50 * PAGE + 1));
      expect([child.quotaBytes, root.usedBytes]).toEqual([50 * PAGE, 50 * PAGE]);
      expect(root.open(51 * PAGE)).toEqual({ ok: false, err: Err.INIT_ERR_QUOTA });
      const grandchild = unwrap(child.open(20 * PAGE));
      unwrap(child.alloc(10 * PAGE, PAGE));
      unwrap(grandchild.alloc(20 * PAGE, PAGE));
      expect(reasonOf(child.alloc(21 * PAGE, PAGE))).toBe('INIT_ERR_QUOTA');
      child.close();
      // What the grandchild has is charged to the origin now.
      expect([root.usedBytes, grandchild.usedBytes]).toEqual([20 * PAGE, 20 * PAGE]);
      grandchild.close();
      expect(root.usedBytes).toBe(0);
    });
  });
});

/** The reasons for which `step` fails. */
function* failureOf(step: Wait<unknown>): Wait<readonly string[]> {
  try {
    yield* step;
  } catch (error) {
    if (error instanceof OsError) return errNames(error.errval);
    throw error;
  }
  return [];
}

describe.each(TARGETS)('the memory of a domain on $name', (target) => {
  test('is there for plain calls once it has been reserved, in one piece', () => {
    runSystem(target, function* ({ os }) {
      const { mm } = os.memory;
      for (const bytes of [PAGE, 100 * KIB, 3 * MIB]) {
        yield* os.memory.reserve(bytes);
        const block = unwrap(mm.alloc(bytes));
        const range = { offset: 0, objectBytes: bytes, count: 1 };
        const slot = os.allocSlot();
        unwrap(capRetype(os.sys, slot, block.cap, 'Frame', range));
        os.drop(slot);
        os.check(mm.free({ ...block, base: asPaddr(block.base) }));
      }
      const { usedBytes } = yield* os.system.memory({});
      yield* os.memory.reserve(3 * MIB);
      expect((yield* os.system.memory({})).usedBytes, 'it is there already').toBe(usedBytes);
    });
  });

  test('is its own: what it is given it can revoke, and nothing that it is lent', () => {
    runSystem(target, function* ({ os }) {
      const rightsOf = (cap: Capref): number => unwrap(capIdentify(os.sys, cap)).rights;
      const { ram } = yield* os.system.allocRam({ bytes: PAGE, alignBytes: PAGE });
      expect(rightsOf(ram)).toBe(Rights.All);
      const { endpoint } = yield* os.system.bind(yield* os.system.nameService({}));
      for (const cap of [endpoint, TASK_DOMAIN, TASK_DISPATCHER, TASK_INIT_EP, TASK_ROOT_CN]) {
        expect(rightsOf(cap)).toBe(Rights.All & ~Rights.Revoke);
      }
    });
  });

  test('is asked for in round sizes, unless only less is left', () => {
    runSystem(target, function* ({ os }) {
      const { usedBytes, quotaBytes } = yield* os.system.memory({});
      const power = 2 ** Math.floor(Math.log2(quotaBytes - usedBytes - MIB));
      yield* os.memory.reserve(power + PAGE); // twice as much there is not
      unwrap(os.memory.mm.alloc(power + PAGE));
    });
  });

  test('can be all of its quota, and more is refused', () => {
    runSystem(target, function* ({ os }) {
      const refused = yield* failureOf(os.memory.reserve(2 ** 40));
      expect(refused).toContain('INIT_ERR_QUOTA');
      for (let bytes = 4 * MIB; bytes >= PAGE; ) {
        const failure = yield* failureOf(os.memory.reserve(bytes));
        if (failure.length > 0) bytes /= 2;
        else unwrap(os.memory.mm.alloc(bytes));
      }
      const { usedBytes, quotaBytes } = yield* os.system.memory({});
      expect(quotaBytes - usedBytes).toBeLessThan(140 * KIB);
    });
  });
});

/**
 * Acceptance tests of virtual memory on whole systems: a domain that owns all memory maps, touches,
 * protects and unmaps, and what it sees comes through the page tables of a real machine.
 */

import { assert, isOk, OK } from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capMint,
  capRetype,
  type Os,
  PageFaultError,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { Heap } from '@barreleye/paging';
import { Access, Err, PageFlag, Rights } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, type FirstDomain, runFirstDomain, TARGETS } from '../src/index.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const RW = PageFlag.Read | PageFlag.Write;

/** A frame of `bytes` bytes at a multiple of `alignBytes`; the RAM behind it stays allocated. */
function makeFrame({ os, memory }: FirstDomain, bytes: number, alignBytes = PAGE): Capref<'Frame'> {
  const ram = unwrap(memory.mm.alloc(bytes, { alignBytes }));
  const range = { offset: 0, objectBytes: ram.bytes, count: 1 };
  return unwrap(capRetype(os.sys, os.allocSlot(), ram.cap, 'Frame', range));
}

/** The word at `va`, which is mapped. */
function load({ sys }: Os, va: number): number {
  const word = sys.cpu.load32(va);
  assert(word >= 0, `a page is mapped at ${va}`);
  return word;
}

function store({ sys }: Os, va: number, word: number): void {
  assert(sys.cpu.store32(va, word), `a page is mapped at ${va}`);
}

/** The fault that an access ends in. */
function* faultOf(access: Wait<unknown>): Wait<PageFaultError> {
  try {
    yield* access;
  } catch (error) {
    if (error instanceof PageFaultError) return error;
    throw error;
  }
  throw new Error('there was no fault');
}

describe.each(TARGETS)('virtual memory on $name', (target) => {
  const { userLimit } = target.target.board.arch;

  test('16: 5 MiB are zero at first sight and keep data across page tables', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const bytes = 5 * MIB;
      const { base } = unwrap(
        memory.vspace.map({ frame: makeFrame(domain, bytes), bytes, flags: RW }),
      );
      for (let i = 0; i < bytes / 4; i++) {
        assert(load(os, base + 4 * i) === 0, 'new memory is zero');
        store(os, base + 4 * i, i);
      }
      yield* os.preempt();
      for (let i = 0; i < bytes / 4; i++) assert(load(os, base + 4 * i) === i, `word ${i} is kept`);
    });
  });

  test('17: each of 17 aliases of a frame sees the last write', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const bytes = 5 * MIB;
      const frame = makeFrame(domain, bytes);
      for (let n = 0; n < 17; n++) {
        const { base } = unwrap(memory.vspace.map({ frame, bytes, flags: RW }));
        for (let at = 4 * n; at < bytes; at += PAGE) {
          assert(load(os, base + (at - 4 * n)) === n, 'an alias shows what another has written');
        }
        for (let at = 0; at < bytes; at += PAGE) store(os, base + at, n + 1);
        yield* os.preempt();
      }
      const seen = memory.vspace.regions().map(({ base }) => load(os, base + 3 * MIB));
      expect(seen.filter((word) => word === 17)).toHaveLength(17);
    });
  });

  test('18: a fixed address is honoured, contents outlive the mapping', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const base = Math.min(0x2000_0000_0000, userLimit / 2);
      const bytes = 5 * MIB;
      const frame = makeFrame(domain, bytes);
      expect(unwrap(memory.vspace.mapFixed(base, { frame, bytes, flags: RW })).base).toBe(base);
      store(os, base + 4 * MIB, 1234);
      expect(memory.vspace.unmap(base)).toBe(OK);
      const fault = yield* faultOf(os.load32(base + 4 * MIB));
      expect([fault.address, fault.access]).toEqual([base + 4 * MIB, Access.Read]);
      unwrap(memory.vspace.mapFixed(base, { frame, bytes, flags: RW }));
      expect(load(os, base + 4 * MIB)).toBe(1234);
    });
  });

  test('19: a frame that is destroyed is in no table, and in no record', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const [frame, careless] = [makeFrame(domain, PAGE), makeFrame(domain, PAGE)];
      const { base } = unwrap(memory.vspace.map({ frame, bytes: PAGE, flags: RW }));
      store(os, base, 5);
      expect(memory.vspace.destroyFrame(frame)).toBe(OK);
      expect(memory.vspace.lookup(base)).toBeUndefined();
      yield* faultOf(os.load32(base));
      // Somebody may delete a frame behind the back of the address space.
      const other = unwrap(memory.vspace.map({ frame: careless, bytes: PAGE, flags: RW }));
      expect(capDelete(os.sys, careless)).toBe(OK);
      yield* faultOf(os.load32(other.base));
      expect(memory.vspace.unmap(other.base)).toBe(OK);
    });
  });

  test('20: 16 pages made read-only fault once each, where they are written', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const { vspace } = memory;
      const bytes = 16 * PAGE;
      const { base } = unwrap(vspace.map({ frame: makeFrame(domain, bytes), bytes, flags: RW }));
      for (let at = 0; at < bytes; at += PAGE) store(os, base + at, at);
      expect(vspace.protect(base, bytes, PageFlag.Read)).toBe(OK);
      for (let at = 0; at < bytes; at += PAGE) expect(load(os, base + at)).toBe(at);
      const faults: [number, number][] = [];
      // biome-ignore lint/correctness/useYield: it does not wait
      os.onPageFault(function* ({ address, access }) {
        faults.push([address, access]);
        return vspace.protect(address - (address % PAGE), PAGE, RW);
      });
      for (let at = 0; at < bytes; at += PAGE) yield* os.store32(base + at + 12, at);
      expect(faults).toEqual(
        Array.from({ length: 16 }, (_, i) => [base + i * PAGE + 12, Access.Write]),
      );
    });
  });

  test('I46: a frame that may only be read is mapped so, whatever the format can forbid', () => {
    runFirstDomain(
      target,
      function* (domain) {
        const { os, memory } = domain;
        const whole = makeFrame(domain, PAGE);
        const frame = unwrap(capMint(os.sys, os.allocSlot(), whole, Rights.Read));
        const { base } = unwrap(memory.vspace.map({ frame, bytes: PAGE, flags: PageFlag.Read }));
        expect(yield* os.load32(base)).toBe(0);
        yield* faultOf(os.store32(base, 1));
        expect(memory.vspace.map({ frame, bytes: PAGE, flags: RW }).ok).toBe(false);
        const executable = PageFlag.Read | PageFlag.Execute;
        expect(memory.vspace.map({ frame, bytes: PAGE, flags: executable }).ok).toBe(false);
      },
      { wrapDriver: checkEveryEntry },
    );
  });

  test('25: every page of a large one is found, with its frame and offset', () => {
    const sizes = target.target.paging.levels.filter((l) => l.mapsPages && l.spanBits > 12);
    const bytes = 2 ** Math.min(...sizes.map(({ spanBits }) => spanBits));
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const frame = makeFrame(domain, bytes, bytes);
      const { base } = unwrap(memory.vspace.map({ frame, bytes, flags: RW }));
      for (let at = 0; at < bytes; at += PAGE) {
        expect(memory.vspace.lookup(base + at)).toMatchObject({ frame, offset: at, flags: RW });
      }
      expect(memory.vspace.lookup(base)?.pageBits).toBeGreaterThan(12);
      store(os, base + bytes - 4, 7);
      yield* os.preempt();
    });
  });

  test.each([1, 2, 4])(
    '26: a lazy 256 MiB takes memory where it is touched, by %d threads',
    (n) => {
      const ramBytes = 64 * MIB;
      runFirstDomain(
        target,
        function* (domain) {
          const { os, memory } = domain;
          const bytes = 256 * MIB;
          const before = memory.mm.freeBytes();
          const { base } = unwrap(memory.vspace.reserve({ bytes, flags: RW }));
          expect(memory.mm.freeBytes()).toBe(before);
          const touched = Array.from(
            { length: bytes / 4 / PAGE / 8 },
            (_, i) => base + 8 * PAGE * i,
          );
          const threads = Array.from({ length: n }, (_, t) =>
            os.spawnThread(`toucher ${t}`, touch(os, touched)),
          );
          for (const thread of threads) yield* os.join(thread);
          for (const va of touched) expect(load(os, va)).toBe(n);
          const used = before - memory.mm.freeBytes();
          expect(used).toBeGreaterThanOrEqual(touched.length * PAGE);
          expect(used, 'but for page tables and slots').toBeLessThan(touched.length * PAGE * 1.25);
          expect(memory.vspace.unmap(base)).toBe(OK);
          expect(before - memory.mm.freeBytes()).toBeLessThan(touched.length * PAGE * 0.25);
        },
        { ramBytes },
      );
    },
  );

  test('27: an access that nobody can serve ends its thread with a report, and no other', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const stack = unwrap(
        memory.vspace.reserve({ bytes: 4 * PAGE, flags: RW, guardBytes: PAGE, name: 'stack' }),
      );
      const overflow = function* (): Wait<void> {
        for (let sp = stack.base + stack.bytes - 4; ; sp -= 4) yield* os.store32(sp, sp >>> 0);
      };
      const readOnly = unwrap(memory.vspace.reserve({ bytes: PAGE, flags: PageFlag.Read }));
      const hole = 0x3800_0000;
      const faults = [
        yield* faultOf(os.store32(hole, 1)),
        yield* faultOf(os.load32(0)),
        yield* faultOf(overflow()),
        yield* faultOf(os.store32(readOnly.base, 1)),
      ];
      expect(faults.map(({ address, access, reason }) => [address, access, reason])).toEqual([
        [hole, Access.Write, Err.LIB_ERR_PAGE_FAULT_NO_REGION],
        [0, Access.Read, Err.LIB_ERR_PAGE_FAULT_NO_REGION],
        [stack.base + PAGE - 4, Access.Write, Err.LIB_ERR_PAGE_FAULT_GUARD],
        [readOnly.base, Access.Write, Err.LIB_ERR_PAGE_FAULT_ACCESS],
      ]);
      expect(String(faults[2])).toContain('guard region');
      expect(yield* os.load32(readOnly.base)).toBe(0);
    });
  });

  test('28: the heap keeps 1000 blocks apart and takes blocks of any size', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const heap = new Heap(memory.vspace);
      const blocks = Array.from({ length: 1000 }, () => unwrap(heap.alloc(100)));
      for (const [i, va] of blocks.entries()) {
        for (let at = 0; at < 100; at += 4) yield* os.store32(va + at, i);
      }
      for (const [i, va] of blocks.entries()) {
        for (let at = 0; at < 100; at += 4) assert((yield* os.load32(va + at)) === i, 'kept');
      }
      for (const va of blocks) os.check(heap.free(va));
      for (let i = 0; i < 1000; i++) os.check(heap.free(unwrap(heap.alloc(100))));
      const gib = Math.min(2 ** 30, userLimit / 4);
      for (const bytes of [5, 1000, 2 * MIB, gib]) {
        const va = unwrap(heap.alloc(bytes));
        const last = va + bytes - (bytes % 4) - 4;
        yield* os.store8(va, bytes & 0xff);
        yield* os.store32(last + (bytes < 8 ? 4 : 0), bytes);
        expect(yield* os.load8(va)).toBe(bytes & 0xff);
        os.check(heap.free(va));
      }
      expect(heap.blockCount).toBe(0);
      const err = heap.free(blocks[0] ?? 0);
      expect(isOk(err)).toBe(false);
    });
  });
});

/** Add one to the word at each of these addresses. */
function* touch(os: Os, addresses: readonly number[]): Wait<void> {
  for (const va of addresses) {
    yield* os.store32(va, (yield* os.load32(va)) + 1);
    yield* os.preempt();
  }
}

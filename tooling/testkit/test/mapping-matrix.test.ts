/**
 * Acceptance tests of mapping on whole systems: what fits into which page table, and frames that
 * are mapped in more than one place or with larger pages.
 */

import { assert, OK, type Result } from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capRetypeAny,
  type Os,
  PageFaultError,
  unwrap,
  vnodeMap,
  type Wait,
} from '@barreleye/libos';
import {
  CAP_TYPE_NAMES,
  errNames,
  type MappableTypeName,
  PageFlag,
  type VNodeTypeName,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { type FirstDomain, runFirstDomain, TARGETS } from '../src/index.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RW = PageFlag.Read | PageFlag.Write;

/** An object of `type` in RAM of its own, aligned to its size. */
function make<T extends VNodeTypeName | 'Frame'>(
  { os, memory }: FirstDomain,
  type: T,
  bytes: number,
): Capref<T> {
  const alignBytes = 2 ** Math.ceil(Math.log2(Math.max(bytes, PAGE)));
  const ram = unwrap(memory.mm.alloc(Math.max(bytes, PAGE), { alignBytes }));
  const range = { offset: 0, objectBytes: bytes, count: 1 };
  return unwrap(capRetypeAny(os.sys, os.allocSlot(), ram.cap, type, range)) as Capref<T>;
}

/** Try to map at an entry, and take it back; the error of the kernel, or OK. */
function tryMap(
  { os }: FirstDomain,
  table: Capref<VNodeTypeName>,
  source: Capref<MappableTypeName>,
  entry: number,
  count = 1,
  offset = 0,
): string {
  const slot = os.allocSlot();
  const made = vnodeMap(os.sys, slot, table, source, { entry, count, flags: RW, offset });
  if (made.ok) assert(capDelete(os.sys, made.value) === OK, 'a mapping can be deleted');
  assert(os.slots.free(slot) === OK, 'the slot is empty again');
  return nameOf(made);
}

function nameOf(result: Result<unknown>): string {
  return result.ok ? 'OK' : (errNames(result.err).at(-1) ?? '');
}

function* isMapped(os: Os, va: number): Wait<boolean> {
  try {
    yield* os.load32(va);
    return true;
  } catch (error) {
    if (error instanceof PageFaultError) return false;
    throw error;
  }
}

describe.each(TARGETS)('on $name', (target) => {
  const { levels } = target.target.paging;
  const spans = levels.filter((l) => l.mapsPages).map((l) => 2 ** l.spanBits);

  test('21: each table takes its child and frames of its page size, and nothing else', () => {
    runFirstDomain(
      target,
      function* (domain) {
        const sizes = spans.filter((span) => span < GIB);
        const tables = levels.map(({ type, tableBytes }) =>
          make(domain, CAP_TYPE_NAMES[type] as VNodeTypeName, tableBytes),
        );
        const frames = sizes.map((bytes) => make(domain, 'Frame', bytes));
        for (const [at, { childType, mapsPages, spanBits }] of levels.entries()) {
          const into = tables[at] as Capref<VNodeTypeName>;
          for (const [i, table] of tables.entries()) {
            const isChild = levels[i]?.type === childType;
            expect(tryMap(domain, into, table, 1), `${i} into ${at}`).toBe(
              isChild ? 'OK' : 'SYS_ERR_WRONG_MAPPING',
            );
          }
          for (const [i, frame] of frames.entries()) {
            const tooSmall = (sizes[i] ?? 0) < 2 ** spanBits;
            const expected = tooSmall ? 'SYS_ERR_VM_FRAME_TOO_SMALL' : 'OK';
            expect(tryMap(domain, into, frame, 1), `frame ${i} into ${at}`).toBe(
              mapsPages ? expected : 'SYS_ERR_WRONG_MAPPING',
            );
          }
        }
        yield* domain.os.preempt();
      },
      { ramBytes: 64 * MIB },
    );
  });

  test('22: a mapping reaches no further than its frame', () => {
    runFirstDomain(target, function* (domain) {
      const leaf = levels.at(-1);
      const type = CAP_TYPE_NAMES[leaf?.type ?? 0] as VNodeTypeName;
      const table = make(domain, type, leaf?.tableBytes ?? 0);
      const [one, other] = [make(domain, 'Frame', PAGE), make(domain, 'Frame', PAGE)];
      expect(tryMap(domain, table, one, 0, 128)).toBe('SYS_ERR_FRAME_OFFSET_INVALID');
      expect(tryMap(domain, table, one, 0, 1, PAGE)).toBe('SYS_ERR_FRAME_OFFSET_INVALID');
      const { os } = domain;
      const args = { count: 1, flags: RW, offset: 0 };
      unwrap(vnodeMap(os.sys, os.allocSlot(), table, one, { ...args, entry: 0 }));
      expect(tryMap(domain, table, one, 0)).toBe('SYS_ERR_VNODE_SLOT_INUSE');
      unwrap(vnodeMap(os.sys, os.allocSlot(), table, other, { ...args, entry: 1 }));
      yield* os.preempt();
    });
  });

  test('23: a table cloned entry by entry shows the same, until the frame dies', () => {
    runFirstDomain(target, function* (domain) {
      const { os, memory } = domain;
      const { vspace } = memory;
      const leafPages = levels.at(-1)?.entryCount ?? 0;
      const bytes = leafPages * PAGE;
      const frame = make(domain, 'Frame', bytes);
      const request = { frame, bytes, flags: RW, maxPageBits: 12 };
      const [original, clone] = [0, 1].map((i) => {
        const base = os.arch.heapBase + (8 + i) * bytes;
        return unwrap(vspace.mapFixed(base, request)).base;
      }) as [number, number];
      for (let page = 0; page < leafPages; page++) yield* os.store32(original + page * PAGE, page);
      for (let page = 0; page < leafPages; page++) {
        assert((yield* os.load32(clone + page * PAGE)) === page, 'the clone shows the same');
      }
      os.check(capDelete(os.sys, frame));
      expect(yield* isMapped(os, original)).toBe(false);
      expect(yield* isMapped(os, clone + bytes - PAGE)).toBe(false);
    });
  });

  test('24: a large frame in pages of every size, twice over', () => {
    const large = spans.filter((span) => span > PAGE && span <= 4 * MIB);
    const bytes = 4 * Math.max(...large);
    runFirstDomain(
      target,
      function* (domain) {
        const { os, memory } = domain;
        const { vspace } = memory;
        const frame = make(domain, 'Frame', bytes);
        const placeAt = os.arch.heapBase + 16 * bytes;
        for (const round of [0, 1]) {
          for (const pageBytes of [PAGE, ...large]) {
            const maxPageBits = Math.log2(pageBytes);
            const base = placeAt + (round === 0 ? 0 : Math.max(...large));
            const request = { frame, bytes, flags: RW, maxPageBits };
            const region = unwrap(vspace.mapFixed(base, request));
            expect(vspace.lookup(base)?.pageBits).toBe(maxPageBits);
            for (let at = 0; at < bytes; at += PAGE) {
              if (round + maxPageBits > 12) assert((yield* os.load32(base + at)) === at, 'kept');
              yield* os.store32(base + at, at);
            }
            expect(vspace.unmap(region.base)).toBe(OK);
            expect(yield* isMapped(os, base + bytes - PAGE)).toBe(false);
          }
        }
      },
      { ramBytes: 64 * MIB },
    );
  });
});

test('24: 1 GiB in one page, in pages of 2 MiB, and at an address that suits only these', () => {
  const target = TARGETS.find(({ name }) => name === 'x86_64');
  if (target === undefined) throw new Error('there is no x86_64');
  runFirstDomain(
    target,
    function* (domain) {
      const { os, memory } = domain;
      const { vspace } = memory;
      const frame = make(domain, 'Frame', GIB);
      const touch = function* (base: number, pageBits: number): Wait<void> {
        expect(vspace.lookup(base + 5 * PAGE)?.pageBits).toBe(pageBits);
        for (let at = 0; at < GIB; at += 16 * PAGE) {
          assert((yield* os.load32(base + at)) === (at === 0 ? pageBits : 0), 'as it was left');
        }
      };
      const places = [
        { base: 0x100_0000_0000, maxPageBits: 30, pageBits: 30 },
        { base: 0x100_0000_0000, maxPageBits: 21, pageBits: 21 },
        { base: 0x100_0000_0000 + 2 * MIB, maxPageBits: 30, pageBits: 21 },
      ];
      for (const { base, maxPageBits, pageBits } of [...places, ...places]) {
        unwrap(vspace.mapFixed(base, { frame, bytes: GIB, flags: RW, maxPageBits }));
        yield* os.store32(base, pageBits);
        yield* touch(base, pageBits);
        expect(vspace.unmap(base)).toBe(OK);
        expect(yield* isMapped(os, base + GIB - PAGE)).toBe(false);
      }
    },
    { ramBytes: 2.5 * GIB },
  );
});

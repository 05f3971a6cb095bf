/** Lazy regions, guard regions, large pages, protection. */

import { isOk, OK, type Result } from '@barreleye/core';
import { Access, Err, errName, errNames, PageFlag } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { SHAPES } from '../test/shapes.ts';
import { PAGE, Space } from '../test/space.ts';

const { Read, Write, Execute } = PageFlag;
const RW = Read | Write;

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(errNames(result.err).join(' '));
  return result.value;
}

describe.each(SHAPES)('in an address space of $name', (named) => {
  const { from } = named;

  describe('a lazy region', () => {
    it('takes memory for the pages that are touched, once each', () => {
      const space = new Space(named);
      const { base } = must(space.vspace.reserve({ bytes: 64 * PAGE, flags: RW }));
      expect([base, space.framesTaken, space.slotsTaken]).toEqual([from, 0, 0]);
      for (const page of [3, 60, 0, 3, 4]) {
        expect(space.vspace.serveFault(base + page * PAGE + 17, Access.Write)).toBe(OK);
      }
      expect(space.framesTaken).toBe(4);
      const backed = Array.from({ length: 64 }, (_, i) => i).filter(
        (i) => space.at(base + i * PAGE) !== undefined,
      );
      expect(backed).toEqual([0, 3, 4, 60]);
      const shown = [...space.vspace.mapped()].map(({ va }) => (va - base) / PAGE);
      expect(shown).toEqual(backed);
    });

    it('gives everything back when it goes', () => {
      const space = new Space(named);
      must(space.vspace.reserve({ bytes: PAGE, flags: RW, isBacked: true }));
      const taken = space.slotsTaken;
      const { base } = must(space.vspace.reserve({ bytes: 8 * PAGE, flags: RW }));
      for (const page of [1, 5, 7]) space.vspace.serveFault(base + page * PAGE, Access.Read);
      expect(space.vspace.unmap(base)).toBe(OK);
      expect([space.framesTaken, space.slotsTaken]).toEqual([1, taken]);
      for (const page of [1, 5, 7]) expect(space.at(base + page * PAGE)).toBeUndefined();
      expect(space.vspace.serveFault(base, Access.Read)).toBe(Err.LIB_ERR_PAGE_FAULT_NO_REGION);
    });

    it('that is backed from the start never faults', () => {
      const space = new Space(named);
      const { base } = must(
        space.vspace.reserve({ bytes: 4 * PAGE, flags: RW, isBacked: true, name: 'stack' }),
      );
      expect(space.framesTaken).toBe(4);
      for (const page of [0, 1, 2, 3]) expect(space.at(base + page * PAGE)).toBeDefined();
    });

    it('keeps pages at its start unbacked, for what runs over the end of a stack', () => {
      const space = new Space(named);
      const stack = { bytes: 5 * PAGE, flags: RW, guardBytes: PAGE, isBacked: true };
      const { base } = must(space.vspace.reserve(stack));
      expect(space.framesTaken).toBe(4);
      expect(space.at(base)).toBeUndefined();
      expect(space.vspace.serveFault(base + PAGE - 8, Access.Write)).toBe(
        Err.LIB_ERR_PAGE_FAULT_GUARD,
      );
      for (const guardBytes of [1, -PAGE, 6 * PAGE]) {
        const made = space.vspace.reserve({ bytes: 5 * PAGE, flags: RW, guardBytes });
        expect(made.ok ? 'OK' : errName(made.err)).toBe('LIB_ERR_PMAP_ADDRESS');
      }
    });

    it('is made or backed whole or not at all, whichever step fails', () => {
      for (let step = 1; ; step++) {
        const space = new Space(named);
        space.failAt(step);
        const made = space.vspace.reserve({ bytes: 3 * PAGE, flags: RW, isBacked: true });
        if (!space.hasFailed) {
          expect(step).toBeGreaterThan(9); // three pages of three steps
          break;
        }
        expect(made.ok).toBe(false);
        expect([space.framesTaken, space.vspace.regions().length]).toEqual([0, 0]);
        space.failAt(Number.POSITIVE_INFINITY);
        must(space.vspace.reserve({ bytes: 3 * PAGE, flags: RW, isBacked: true }));
      }
    });

    it('says why a page cannot be backed, and backs it later', () => {
      const space = new Space(named);
      const { base } = must(space.vspace.reserve({ bytes: PAGE, flags: RW }));
      space.failAt(1);
      const err = space.vspace.serveFault(base, Access.Read);
      expect(errNames(err)).toEqual(['LIB_ERR_PMAP_MAP', 'SYS_ERR_CAP_LOCKED']);
      expect(space.framesTaken).toBe(0);
      expect(space.vspace.serveFault(base, Access.Read)).toBe(OK);
    });
  });

  it('faults are refused by name', () => {
    const space = new Space(named);
    const frame = space.createFrame(1);
    const readOnly = must(space.vspace.map({ frame, bytes: PAGE, flags: Read })).base;
    const lazy = must(space.vspace.reserve({ bytes: PAGE, flags: RW })).base;
    const guard = must(space.vspace.reserve({ bytes: PAGE, flags: 0 })).base;
    const serve = (va: number, access: number): string =>
      errName(space.vspace.serveFault(va, access));
    expect(serve(0, Access.Read)).toBe('LIB_ERR_PAGE_FAULT_NO_REGION');
    expect(serve(readOnly + PAGE, Access.Read)).toBe('LIB_ERR_PAGE_FAULT_NO_REGION');
    expect(serve(readOnly, Access.Write)).toBe('LIB_ERR_PAGE_FAULT_ACCESS');
    expect(serve(lazy, Access.Execute | Access.User)).toBe('LIB_ERR_PAGE_FAULT_ACCESS');
    for (const access of [Access.Read, Access.Write, Access.Execute]) {
      expect(serve(guard, access)).toBe('LIB_ERR_PAGE_FAULT_GUARD');
    }
    expect(space.framesTaken).toBe(0);
  });

  describe('protection', () => {
    it('changes some pages of a region', () => {
      const space = new Space(named);
      const frame = space.createFrame(8);
      const { base } = must(space.vspace.map({ frame, bytes: 8 * PAGE, flags: RW }));
      expect(space.vspace.protect(base + 2 * PAGE, 3 * PAGE, Read)).toBe(OK);
      const flags = (page: number): number | undefined =>
        space.vspace.lookup(base + page * PAGE)?.flags;
      expect([0, 1, 2, 3, 4, 5].map(flags)).toEqual([RW, RW, Read, Read, Read, RW]);
      expect(space.at(base + 3 * PAGE)).toBe(space.pageOf(frame, 3, Read));
      expect(space.vspace.protect(base + 3 * PAGE, PAGE, RW)).toBe(OK);
      const runs = [...space.vspace.mapped()].map((run) => [
        (run.va - base) / PAGE,
        run.bytes / PAGE,
        run.flags,
      ]);
      expect(runs).toEqual([
        [0, 2, RW],
        [2, 1, Read],
        [3, 1, RW],
        [4, 1, Read],
        [5, 3, RW],
      ]);
    });

    it('reaches over several page tables', () => {
      const space = new Space(named);
      const pageCount = space.leafBytes / PAGE + 4;
      const frame = space.createFrame(pageCount);
      const base = from + space.leafBytes - 2 * PAGE;
      must(space.vspace.mapFixed(base, { frame, bytes: pageCount * PAGE, flags: RW }));
      expect(space.vspace.protect(base + PAGE, (pageCount - 2) * PAGE, Read)).toBe(OK);
      const flags = [0, 1, 2, pageCount - 2, pageCount - 1].map(
        (page) => space.vspace.lookup(base + page * PAGE)?.flags,
      );
      expect(flags).toEqual([RW, Read, Read, Read, RW]);
    });

    it('of a whole lazy region holds for pages that are backed later too', () => {
      const space = new Space(named);
      const { base } = must(space.vspace.reserve({ bytes: 2 * PAGE, flags: RW }));
      space.vspace.serveFault(base, Access.Write);
      expect(space.vspace.protect(base, 2 * PAGE, Read)).toBe(OK);
      expect(errName(space.vspace.serveFault(base + PAGE, Access.Write))).toBe(
        'LIB_ERR_PAGE_FAULT_ACCESS',
      );
      expect(space.vspace.serveFault(base + PAGE, Access.Read)).toBe(OK);
      expect(space.vspace.lookup(base + PAGE)?.flags).toBe(Read);
    });

    it('is refused beyond a region, inside a page, and for a guard region', () => {
      const space = new Space(named);
      const frame = space.createFrame(4);
      const { base } = must(space.vspace.map({ frame, bytes: 4 * PAGE, flags: RW }));
      const guard = must(space.vspace.reserve({ bytes: PAGE, flags: 0 })).base;
      const protect = (at: number, bytes: number): string =>
        errName(space.vspace.protect(at, bytes, Read));
      expect(protect(base + 1, PAGE)).toBe('LIB_ERR_PMAP_ADDRESS');
      expect(protect(base, 100)).toBe('LIB_ERR_PMAP_ADDRESS');
      expect(protect(base, 0)).toBe('LIB_ERR_PMAP_ADDRESS');
      expect(protect(base, 5 * PAGE)).toBe('LIB_ERR_PMAP_NOT_MAPPED');
      expect(protect(base - PAGE, PAGE)).toBe('LIB_ERR_PMAP_NOT_MAPPED');
      expect(protect(guard, PAGE)).toBe('LIB_ERR_PMAP_NOT_MAPPED');
    });
  });

  describe('large pages', () => {
    const large =
      2 **
      Math.min(
        ...named.shape.levels.filter((l) => l.mapsPages && l.spanBits > 12).map((l) => l.spanBits),
      );

    it('are used where size and alignment allow, with small ones around', () => {
      const space = new Space(named);
      const frame = space.createFrame((4 * large) / PAGE);
      const bytes = 2 * large + 2 * PAGE;
      const offset = large - PAGE;
      const { base } = must(space.vspace.map({ frame, bytes, flags: RW, offset }));
      expect((base + PAGE) % large, 'the address suits the frame').toBe(0);
      const sizes = [...space.vspace.mapped()].map(({ pageBits, bytes: b }) => [2 ** pageBits, b]);
      expect(sizes).toEqual([
        [PAGE, PAGE],
        [large, 2 * large],
        [PAGE, PAGE],
      ]);
      for (const at of [0, PAGE, 5 * PAGE, large, 2 * large + PAGE]) {
        expect(space.at(base + at)).toBe(space.pageOf(frame, (offset + at) / PAGE, RW));
        expect(space.vspace.lookup(base + at)).toMatchObject({ frame, offset: offset + at });
      }
      expect(space.vspace.unmap(base)).toBe(OK);
      expect(space.at(base + large)).toBeUndefined();
    });

    it('are not used when the caller wants small ones, or the addresses do not suit', () => {
      const space = new Space(named);
      const frame = space.createFrame((2 * large) / PAGE);
      must(space.vspace.map({ frame, bytes: 2 * large, flags: RW, maxPageBits: 12 }));
      must(space.vspace.mapFixed(from + 16 * large + PAGE, { frame, bytes: 2 * large, flags: RW }));
      expect(new Set([...space.vspace.mapped()].map(({ pageBits }) => pageBits))).toEqual(
        new Set([12]),
      );
    });

    it('stay out of entries that lead to pages, and take the place of empty tables', () => {
      const space = new Space(named);
      const small = space.createFrame(1);
      const at = from + 4 * large;
      for (const i of [0, 1]) {
        must(space.vspace.mapFixed(at + i * large, { frame: small, bytes: PAGE, flags: RW }));
      }
      const tables = space.vspace.tableCount;
      expect(space.vspace.unmap(at)).toBe(OK);
      expect(space.vspace.tableCount, 'an empty table stays at first').toBe(tables);
      const frame = space.createFrame((3 * large) / PAGE);
      must(space.vspace.mapFixed(at - large, { frame, bytes: 2 * large, flags: RW }));
      expect(space.vspace.tableCount).toBe(tables - 1);
      expect(space.ram.size).toBe(tables - 2);
      const offset = 2 * large + PAGE;
      const rest = { frame, bytes: large - PAGE, flags: RW, offset };
      must(space.vspace.mapFixed(at + large + PAGE, rest));
      const sizes = [...space.vspace.mapped()].map(({ pageBits, bytes }) => [2 ** pageBits, bytes]);
      expect(sizes).toEqual([
        [large, 2 * large],
        [PAGE, PAGE],
        [PAGE, large - PAGE],
      ]);
      for (const page of [0, large / PAGE, (2 * large) / PAGE + 1]) {
        expect(space.at(at - large + page * PAGE)).toBe(space.pageOf(frame, page, RW));
      }
    });

    it('are protected whole', () => {
      const space = new Space(named);
      const frame = space.createFrame((2 * large) / PAGE);
      const { base } = must(space.vspace.map({ frame, bytes: 2 * large, flags: RW }));
      expect(errName(space.vspace.protect(base, PAGE, Read))).toBe('LIB_ERR_PMAP_ADDRESS');
      expect(space.vspace.protect(base + large, large, Read | Execute)).toBe(OK);
      expect(space.vspace.lookup(base)?.flags).toBe(RW);
      expect(space.vspace.lookup(base + large + 5)?.flags).toBe(Read | Execute);
    });
  });

  it('a frame that is destroyed is shown nowhere', () => {
    const space = new Space(named);
    const [frame, other] = [space.createFrame(2), space.createFrame(1)];
    for (let i = 0; i < 3; i++) must(space.vspace.map({ frame, bytes: 2 * PAGE, flags: RW }));
    const kept = must(space.vspace.map({ frame: other, bytes: PAGE, flags: RW }));
    const isGone = isOk(space.vspace.destroyFrame(frame));
    expect(isGone).toBe(true);
    expect(space.vspace.regions()).toEqual([kept]);
    expect(space.at(from)).toBeUndefined();
    expect(space.vspace.lookup(from)).toBeUndefined();
    expect(space.kernel.held(frame)).toBeUndefined();
  });

  it('the way to a page is known table by table', () => {
    const space = new Space(named);
    const frame = space.createFrame(1);
    expect(space.vspace.path(from)).toHaveLength(1);
    must(space.vspace.map({ frame, bytes: PAGE, flags: RW }));
    const path = space.vspace.path(from + 5);
    expect(path.map(({ level }) => level)).toEqual([...Array(space.levelCount).keys()]);
    for (const { level, index } of path) expect(index).toBe(named.shape.entryIndex(level, from));
  });
});

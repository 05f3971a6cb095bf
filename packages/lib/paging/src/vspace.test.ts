/** Address spaces: regions, gaps, page tables, and failure at every step. */

import { OK, type Result } from '@barreleye/core';
import { errName, errNames, PageFlag } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { SHAPES } from '../test/shapes.ts';
import { PAGE, Space } from '../test/space.ts';
import type { Region } from './region.ts';

const RW = PageFlag.Read | PageFlag.Write;

function must(result: Result<Region>): Region {
  if (!result.ok) throw new Error(errNames(result.err).join(' '));
  return result.value;
}

const nameOf = (result: Result<Region>): string => (result.ok ? 'OK' : errName(result.err));

describe.each(SHAPES)('an address space of $name', (named) => {
  const { from, to } = named;

  /** Slots that tables and regions need: two a table but the root, one a mapping. */
  function expectBalance(space: Space, mappingCount: number): void {
    const madeCount = space.vspace.tableCount - 1;
    expect(space.ram.size).toBe(madeCount);
    expect(space.slotsTaken).toBe(2 * madeCount + mappingCount);
  }

  it('shows a frame at the first free place, page by page', () => {
    const space = new Space(named);
    const frame = space.createFrame(3);
    const region = must(space.vspace.map({ frame, bytes: 3 * PAGE, flags: RW }));
    expect(region).toMatchObject({ base: from, bytes: 3 * PAGE, flags: RW });
    for (const page of [0, 1, 2]) {
      expect(space.at(from + page * PAGE)).toBe(space.pageOf(frame, page, RW));
    }
    expect([space.at(from - PAGE), space.at(from + 3 * PAGE)]).toEqual([undefined, undefined]);
    expect(space.vspace.regions()).toEqual([region]);
    expect(space.vspace.tableCount).toBe(space.levelCount);
    expectBalance(space, 1);
  });

  it('shows part of a frame', () => {
    const space = new Space(named);
    const frame = space.createFrame(8);
    const request = { frame, bytes: 2 * PAGE, flags: PageFlag.Read, offset: 5 * PAGE };
    must(space.vspace.map(request));
    expect(space.at(from)).toBe(space.pageOf(frame, 5, PageFlag.Read));
    expect(space.at(from + PAGE)).toBe(space.pageOf(frame, 6, PageFlag.Read));
  });

  it('keeps a page free between regions', () => {
    const space = new Space(named);
    const frame = space.createFrame(4);
    const first = must(space.vspace.map({ frame, bytes: 2 * PAGE, flags: RW }));
    const second = must(space.vspace.map({ frame, bytes: PAGE, flags: RW }));
    expect(second.base).toBe(first.base + 3 * PAGE);
    expect(space.at(first.base + 2 * PAGE)).toBeUndefined();
  });

  it('maps a region that reaches over several tables in pieces', () => {
    const space = new Space(named);
    const leafPages = space.leafBytes / PAGE;
    const pageCount = 2 * leafPages + 3;
    const frame = space.createFrame(pageCount);
    const base = from + space.leafBytes - 2 * PAGE;
    must(space.vspace.mapFixed(base, { frame, bytes: pageCount * PAGE, flags: RW }));
    for (const page of [0, 1, 2, leafPages + 1, leafPages + 2, pageCount - 1]) {
      expect(space.at(base + page * PAGE)).toBe(space.pageOf(frame, page, RW));
    }
    expect(space.at(base + pageCount * PAGE)).toBeUndefined();
    expectBalance(space, 4);
    expect(space.vspace.unmap(base)).toBe(OK);
    for (const page of [0, 2, pageCount - 1]) expect(space.at(base + page * PAGE)).toBeUndefined();
    expectBalance(space, 0);
  });

  it('reaches its last page and not beyond', () => {
    const space = new Space(named);
    const frame = space.createFrame(2);
    expect(nameOf(space.vspace.mapFixed(to - PAGE, { frame, bytes: 2 * PAGE, flags: RW }))).toBe(
      'LIB_ERR_PMAP_ADDRESS',
    );
    must(space.vspace.mapFixed(to - 2 * PAGE, { frame, bytes: 2 * PAGE, flags: RW }));
    expect(space.at(to - PAGE)).toBe(space.pageOf(frame, 1, RW));
  });

  it.each([
    ['a base inside a page', from + 1, PAGE],
    ['part of a page', from, 100],
    ['no page', from, 0],
    ['less than nothing', from + 4 * PAGE, -PAGE],
    ['no number', from, Number.NaN],
    ['a base below the space', from - PAGE, PAGE],
    ['an end above the space', to, PAGE],
    ['more than there is', from, to],
    ['everything', from, Number.POSITIVE_INFINITY],
  ])('refuses %s without asking the kernel', (_, base, bytes) => {
    const space = new Space(named);
    const frame = space.createFrame(4);
    const result = space.vspace.mapFixed(base, { frame, bytes, flags: RW });
    expect(nameOf(result)).toBe('LIB_ERR_PMAP_ADDRESS');
    expect(space.kernel.callCount).toBe(0);
    expectBalance(space, 0);
  });

  it.each([
    ['begins inside', 1, 4],
    ['ends inside', -2, 3],
    ['lies inside', 1, 1],
    ['covers', -1, 6],
    ['is the same as', 0, 4],
  ])('refuses a region that %s another', (_, pageAt, pageCount) => {
    const space = new Space(named);
    const frame = space.createFrame(8);
    const base = from + 16 * PAGE;
    must(space.vspace.mapFixed(base, { frame, bytes: 4 * PAGE, flags: RW }));
    const calls = space.kernel.callCount;
    const request = { frame, bytes: pageCount * PAGE, flags: RW };
    const result = space.vspace.mapFixed(base + pageAt * PAGE, request);
    expect(nameOf(result)).toBe('LIB_ERR_PMAP_EXISTING_MAPPING');
    expect(space.kernel.callCount).toBe(calls);
    for (const neighbour of [-1, 4]) {
      const place = base + neighbour * PAGE;
      expect(nameOf(space.vspace.mapFixed(place, { frame, bytes: PAGE, flags: RW }))).toBe('OK');
    }
  });

  it('lists its regions in the order of their addresses', () => {
    const space = new Space(named);
    const frame = space.createFrame(1);
    for (const page of [7, 3, 9, 5]) {
      must(space.vspace.mapFixed(from + page * PAGE, { frame, bytes: PAGE, flags: RW }));
    }
    const pages = space.vspace.regions().map((region) => (region.base - from) / PAGE);
    expect(pages).toEqual([3, 5, 7, 9]);
  });

  it('unmaps a region by its base, once, and keeps the tables for the next', () => {
    const space = new Space(named);
    const frame = space.createFrame(2);
    const region = must(space.vspace.map({ frame, bytes: 2 * PAGE, flags: RW }));
    const { tableCount } = space.vspace;
    expect(errName(space.vspace.unmap(region.base + PAGE))).toBe('LIB_ERR_PMAP_NOT_MAPPED');
    expect(space.vspace.unmap(region.base)).toBe(OK);
    expect([space.at(region.base), space.at(region.base + PAGE)]).toEqual([undefined, undefined]);
    expect(space.vspace.regions()).toEqual([]);
    expect(errName(space.vspace.unmap(region.base))).toBe('LIB_ERR_PMAP_NOT_MAPPED');
    expectBalance(space, 0);
    expect(must(space.vspace.map({ frame, bytes: PAGE, flags: RW })).base).toBe(region.base);
    expect(space.vspace.tableCount).toBe(tableCount);
  });

  it('uses a gap that is large enough with a free page on both sides, and no smaller one', () => {
    const space = new Space(named);
    const frame = space.createFrame(8);
    const map = (pageCount: number): number =>
      must(space.vspace.map({ frame, bytes: pageCount * PAGE, flags: RW })).base;
    const [a, b, c] = [map(2), map(4), map(2)];
    expect([b, c]).toEqual([a + 3 * PAGE, a + 8 * PAGE]);
    expect(space.vspace.unmap(b)).toBe(OK);
    expect(map(5)).toBe(c + 3 * PAGE);
    expect(map(4)).toBe(b);
    expect(space.vspace.unmap(a)).toBe(OK);
    expect(map(3)).toBeGreaterThan(c);
    expect(map(2)).toBe(a);
  });

  it('is full when no gap is left, to the page', () => {
    const space = new Space(named, from + 8 * PAGE);
    const frame = space.createFrame(8);
    expect(nameOf(space.vspace.map({ frame, bytes: 9 * PAGE, flags: RW }))).toBe(
      'LIB_ERR_VSPACE_FULL',
    );
    must(space.vspace.map({ frame, bytes: 4 * PAGE, flags: RW }));
    expect(nameOf(space.vspace.map({ frame, bytes: 4 * PAGE, flags: RW }))).toBe(
      'LIB_ERR_VSPACE_FULL',
    );
    expect(must(space.vspace.map({ frame, bytes: 3 * PAGE, flags: RW })).base).toBe(
      from + 5 * PAGE,
    );
    expect(nameOf(space.vspace.map({ frame, bytes: PAGE, flags: RW }))).toBe('LIB_ERR_VSPACE_FULL');
  });

  it("passes on the kernel's reason under its own", () => {
    const space = new Space(named);
    const frame = space.createFrame(2);
    const beyond = space.vspace.map({ frame, bytes: 3 * PAGE, flags: RW });
    expect(beyond.ok ? [] : errNames(beyond.err)).toEqual([
      'LIB_ERR_PMAP_MAP',
      'LIB_ERR_VNODE_MAP',
      'SYS_ERR_FRAME_OFFSET_INVALID',
    ]);
    const crooked = space.vspace.map({ frame, bytes: PAGE, flags: RW, offset: 7 });
    expect(crooked.ok ? [] : errNames(crooked.err)).toContain('SYS_ERR_VM_MAP_OFFSET');
    expect(space.vspace.regions()).toEqual([]);
    expectBalance(space, 0);
  });

  it('maps all or nothing, whichever step fails, and can try again', () => {
    let failures = 0;
    for (let n = 1; ; n++) {
      const space = new Space(named);
      const pageCount = space.leafBytes / PAGE + 2;
      const frame = space.createFrame(pageCount);
      const small = must(space.vspace.mapFixed(from, { frame, bytes: PAGE, flags: RW }));
      const base = from + space.leafBytes - PAGE; // three tables
      const request = { frame, bytes: pageCount * PAGE, flags: RW };
      space.failAt(n);
      const result = space.vspace.mapFixed(base, request);
      if (!space.hasFailed) {
        expect(result.ok).toBe(true);
        break;
      }
      failures += 1;
      expect(result.ok ? OK : errNames(result.err)).toEqual(
        expect.arrayContaining(['LIB_ERR_PMAP_MAP', 'SYS_ERR_CAP_LOCKED']),
      );
      for (let page = 0; page < pageCount; page++) {
        expect(space.at(base + page * PAGE)).toBeUndefined();
      }
      expect(space.vspace.regions()).toEqual([small]);
      expect(space.at(from)).toBe(space.pageOf(frame, 0, RW));
      expectBalance(space, 1);
      must(space.vspace.mapFixed(base, request));
      expect(space.at(base + (pageCount - 1) * PAGE)).toBe(space.pageOf(frame, pageCount - 1, RW));
      expectBalance(space, 4);
    }
    // Where the frame is, two tables of five steps, three mappings of two
    expect(failures).toBe(1 + 2 * 5 + 3 * 2);
  });

  it('can try an unmap again that the kernel refused half-way', () => {
    for (const n of [1, 2]) {
      const space = new Space(named);
      const frame = space.createFrame(4);
      const base = from + space.leafBytes - 2 * PAGE; // two tables, two mappings
      must(space.vspace.mapFixed(base, { frame, bytes: 4 * PAGE, flags: RW }));
      space.failAt(n);
      expect(errNames(space.vspace.unmap(base))).toEqual([
        'LIB_ERR_VNODE_UNMAP',
        'LIB_ERR_CAP_DELETE',
        'SYS_ERR_CAP_LOCKED',
      ]);
      expect(space.vspace.regions().map((region) => region.base)).toEqual([base]);
      expectBalance(space, 3 - n);
      expect(space.vspace.unmap(base)).toBe(OK);
      for (const page of [0, 1, 2, 3]) expect(space.at(base + page * PAGE)).toBeUndefined();
      expectBalance(space, 0);
    }
  });
});

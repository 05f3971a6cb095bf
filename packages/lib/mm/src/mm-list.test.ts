import { OK, type Paddr, paddr } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { errorIn, mustTake, PAGE } from '../test/ram-kernel.ts';
import { MmList } from './mm-list.ts';
import type { MmRequest } from './mm-store.ts';

/** Address of page number `n` of a region that begins at 1 MiB. */
const page = (n: number): Paddr => paddr(0x10_0000 + n * PAGE);
const region = (cap: string, first: number, pageCount: number) => ({
  cap,
  base: page(first),
  bytes: pageCount * PAGE,
});
const pages = (count: number, more: Partial<MmRequest> = {}): MmRequest => ({
  bytes: count * PAGE,
  alignBytes: PAGE,
  from: 0,
  to: 2 ** 52,
  ...more,
});
/** `F` or `A`, first page, page count and capability of the parent, node by node. */
const picture = (list: MmList<string>): string[] =>
  list
    .nodes()
    .map(
      ({ base, bytes, state, parent }) =>
        `${state === 'free' ? 'F' : 'A'}${(base - page(0)) / PAGE}+${bytes / PAGE}${parent.cap}`,
    );
/** A list with one region of `pageCount` pages. */
function listOf(pageCount: number, nodeLimit?: number): MmList<string> {
  const list = new MmList<string>(nodeLimit);
  expect(list.add(region('a', 0, pageCount))).toBe(OK);
  return list;
}

describe('add', () => {
  it('keeps nodes in address order, whatever order regions come in', () => {
    const list = new MmList<string>();
    expect(list.add(region('m', 20, 4))).toBe(OK);
    expect(list.add(region('z', 30, 4))).toBe(OK);
    expect(list.add(region('a', 0, 4))).toBe(OK);
    expect(list.add(region('n', 24, 6))).toBe(OK);
    expect(picture(list)).toEqual(['F0+4a', 'F20+4m', 'F24+6n', 'F30+4z']);
    expect(list.regions().map(({ cap }) => cap)).toEqual(['m', 'z', 'a', 'n']);
    expect([list.freeBytes(), list.totalBytes()]).toEqual([18 * PAGE, 18 * PAGE]);
    expect(list.checkStructure()).toEqual([]);
  });

  it('refuses any overlap with what it has', () => {
    const list = new MmList<string>();
    expect(list.add(region('a', 10, 10))).toBe(OK);
    for (const [first, count] of [
      [10, 10],
      [9, 2],
      [19, 2],
      [12, 3],
      [5, 30],
    ] as const) {
      expect(list.add(region('b', first, count))).toBe(Err.MM_ERR_ALREADY_PRESENT);
    }
    expect(picture(list)).toEqual(['F10+10a']);
  });

  it('refuses an overlap with memory that is allocated', () => {
    const list = listOf(4);
    mustTake(list.take(pages(4)));
    expect(list.add(region('b', 2, 1))).toBe(Err.MM_ERR_ALREADY_PRESENT);
  });

  it('needs a node', () => {
    const list = listOf(1, 1);
    expect(list.add(region('b', 8, 1))).toBe(Err.MM_ERR_NEW_NODE);
    expect(picture(list)).toEqual(['F0+1a']);
    expect(list.totalBytes()).toBe(PAGE);
  });
});

describe('take', () => {
  it('takes the first that fits, in address order', () => {
    const list = listOf(8);
    for (const base of [page(0), page(1), page(2), page(3)]) {
      expect(mustTake(list.take(pages(1)))).toBe(base);
    }
    expect(list.give(page(1), PAGE)).toBe(OK);
    expect(mustTake(list.take(pages(2)))).toBe(page(4));
    expect(mustTake(list.take(pages(1)))).toBe(page(1));
  });

  it('names the parent, from which the offset counts', () => {
    const list = listOf(2);
    expect(list.add(region('b', 2, 4))).toBe(OK);
    expect(mustTake(list.take(pages(3)))).toBe(page(2));
    expect(list.parentOf(page(2))).toEqual(region('b', 2, 4));
    expect(list.parentOf(page(1))).toEqual(region('a', 0, 2));
    expect([page(-1), page(6)].map((base) => list.parentOf(base))).toEqual([undefined, undefined]);
  });

  it('leaves padding for alignment free', () => {
    const list = new MmList<string>();
    expect(list.add(region('a', 3, 20))).toBe(OK);
    expect(mustTake(list.take(pages(2, { alignBytes: 8 * PAGE })))).toBe(page(8));
    expect(picture(list)).toEqual(['F3+5a', 'A8+2a', 'F10+13a']);
  });

  it('stays inside the range that is asked for', () => {
    const list = listOf(16);
    const range = { from: page(5) + 1, to: page(9) };
    expect(mustTake(list.take(pages(3, range)))).toBe(page(6));
    expect(errorIn(list.take(pages(1, range)))).toBe(Err.MM_ERR_NOT_FOUND);
    expect(picture(list)).toEqual(['F0+6a', 'A6+3a', 'F9+7a']);
  });

  it('finds nothing that would cross from one parent to the next', () => {
    const list = listOf(4);
    expect(list.add(region('b', 4, 4))).toBe(OK);
    expect(errorIn(list.take(pages(5)))).toBe(Err.MM_ERR_NOT_FOUND);
    expect(picture(list)).toEqual(['F0+4a', 'F4+4b']);
  });

  it.each([
    ['none for an exact fit', 1, 8, {}, OK],
    ['one for the rest', 1, 4, {}, Err.MM_ERR_NEW_NODE],
    ['one for the padding', 1, 4, { from: page(4) }, Err.MM_ERR_NEW_NODE],
    ['one is enough for the rest', 2, 4, {}, OK],
    ['two for both', 2, 2, { from: page(4) }, Err.MM_ERR_NEW_NODE],
    ['two are enough for both', 3, 2, { from: page(4) }, OK],
  ])('needs nodes: %s', (_, nodeLimit, count, more, err) => {
    const list = listOf(8, nodeLimit);
    expect(errorIn(list.take(pages(count, more)))).toBe(err);
    if (err === OK) return;
    expect(picture(list)).toEqual(['F0+8a']);
    expect(list.spareNodes()).toBe(nodeLimit - 1);
    list.growNodes(2);
    expect(errorIn(list.take(pages(count, more)))).toBe(OK);
  });
});

describe('give', () => {
  it('merges with free neighbours on both sides', () => {
    const list = listOf(6);
    for (let i = 0; i < 3; i++) mustTake(list.take(pages(2)));
    expect(list.give(page(0), 2 * PAGE)).toBe(OK);
    expect(picture(list)).toEqual(['F0+2a', 'A2+2a', 'A4+2a']);
    expect(list.give(page(4), 2 * PAGE)).toBe(OK);
    expect(picture(list)).toEqual(['F0+2a', 'A2+2a', 'F4+2a']);
    expect(list.give(page(2), 2 * PAGE)).toBe(OK);
    expect(picture(list)).toEqual(['F0+6a']);
    expect(list.checkStructure()).toEqual([]);
  });

  it('never merges across parents', () => {
    const list = listOf(2);
    expect(list.add(region('b', 2, 2))).toBe(OK);
    mustTake(list.take(pages(2)));
    mustTake(list.take(pages(2)));
    expect(list.give(page(2), 2 * PAGE)).toBe(OK);
    expect(list.give(page(0), 2 * PAGE)).toBe(OK);
    expect(picture(list)).toEqual(['F0+2a', 'F2+2b']);
  });

  it.each([
    ['the front', 0, 3, ['F0+3a', 'A3+5a']],
    ['the middle', 3, 2, ['A0+3a', 'F3+2a', 'A5+3a']],
    ['the back', 6, 2, ['A0+6a', 'F6+2a']],
    ['all', 0, 8, ['F0+8a']],
  ])('takes back %s of an allocation', (_, first, count, expected) => {
    const list = listOf(8);
    mustTake(list.take(pages(8)));
    expect(list.nodesToGive(page(first), count * PAGE)).toBe(expected.length - 1);
    expect(list.give(page(first), count * PAGE)).toBe(OK);
    expect(picture(list)).toEqual(expected);
    expect(list.freeBytes()).toBe(count * PAGE);
  });

  it.each([
    ['free memory', 6, 1],
    ['memory that was freed before', 4, 2],
    ['two allocations at once', 1, 2],
    ['an allocation and what is free behind it', 2, 3],
    ['memory that is not here', 100, 1],
    ['memory in front of the region', -1, 1],
  ])('refuses %s', (_, first, count) => {
    const list = listOf(8);
    for (let i = 0; i < 3; i++) mustTake(list.take(pages(2)));
    expect(list.give(page(4), 2 * PAGE)).toBe(OK);
    const before = picture(list);
    expect(list.give(page(first), count * PAGE)).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(errorIn(list.nodesToGive(page(first), count * PAGE))).toBe(Err.MM_ERR_NOT_ALLOCATED);
    expect(picture(list)).toEqual(before);
  });

  it('needs nodes for a part, and none for the whole', () => {
    const list = listOf(8, 2);
    mustTake(list.take(pages(8)));
    expect(list.give(page(2), 2 * PAGE)).toBe(Err.MM_ERR_NEW_NODE);
    expect(picture(list)).toEqual(['A0+8a']);
    expect(list.give(page(0), 8 * PAGE)).toBe(OK);
  });
});

describe('the node budget', () => {
  it('gets back what merging saves', () => {
    const list = listOf(8, 4);
    for (let round = 0; round < 100; round++) {
      mustTake(list.take(pages(2, { from: page(3) })));
      expect(list.spareNodes()).toBe(1);
      expect(list.give(page(3), 2 * PAGE)).toBe(OK);
      expect(list.spareNodes()).toBe(3);
    }
  });

  it('can be set aside, and only as far as it reaches', () => {
    const list = listOf(8, 3);
    expect(list.setAside(3)).toBe(false);
    expect(list.setAside(2)).toBe(true);
    expect(errorIn(list.take(pages(2)))).toBe(Err.MM_ERR_NEW_NODE);
    list.putBack(2);
    expect(errorIn(list.take(pages(2)))).toBe(OK);
  });
});

/**
 * The fast store: a map of pages for every region (page-map.ts), first fit. It gives the same
 * answers as `MmList`. To allocate, anywhere, in a range or aligned, and to free all or part take
 * time logarithmic in the pages of a region; times the number of different alignments that were
 * ever asked for, which is less than that logarithm; and at most linear in the number of regions,
 * of which the firmware reports a few.
 *
 * A node of this store is a run of its maps. They have room for every run there can be, so the
 * node limit is what the caller makes of it. Storage is allocated by `add`, and by the first
 * request for an alignment.
 */

import { assert, BASE_PAGE_SIZE, type Errval, hex, OK, offset, type Paddr } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { checkPageMap } from './check-page-map.ts';
import { NONE } from './max-tree.ts';
import type { MmNode, MmRegion, MmRequest, MmStore } from './mm-store.ts';
import { MAX_PAGES, PageMap } from './page-map.ts';

/** A region and its runs. */
interface Mapped<C> {
  readonly region: MmRegion<C>;
  readonly map: PageMap;
}

export class MmIndex<C> implements MmStore<C> {
  /** In the order they were added, and by address. */
  private readonly added: MmRegion<C>[];
  private readonly sorted: Mapped<C>[];
  private used: number;
  /** How many may be in use. */
  private limit: number;
  private bytesFree: number;
  private bytesTotal: number;

  /** @param nodeLimit how many nodes there may be before `growNodes` */
  constructor(nodeLimit = Number.POSITIVE_INFINITY) {
    assert(nodeLimit >= 0, 'a node limit is not negative');
    this.added = [];
    this.sorted = [];
    this.used = 0;
    this.limit = nodeLimit;
    this.bytesFree = 0;
    this.bytesTotal = 0;
  }

  freeBytes(): number {
    return this.bytesFree;
  }

  totalBytes(): number {
    return this.bytesTotal;
  }

  usedNodes(): number {
    return this.used;
  }

  spareNodes(): number {
    return this.limit - this.used;
  }

  growNodes(count: number): void {
    assert(count >= 0, 'a number of nodes is not negative');
    this.limit += count;
  }

  setAside(count: number): boolean {
    if (this.spareNodes() < count) return false;
    this.limit -= count;
    return true;
  }

  putBack(count: number): void {
    this.growNodes(count);
  }

  /** @errors as `MmStore.add`; MM_ERR_NEW_NODE also for a region of more than `MAX_PAGES` pages */
  add({ cap, base, bytes }: MmRegion<C>): Errval {
    const before = this.regionsUpTo(base);
    const [left, right] = [this.sorted[before - 1], this.sorted[before]];
    if (left !== undefined && endOf(left.region) > base) return Err.MM_ERR_ALREADY_PRESENT;
    if (right !== undefined && right.region.base < base + bytes) return Err.MM_ERR_ALREADY_PRESENT;
    const pageCount = bytes / BASE_PAGE_SIZE;
    if (this.spareNodes() < 1 || pageCount > MAX_PAGES) return Err.MM_ERR_NEW_NODE;
    const region = { cap, base, bytes };
    this.added.push(region);
    this.sorted.splice(before, 0, { region, map: new PageMap(pageCount, base / BASE_PAGE_SIZE) });
    this.used += 1;
    this.bytesFree += bytes;
    this.bytesTotal += bytes;
    return OK;
  }

  take(request: MmRequest): number {
    for (const mapped of this.sorted) {
      const page = firstFit(mapped, request);
      if (page !== NONE) return this.takeFrom(mapped, page, request.bytes);
    }
    return -Err.MM_ERR_NOT_FOUND;
  }

  parentOf(base: Paddr): MmRegion<C> | undefined {
    return this.mappedAt(base)?.region;
  }

  nodesToGive(base: Paddr, bytes: number): number {
    const mapped = this.mappedAt(base);
    const at = mapped === undefined ? NONE : allocatedAt(mapped, base, bytes);
    if (mapped === undefined || at === NONE) return -Err.MM_ERR_NOT_ALLOCATED;
    return costOf(mapped.map, at, pageOf(mapped.region, base), pagesOf(bytes));
  }

  give(base: Paddr, bytes: number): Errval {
    const mapped = this.mappedAt(base);
    const at = mapped === undefined ? NONE : allocatedAt(mapped, base, bytes);
    if (mapped === undefined || at === NONE) return Err.MM_ERR_NOT_ALLOCATED;
    const { region, map } = mapped;
    const page = pageOf(region, base);
    const count = pagesOf(bytes);
    if (this.spareNodes() < costOf(map, at, page, count)) return Err.MM_ERR_NEW_NODE;
    this.used += map.give(at, page, count);
    this.bytesFree += bytes;
    return OK;
  }

  nodes(): readonly MmNode<C>[] {
    const copies: MmNode<C>[] = [];
    for (const { region: parent, map } of this.sorted) {
      for (let page = 0, count = 0; page < map.pageCount; page += count) {
        const length = map.lengthOf(page);
        count = Math.abs(length);
        copies.push({
          base: offset(parent.base, page * BASE_PAGE_SIZE),
          bytes: count * BASE_PAGE_SIZE,
          state: length > 0 ? 'free' : 'allocated',
          parent,
        });
      }
    }
    return copies;
  }

  regions(): readonly MmRegion<C>[] {
    return [...this.added];
  }

  checkStructure(): string[] {
    const wrong = this.sorted.flatMap(({ region, map }) =>
      checkPageMap(map).map((sentence) => `region ${hex(region.base)}: ${sentence}`),
    );
    if (this.spareNodes() < 0) wrong.push('more nodes are in use than there may be');
    return wrong;
  }

  private takeFrom({ region, map }: Mapped<C>, page: number, bytes: number): number {
    const at = map.startOf(page);
    const count = pagesOf(bytes);
    const cost = costOf(map, at, page, count);
    if (this.spareNodes() < cost) return -Err.MM_ERR_NEW_NODE;
    map.take(at, page, count);
    this.used += cost;
    this.bytesFree -= bytes;
    return region.base + page * BASE_PAGE_SIZE;
  }

  /** The region that `address` is in, if any. */
  private mappedAt(address: number): Mapped<C> | undefined {
    const mapped = this.sorted[this.regionsUpTo(address) - 1];
    return mapped !== undefined && address < endOf(mapped.region) ? mapped : undefined;
  }

  /** How many regions begin at or below `address`. */
  private regionsUpTo(address: number): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]!.region.base <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first page of a region where `request` fits, or NONE. */
function firstFit<C>({ region, map }: Mapped<C>, request: MmRequest): number {
  const { bytes, alignBytes, from, to } = request;
  const end = endOf(region);
  if (bytes > region.bytes) return NONE;
  const count = pagesOf(bytes);
  const isAnywhere = from <= region.base && to >= end;
  if (isAnywhere && alignBytes === BASE_PAGE_SIZE) return map.firstFree(count);
  if (!(from < end && to > region.base)) return NONE;
  const first = from > region.base ? Math.ceil((from - region.base) / BASE_PAGE_SIZE) | 0 : 0;
  const last = to < end ? pageOf(region, to) : map.pageCount;
  return map.firstPlace(count, alignBytes / BASE_PAGE_SIZE, first, last);
}

/** The allocated run that contains the range, or NONE. */
function allocatedAt<C>({ region, map }: Mapped<C>, base: number, bytes: number): number {
  if (bytes > region.bytes) return NONE;
  return map.allocatedAt(pageOf(region, base), pagesOf(bytes));
}

/** Number of the page of `address`, which is in the region. */
function pageOf<C>(region: MmRegion<C>, address: number): number {
  return pagesOf(address - region.base);
}

/** Whole pages in `bytes`, which are no more than a region has; as a small integer. */
function pagesOf(bytes: number): number {
  return (bytes / BASE_PAGE_SIZE) | 0;
}

/** Nodes that it costs to cut `count` pages at `page` out of the run at `at`. */
function costOf(map: PageMap, at: number, page: number, count: number): number {
  const behind = at + Math.abs(map.lengthOf(at)) - page - count;
  return (page > at ? 1 : 0) + (behind > 0 ? 1 : 0);
}

function endOf<C>({ base, bytes }: MmRegion<C>): number {
  return base + bytes;
}

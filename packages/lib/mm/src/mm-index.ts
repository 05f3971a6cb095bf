/**
 * The fast store: a map of pages for every region (page-map.ts), first fit. It gives the same
 * answers as `MmList`. To allocate, to free all or part and to allocate in a range take time
 * logarithmic in the pages of a region, and at most linear in the number of regions, of which the
 * firmware reports a few. An aligned request is tried in one free run after another of those that
 * are long enough.
 *
 * A node of this store is a run of its maps. They have room for every run there can be, so the
 * node limit is what the caller makes of it, and no operation but `add` allocates any storage.
 */

import {
  asPaddr,
  assert,
  BASE_PAGE_SIZE,
  type Errval,
  fail,
  hex,
  OK,
  offset,
  type Paddr,
  type Result,
  succeed,
} from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { checkPageMap } from './check-page-map.ts';
import {
  type MmNode,
  type MmRegion,
  type MmRequest,
  type MmStore,
  type MmTaken,
  placeIn,
} from './mm-store.ts';
import { MAX_PAGES, NONE, PageMap } from './page-map.ts';

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
  private spare: number;
  private bytesFree: number;
  private bytesTotal: number;

  /** @param nodeLimit how many nodes there may be before `growNodes` */
  constructor(nodeLimit = Number.POSITIVE_INFINITY) {
    assert(nodeLimit >= 0, 'a node limit is not negative');
    this.added = [];
    this.sorted = [];
    this.used = 0;
    this.spare = nodeLimit;
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
    return this.spare;
  }

  growNodes(count: number): void {
    assert(count >= 0, 'a number of nodes is not negative');
    this.spare += count;
  }

  setAside(count: number): boolean {
    if (this.spare < count) return false;
    this.spare -= count;
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
    if (this.spare < 1 || pageCount > MAX_PAGES) return Err.MM_ERR_NEW_NODE;
    const region = { cap, base, bytes };
    this.added.push(region);
    this.sorted.splice(before, 0, { region, map: new PageMap(pageCount) });
    this.countNodes(1);
    this.bytesFree += bytes;
    this.bytesTotal += bytes;
    return OK;
  }

  take(request: MmRequest): Result<MmTaken<C>> {
    for (const mapped of this.sorted) {
      const at = firstFit(mapped, request);
      if (at !== NONE) return this.takeFrom(mapped, at, request);
    }
    return fail(Err.MM_ERR_NOT_FOUND);
  }

  nodesToGive(base: Paddr, bytes: number): Result<number> {
    const mapped = this.mappedAt(base);
    const at = mapped === undefined ? NONE : allocatedAt(mapped, base, bytes);
    if (mapped === undefined || at === NONE) return fail(Err.MM_ERR_NOT_ALLOCATED);
    const { region, map } = mapped;
    const pad = pageOf(region, base) - at;
    return succeed(costOf(pad, -map.lengths[at]! - pad - bytes / BASE_PAGE_SIZE));
  }

  give(base: Paddr, bytes: number): Errval {
    const mapped = this.mappedAt(base);
    const at = mapped === undefined ? NONE : allocatedAt(mapped, base, bytes);
    if (mapped === undefined || at === NONE) return Err.MM_ERR_NOT_ALLOCATED;
    const { region, map } = mapped;
    const count = bytes / BASE_PAGE_SIZE;
    const page = pageOf(region, base);
    const cost = costOf(page - at, at - map.lengths[at]! - page - count);
    if (this.spare < cost) return Err.MM_ERR_NEW_NODE;
    if (cost > 0) map.divide(at, page - at, count, -1);
    this.countNodes(cost - map.release(page));
    this.bytesFree += bytes;
    return OK;
  }

  nodes(): readonly MmNode<C>[] {
    const copies: MmNode<C>[] = [];
    for (const { region: parent, map } of this.sorted) {
      for (let page = 0, count = 0; page < map.pageCount; page += count) {
        const length = map.lengths[page]!;
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
    if (this.spare < 0) wrong.push('more nodes are in use than there may be');
    return wrong;
  }

  private takeFrom({ region, map }: Mapped<C>, at: number, request: MmRequest): Result<MmTaken<C>> {
    const { bytes } = request;
    const length = map.lengths[at]!;
    const runBase = region.base + at * BASE_PAGE_SIZE;
    const base = asPaddr(placeIn(runBase, length * BASE_PAGE_SIZE, request));
    const pad = (base - runBase) / BASE_PAGE_SIZE;
    const count = bytes / BASE_PAGE_SIZE;
    const cost = costOf(pad, length - pad - count);
    if (this.spare < cost) return fail(Err.MM_ERR_NEW_NODE);
    map.divide(at, pad, count, 1);
    this.countNodes(cost);
    this.bytesFree -= bytes;
    return succeed({ parent: region, base, bytes });
  }

  private countNodes(more: number): void {
    this.used += more;
    this.spare -= more;
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

/** The first free run of a region in which `request` fits, or NONE. */
function firstFit<C>({ region, map }: Mapped<C>, request: MmRequest): number {
  const { bytes, alignBytes, from, to } = request;
  const count = bytes / BASE_PAGE_SIZE;
  if (count > map.pageCount) return NONE;
  const isAnywhere = from <= region.base && to >= endOf(region);
  if (isAnywhere && alignBytes === BASE_PAGE_SIZE) return map.firstFree(count);
  if (!(from < endOf(region) && to > region.base)) return NONE;
  const first = map.startOf(from > region.base ? pageOf(region, from) : 0);
  const end = to < endOf(region) ? Math.ceil((to - region.base) / BASE_PAGE_SIZE) : map.pageCount;
  for (let at = first; at !== NONE && at < end; at = map.nextFree(at, count)) {
    const base = region.base + at * BASE_PAGE_SIZE;
    if (placeIn(base, map.lengths[at]! * BASE_PAGE_SIZE, request) >= 0) return at;
  }
  return NONE;
}

/** The allocated run that contains the range, or NONE. */
function allocatedAt<C>({ region, map }: Mapped<C>, base: number, bytes: number): number {
  const page = pageOf(region, base);
  const at = map.startOf(page);
  return page + bytes / BASE_PAGE_SIZE <= at - map.lengths[at]! ? at : NONE;
}

/** Number of the page of `address`, which is in the region. */
function pageOf<C>(region: MmRegion<C>, address: number): number {
  return Math.floor((address - region.base) / BASE_PAGE_SIZE);
}

/** Nodes that it costs to cut a run in two or three. */
function costOf(pad: number, rest: number): number {
  return (pad > 0 ? 1 : 0) + (rest > 0 ? 1 : 0);
}

function endOf<C>({ base, bytes }: MmRegion<C>): number {
  return base + bytes;
}

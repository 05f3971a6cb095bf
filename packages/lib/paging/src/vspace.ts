/**
 * A virtual address space: regions that show frames, regions that are backed page by page when they
 * are touched, and guard regions that are never backed. Page tables are made on the way.
 */

import {
  alignUp,
  assert,
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  type Errval,
  errPush,
  fail,
  isAligned,
  isOk,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import { type Capref, capDelete, capIdentify, type Sys } from '@barreleye/libos';
import { Err, type MappableTypeName, PageFlag, type VNodeTypeName } from '@barreleye/spec';
import { bytesOf, flagsAt, type MappedRun, type Mapping, runsOf } from './mapping.ts';
import type { MemorySource } from './memory-source.ts';
import { type MapRequest, PageMap } from './page-map.ts';
import { type OwnRegion, type Region, RegionList } from './region.ts';
import type { TableShape, TableStep } from './table-tree.ts';

export interface VspaceOptions {
  readonly sys: Sys;
  readonly paging: TableShape;
  readonly root: Capref<VNodeTypeName>;
  readonly source: MemorySource;
  /** Regions are placed in [`from`, `to`). No table below the root may exist for that range. */
  readonly from: number;
  readonly to: number;
}

/** A region that shows part of a frame. */
export interface FrameRequest extends MapRequest {
  readonly name?: string;
}

/** A region that needs no frame when it is made. */
export interface ReserveRequest {
  /** Whole pages. */
  readonly bytes: number;
  /** `PageFlag` bits; without any access the region is a guard region. */
  readonly flags: number;
  /** Back all pages now: touching them never faults. */
  readonly isBacked?: boolean;
  /** So many bytes at its start, whole pages, are never backed. */
  readonly guardBytes?: number;
  readonly name?: string;
}

/** Words, and the byte of a frame where they go: a multiple of 4. */
export type Piece = readonly [at: number, words: Uint32Array];

/** What a page of the address space shows. */
export interface PageView {
  readonly region: Region;
  readonly frame: Capref<MappableTypeName>;
  /** Bytes from the start of the frame to the address that was asked for. */
  readonly offset: number;
  readonly flags: number;
  readonly pageBits: number;
}

/** `PageFlag` that an access needs, by the low two bits of the access. */
const NEEDED = [PageFlag.Read, PageFlag.Write, PageFlag.Execute] as const;
const ACCESS_FLAGS = PageFlag.Read | PageFlag.Write | PageFlag.Execute;

export class Vspace {
  private readonly sys: Sys;
  private readonly source: MemorySource;
  private readonly pages: PageMap;
  private readonly from: number;
  private readonly to: number;
  private readonly list: RegionList;

  constructor(options: VspaceOptions) {
    this.sys = options.sys;
    this.source = options.source;
    this.pages = new PageMap(options.sys, options.paging, options.root, options.source);
    this.from = options.from;
    this.to = options.to;
    this.list = new RegionList(options.from, options.to);
  }

  /** What is in use, in address order. */
  regions(): readonly Region[] {
    return this.list.all();
  }

  /** Page tables in use, the root included. */
  get tableCount(): number {
    return this.pages.tableCount;
  }

  /** The tables that translate `va`, the root first, as far as there are any. */
  path(va: number): readonly TableStep[] {
    return this.pages.path(va);
  }

  /**
   * Show a frame at the lowest free place where the largest pages can be used; an unmapped page
   * stays between regions.
   * @errors LIB_ERR_VSPACE_FULL; as `mapFixed`
   */
  map(request: FrameRequest): Result<Region> {
    const physical = this.pages.locate(request);
    if (!physical.ok) return fail(errPush(physical.err, Err.LIB_ERR_PMAP_MAP));
    const { alignBytes, offset } = this.pages.placement(physical.value, request);
    const base = this.list.findGap(request.bytes, alignBytes, offset);
    if (base < 0) return fail(Err.LIB_ERR_VSPACE_FULL);
    return this.mapAt(base, physical.value, request);
  }

  /**
   * Show a frame at `base`.
   * @errors LIB_ERR_PMAP_ADDRESS not whole pages inside this space; LIB_ERR_PMAP_EXISTING_MAPPING;
   *   LIB_ERR_PMAP_MAP over what the kernel or the memory source said
   * @post on failure nothing is mapped
   */
  mapFixed(base: number, request: FrameRequest): Result<Region> {
    const free = this.checkFree(base, request.bytes);
    if (!isOk(free)) return fail(free);
    const physical = this.pages.locate(request);
    if (!physical.ok) return fail(errPush(physical.err, Err.LIB_ERR_PMAP_MAP));
    return this.mapAt(base, physical.value, request);
  }

  /**
   * Reserve addresses at the lowest free place: a lazy region, or a guard region.
   * @errors LIB_ERR_VSPACE_FULL; as `reserveFixed`
   */
  reserve(request: ReserveRequest): Result<Region> {
    const base = this.list.findGap(request.bytes, BASE_PAGE_SIZE, 0);
    return base < 0 ? fail(Err.LIB_ERR_VSPACE_FULL) : this.reserveFixed(base, request);
  }

  /**
   * Reserve addresses at `base`.
   * @errors LIB_ERR_PMAP_ADDRESS; LIB_ERR_PMAP_EXISTING_MAPPING; for a backed region
   *   LIB_ERR_PMAP_MAP over the reason
   * @post on failure nothing is reserved
   */
  reserveFixed(base: number, request: ReserveRequest): Result<Region> {
    const { bytes, flags, isBacked = false, guardBytes = 0, name = '' } = request;
    const free = this.checkFree(base, bytes);
    if (!isOk(free)) return fail(free);
    if (!isAligned(guardBytes, BASE_PAGE_BITS) || guardBytes < 0 || guardBytes > bytes) {
      return fail(Err.LIB_ERR_PMAP_ADDRESS);
    }
    const kind = (flags & ACCESS_FLAGS) === 0 ? 'guard' : 'lazy';
    const region = newRegion({ base, bytes, kind, flags, guardBytes, name });
    if (isBacked && kind === 'lazy') {
      for (let va = base + guardBytes; va < base + bytes; va += BASE_PAGE_SIZE) {
        const err = this.back(region, va);
        if (isOk(err)) continue;
        this.discard(region);
        return fail(errPush(err, Err.LIB_ERR_PMAP_MAP));
      }
    }
    this.list.add(region);
    return succeed(region);
  }

  /**
   * Undo the region that begins at `base`; what backed it is free again.
   * @errors LIB_ERR_PMAP_NOT_MAPPED; LIB_ERR_VNODE_UNMAP over the reason
   * @post on failure the region stays, perhaps with holes, and can be unmapped again
   */
  unmap(base: number): Errval {
    const region = this.list.at(base);
    if (region === undefined || region.base !== base) return Err.LIB_ERR_PMAP_NOT_MAPPED;
    const err = this.empty(region);
    if (!isOk(err)) return errPush(err, Err.LIB_ERR_VNODE_UNMAP);
    this.list.remove(region);
    return OK;
  }

  /**
   * Undo all regions and delete all page tables but the root.
   * @errors as `unmap`; LIB_ERR_CAP_DELETE over the kernel's reason
   * @post on failure it can be tried again
   */
  clear(): Errval {
    for (let last = this.list.all().at(-1); last !== undefined; last = this.list.all().at(-1)) {
      const err = this.unmap(last.base);
      if (!isOk(err)) return err;
    }
    return this.pages.removeTables();
  }

  /**
   * Change what pages in [`base`, `base` + `bytes`) allow; the range lies in one region. Pages of a
   * lazy region that are yet to be backed change only with the whole region.
   * @errors LIB_ERR_PMAP_ADDRESS not whole pages, or it cuts a large page; LIB_ERR_PMAP_NOT_MAPPED
   *   no region covers the range, or it is a guard region; LIB_ERR_PMAP_MODIFY_FLAGS over the
   *   kernel's reason: the frame was mapped with less
   * @post on failure some pages may have changed
   */
  protect(base: number, bytes: number, flags: number): Errval {
    if (!isWhole(base, bytes)) return Err.LIB_ERR_PMAP_ADDRESS;
    const region = this.list.at(base);
    const end = base + bytes;
    if (region === undefined || end > region.base + region.bytes || region.kind === 'guard') {
      return Err.LIB_ERR_PMAP_NOT_MAPPED;
    }
    for (const mapping of mappingsIn(region, base, end)) {
      const err = this.pages.protect(mapping, base, end, flags);
      if (!isOk(err)) return err;
    }
    if (bytes === region.bytes) region.flags = flags;
    return OK;
  }

  /** What the page at `va` shows, undefined when none is mapped. */
  lookup(va: number): PageView | undefined {
    const region = this.list.at(va);
    if (region === undefined) return undefined;
    const mapping = region.mappings[indexAt(region.mappings, va)];
    if (mapping === undefined || va >= mapping.va + bytesOf(mapping)) return undefined;
    const { frame, pageBits } = mapping;
    const at = va - mapping.va;
    const flags = flagsAt(mapping, Math.floor(at / 2 ** pageBits));
    return { region, frame, offset: mapping.offset + at, flags, pageBits };
  }

  /** Everything that is mapped, in address order, by runs of equal flags. */
  *mapped(): Generator<MappedRun, void, void> {
    for (const { mappings } of this.list.all()) {
      for (const mapping of mappings) yield* runsOf(mapping);
    }
  }

  /**
   * Serve a page fault: back the page of a lazy region.
   * @param access spec `Access`
   * @errors LIB_ERR_PAGE_FAULT_NO_REGION; LIB_ERR_PAGE_FAULT_GUARD; LIB_ERR_PAGE_FAULT_ACCESS;
   *   LIB_ERR_PAGE_FAULT the frame that it showed is gone;
   *   LIB_ERR_PMAP_MAP over the reason why there is no page
   * @returns OK when the access can be tried again
   */
  serveFault(va: number, access: number): Errval {
    const region = this.list.at(va);
    if (region === undefined) return Err.LIB_ERR_PAGE_FAULT_NO_REGION;
    const isGuarded = va < region.base + region.guardBytes;
    if (isGuarded || region.kind === 'guard') return Err.LIB_ERR_PAGE_FAULT_GUARD;
    const needed = NEEDED[access & 3] ?? 0;
    const page = this.lookup(va);
    if (((page?.flags ?? region.flags) & needed) === 0) return Err.LIB_ERR_PAGE_FAULT_ACCESS;
    // Another thread was faster; or the frame has died, and its mappings with it.
    if (page !== undefined) return this.isShown(region, va) ? OK : Err.LIB_ERR_PAGE_FAULT;
    if (region.kind !== 'lazy') return Err.LIB_ERR_PAGE_FAULT;
    const err = this.back(region, va - (va % BASE_PAGE_SIZE));
    return isOk(err) ? OK : errPush(err, Err.LIB_ERR_PMAP_MAP);
  }

  /**
   * Unmap every region that shows `frame` and delete its capability. Regions that show it through
   * another capability stay.
   * @errors LIB_ERR_VNODE_UNMAP or LIB_ERR_CAP_DELETE over the reason
   */
  destroyFrame(frame: Capref<MappableTypeName>): Errval {
    const shown = this.list.all().filter(({ mappings }) => mappings[0]?.frame.cptr === frame.cptr);
    for (const { base, kind } of shown) {
      const err = kind === 'frame' ? this.unmap(base) : OK;
      if (!isOk(err)) return err;
    }
    return capDelete(this.sys, frame);
  }

  /**
   * Store words in a frame, through a mapping that lasts no longer.
   * @errors those of `map` and `unmap`; LIB_ERR_PAGE_FAULT
   */
  write(frame: Capref<MappableTypeName>, pieces: readonly Piece[]): Errval {
    const end = Math.max(...pieces.map(([at, words]) => at + 4 * words.length));
    const flags = PageFlag.Read | PageFlag.Write;
    const window = this.map({ frame, bytes: alignUp(end, BASE_PAGE_BITS), flags });
    if (!window.ok) return window.err;
    const { base } = window.value;
    const { cpu } = this.sys;
    let isStored = true;
    for (const [at, words] of pieces) {
      for (const [i, word] of words.entries()) isStored &&= cpu.store32(base + at + 4 * i, word);
    }
    const err = this.unmap(base);
    if (!isOk(err)) return err;
    return isStored ? OK : Err.LIB_ERR_PAGE_FAULT;
  }

  private mapAt(base: number, physical: number, request: FrameRequest): Result<Region> {
    const { bytes, flags, name = '' } = request;
    const free = this.checkFree(base, bytes);
    if (!isOk(free)) return fail(free);
    const region = newRegion({ base, bytes, kind: 'frame', flags, guardBytes: 0, name });
    const err = this.pages.map(base, physical, request, region.mappings);
    if (!isOk(err)) {
      this.discard(region);
      return fail(errPush(err, Err.LIB_ERR_PMAP_MAP));
    }
    this.list.add(region);
    return succeed(region);
  }

  /** Whether the mapping that shows `va` still exists. */
  private isShown(region: OwnRegion, va: number): boolean {
    const mapping = region.mappings[indexAt(region.mappings, va)];
    return mapping !== undefined && capIdentify(this.sys, mapping.cap).ok;
  }

  /** Give the page at `va` of a lazy region a frame. */
  private back(region: OwnRegion, va: number): Errval {
    const frame = this.source.allocFrame(BASE_PAGE_SIZE);
    if (!frame.ok) return frame.err;
    const made: Mapping[] = [];
    const request = { frame: frame.value, bytes: BASE_PAGE_SIZE, flags: region.flags };
    const err = this.pages.map(va, Number.NaN, request, made);
    const [mapping] = made;
    if (mapping === undefined) {
      const freed = this.source.freeFrame(frame.value);
      assert(isOk(freed), 'a frame that was just made can be freed');
      return err;
    }
    region.mappings.splice(indexAt(region.mappings, va) + 1, 0, mapping);
    region.backing.set(va, frame.value);
    return OK;
  }

  /** Drop what a region that is not listed yet has got. */
  private discard(region: OwnRegion): void {
    const err = this.empty(region);
    assert(isOk(err), 'what was just mapped can be unmapped');
  }

  /** Delete the mappings of a region and free the frames behind it. */
  private empty(region: OwnRegion): Errval {
    const err = this.pages.drop(region.mappings);
    if (!isOk(err)) return err;
    for (const [va, frame] of region.backing) {
      const freed = this.source.freeFrame(frame);
      if (!isOk(freed)) return freed;
      region.backing.delete(va);
    }
    return OK;
  }

  /** @errors LIB_ERR_PMAP_ADDRESS; LIB_ERR_PMAP_EXISTING_MAPPING */
  private checkFree(base: number, bytes: number): Errval {
    if (!isWhole(base, bytes) || base < this.from || base + bytes > this.to) {
      return Err.LIB_ERR_PMAP_ADDRESS;
    }
    return this.list.touches(base, bytes) ? Err.LIB_ERR_PMAP_EXISTING_MAPPING : OK;
  }
}

function newRegion(region: Region): OwnRegion {
  return { ...region, mappings: [], backing: new Map() };
}

function isWhole(base: number, bytes: number): boolean {
  return isAligned(base, BASE_PAGE_BITS) && isAligned(bytes, BASE_PAGE_BITS) && bytes > 0;
}

/** Index of the last mapping that begins at or before `va`, -1 for none. */
function indexAt(mappings: readonly Mapping[], va: number): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mappings[middle]?.va ?? 0) <= va) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Mappings of a region with pages in [`from`, `to`). */
function mappingsIn(region: OwnRegion, from: number, to: number): Mapping[] {
  const { mappings } = region;
  const first = Math.max(indexAt(mappings, from), 0);
  const found: Mapping[] = [];
  for (let i = first; i < mappings.length; i++) {
    const mapping = mappings[i];
    if (mapping === undefined || mapping.va >= to) break;
    if (mapping.va + bytesOf(mapping) > from) found.push(mapping);
  }
  return found;
}

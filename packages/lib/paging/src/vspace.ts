/**
 * A virtual address space: regions, each showing part of a frame. Page tables are made on the way;
 * every region keeps the mapping capabilities of its entries, one for each page table it touches.
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
import { type Capref, capDelete, type Sys, vnodeMap } from '@barreleye/libos';
import {
  Err,
  type MappableTypeName,
  type MappingTypeName,
  type VNodeTypeName,
} from '@barreleye/spec';
import { type TableShape, type TableSource, TableTree } from './table-tree.ts';

/** A range of virtual addresses that is mapped. */
export interface Region {
  readonly base: number;
  readonly bytes: number;
  /** `PageFlag` bits. */
  readonly flags: number;
}

interface MappedRegion extends Region {
  readonly mappings: Capref<MappingTypeName>[];
}

export interface VspaceOptions {
  readonly sys: Sys;
  readonly paging: TableShape;
  readonly root: Capref<VNodeTypeName>;
  readonly source: TableSource;
  /** Regions are placed in [`from`, `to`). No table below the root may exist for that range. */
  readonly from: number;
  readonly to: number;
}

/** What to show in a region. */
export interface MapRequest {
  readonly frame: Capref<MappableTypeName>;
  /** Whole pages. */
  readonly bytes: number;
  /** `PageFlag` bits. */
  readonly flags: number;
  /** From the base of the frame; whole pages. */
  readonly offset?: number;
}

export class Vspace {
  private readonly sys: Sys;
  private readonly paging: TableShape;
  private readonly source: TableSource;
  private readonly tree: TableTree;
  private readonly from: number;
  private readonly to: number;
  /** In address order. */
  private readonly mapped: MappedRegion[];

  constructor(options: VspaceOptions) {
    this.sys = options.sys;
    this.paging = options.paging;
    this.source = options.source;
    this.tree = new TableTree(options.sys, options.paging, options.root, options.source);
    this.from = options.from;
    this.to = options.to;
    this.mapped = [];
  }

  /** What is mapped, in address order. */
  regions(): readonly Region[] {
    return this.mapped;
  }

  /** Page tables in use, the root included. */
  get tableCount(): number {
    return this.tree.count;
  }

  /**
   * Map at the first free place; an unmapped page stays between regions.
   * @errors LIB_ERR_VSPACE_FULL; as `mapFixed`
   */
  map(request: MapRequest): Result<Region> {
    const base = this.findGap(request.bytes);
    return base < 0 ? fail(Err.LIB_ERR_VSPACE_FULL) : this.mapFixed(base, request);
  }

  /**
   * Map at `base`.
   * @errors LIB_ERR_PMAP_ADDRESS not whole pages inside this space; LIB_ERR_PMAP_EXISTING_MAPPING;
   *   LIB_ERR_PMAP_MAP over what the kernel or the table source said
   * @post on failure nothing is mapped
   */
  mapFixed(base: number, request: MapRequest): Result<Region> {
    const { bytes, flags } = request;
    const isWhole = isAligned(base, BASE_PAGE_BITS) && isAligned(bytes, BASE_PAGE_BITS);
    if (!isWhole || bytes <= 0 || base < this.from || base + bytes > this.to) {
      return fail(Err.LIB_ERR_PMAP_ADDRESS);
    }
    if (this.mapped.some((r) => base < r.base + r.bytes && r.base < base + bytes)) {
      return fail(Err.LIB_ERR_PMAP_EXISTING_MAPPING);
    }
    const mappings: Capref<MappingTypeName>[] = [];
    const err = this.mapPieces(base, request, mappings);
    if (!isOk(err)) {
      const dropped = this.dropMappings(mappings);
      assert(isOk(dropped), 'a mapping that was just made can be deleted');
      return fail(errPush(err, Err.LIB_ERR_PMAP_MAP));
    }
    const region: MappedRegion = { base, bytes, flags, mappings };
    const place = this.mapped.findIndex((r) => r.base > base);
    this.mapped.splice(place < 0 ? this.mapped.length : place, 0, region);
    return succeed(region);
  }

  /**
   * Unmap the region that begins at `base`.
   * @errors LIB_ERR_PMAP_NOT_MAPPED; LIB_ERR_VNODE_UNMAP over the kernel's reason
   * @post on failure the region stays, perhaps with holes, and can be unmapped again
   */
  unmap(base: number): Errval {
    const i = this.mapped.findIndex((region) => region.base === base);
    const region = this.mapped[i];
    if (region === undefined) return Err.LIB_ERR_PMAP_NOT_MAPPED;
    const err = this.dropMappings(region.mappings);
    if (!isOk(err)) return errPush(err, Err.LIB_ERR_VNODE_UNMAP);
    this.mapped.splice(i, 1);
    return OK;
  }

  /** Map table by table: a mapping capability covers entries of one table only. */
  private mapPieces(
    base: number,
    request: MapRequest,
    mappings: Capref<MappingTypeName>[],
  ): Errval {
    const leaf = this.paging.levels.length - 1;
    const entryCount = this.paging.levels[leaf]?.entryCount ?? 0;
    for (let done = 0; done < request.bytes; ) {
      const va = base + done;
      const entry = this.paging.entryIndex(leaf, va);
      const count = Math.min(entryCount - entry, (request.bytes - done) / BASE_PAGE_SIZE);
      const table = this.tree.leafTable(va);
      if (!table.ok) return table.err;
      const slot = this.source.allocSlot();
      if (!slot.ok) return slot.err;
      const offset = (request.offset ?? 0) + done;
      const args = { entry, count, flags: request.flags, offset };
      const mapping = vnodeMap(this.sys, slot.value, table.value, request.frame, args);
      if (!mapping.ok) {
        this.source.freeSlot(slot.value);
        return mapping.err;
      }
      mappings.push(mapping.value);
      done += count * BASE_PAGE_SIZE;
    }
    return OK;
  }

  /** Deleting a mapping capability clears its entries; what is gone is off the list. */
  private dropMappings(mappings: Capref<MappingTypeName>[]): Errval {
    for (let last = mappings.at(-1); last !== undefined; last = mappings.at(-1)) {
      const err = capDelete(this.sys, last);
      if (!isOk(err)) return err;
      this.source.freeSlot(last);
      mappings.pop();
    }
    return OK;
  }

  private findGap(bytes: number): number {
    let base = this.from;
    for (const region of this.mapped) {
      if (base + bytes + BASE_PAGE_SIZE <= region.base) return base;
      base = Math.max(base, alignUp(region.base + region.bytes, BASE_PAGE_BITS) + BASE_PAGE_SIZE);
    }
    return base + bytes <= this.to ? base : -1;
  }
}

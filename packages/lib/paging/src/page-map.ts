/**
 * Pages of an address space: which page tables there are and which mapping capabilities were made
 * in them. User code cannot read page tables, so this record is all it knows of them.
 *
 * A mapping covers entries of one table only, so a range is mapped piece by piece. Each piece uses
 * the largest pages that its virtual and its physical address are aligned to.
 */

import {
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  type Errval,
  errPop,
  isOk,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capIdentify,
  mappingModify,
  type Sys,
  vnodeMap,
} from '@barreleye/libos';
import { Err, type MappableTypeName, type VNodeTypeName } from '@barreleye/spec';
import { bytesOf, type Mapping, setFlags } from './mapping.ts';
import type { MemorySource } from './memory-source.ts';
import { type TableShape, type TableStep, TableTree } from './table-tree.ts';

/** What to show in a range of addresses. */
export interface MapRequest {
  readonly frame: Capref<MappableTypeName>;
  /** Whole pages. */
  readonly bytes: number;
  /** `PageFlag` bits. */
  readonly flags: number;
  /** From the base of the frame; whole pages. */
  readonly offset?: number;
  /** log2 of the largest page to use; the largest of the format, if left out. */
  readonly maxPageBits?: number;
}

/** A size of large pages, and the level of the tables that map them. */
interface PageSize {
  readonly level: number;
  readonly pageBits: number;
  readonly entryCount: number;
}

/** Where virtual addresses suit a range: `offset` bytes behind a multiple of `alignBytes`. */
export interface Placement {
  readonly alignBytes: number;
  readonly offset: number;
}

/** The pages for the next piece of a range. */
interface Piece {
  readonly level: number;
  readonly pageBits: number;
  readonly entry: number;
  readonly count: number;
}

export class PageMap {
  private readonly sys: Sys;
  private readonly paging: TableShape;
  private readonly source: MemorySource;
  private readonly tree: TableTree;
  /** Levels that map large pages, the largest first. */
  private readonly largeSizes: readonly PageSize[];

  constructor(sys: Sys, paging: TableShape, root: Capref<VNodeTypeName>, source: MemorySource) {
    this.sys = sys;
    this.paging = paging;
    this.source = source;
    this.tree = new TableTree(sys, paging, root, source);
    this.largeSizes = paging.levels
      .map(({ spanBits, entryCount, mapsPages }, level) => {
        return { level, pageBits: spanBits, entryCount, mapsPages };
      })
      .filter(({ mapsPages, pageBits }) => mapsPages && pageBits > BASE_PAGE_BITS);
  }

  /** Page tables in use, the root included. */
  get tableCount(): number {
    return this.tree.count;
  }

  /** The tables that translate `va`, the root first, as far as there are any. */
  path(va: number): readonly TableStep[] {
    return this.tree.path(va);
  }

  /**
   * Physical address of what the request shows, as far as it matters: NaN when no large page is in
   * question. The kernel is asked, because user code cannot know.
   * @errors LIB_ERR_CAP_IDENTIFY over the kernel's reason
   */
  locate(request: MapRequest): Result<number> {
    if (this.pageSizes(request).length === 0) return succeed(Number.NaN);
    const frame = capIdentify(this.sys, request.frame);
    return frame.ok ? succeed(frame.value.base + (request.offset ?? 0)) : frame;
  }

  /**
   * The size of the largest pages that can show a range at `physical`, and how far behind a
   * multiple of that size the range begins: a virtual address that does so too can use them.
   */
  placement(physical: number, request: MapRequest): Placement {
    for (const { pageBits } of this.pageSizes(request)) {
      const alignBytes = 2 ** pageBits;
      const offset = physical % alignBytes;
      const upToBoundary = (alignBytes - offset) % alignBytes;
      if (request.bytes - upToBoundary >= alignBytes) return { alignBytes, offset };
    }
    return { alignBytes: BASE_PAGE_SIZE, offset: 0 };
  }

  /**
   * Map a range at `va`, checked by the caller; `physical` as `locate` said. The mappings go to
   * `made`, those too that were made before a failure.
   */
  map(va: number, physical: number, request: MapRequest, made: Mapping[]): Errval {
    const offset = request.offset ?? 0;
    for (let done = 0; done < request.bytes; ) {
      const piece = this.nextPiece(va + done, physical + done, request.bytes - done, request);
      const mapping = this.mapPiece(va + done, piece, request, offset + done, made);
      if (!isOk(mapping)) return mapping;
      done += piece.count * 2 ** piece.pageBits;
    }
    return OK;
  }

  /**
   * Give the pages of `mapping` in [`from`, `to`) new flags.
   * @errors LIB_ERR_PMAP_ADDRESS the range cuts a page; LIB_ERR_PMAP_MODIFY_FLAGS over the kernel's
   *   reason
   */
  protect(mapping: Mapping, from: number, to: number, flags: number): Errval {
    const pageBytes = 2 ** mapping.pageBits;
    const first = Math.max(from - mapping.va, 0) / pageBytes;
    const end = Math.min(to - mapping.va, bytesOf(mapping)) / pageBytes;
    if (!Number.isInteger(first) || !Number.isInteger(end)) return Err.LIB_ERR_PMAP_ADDRESS;
    const err = mappingModify(this.sys, mapping.cap, first, end - first, flags);
    if (isOk(err)) setFlags(mapping, first, end - first, flags);
    return err;
  }

  /**
   * Delete mappings from the end of the list; what is gone is off the list. A mapping that died
   * with its frame or table is gone already.
   */
  drop(mappings: Mapping[]): Errval {
    for (let last = mappings.at(-1); last !== undefined; last = mappings.at(-1)) {
      const err = capDelete(this.sys, last.cap);
      if (!isOk(err) && errPop(err) !== Err.SYS_ERR_CAP_NOT_FOUND) return err;
      this.source.freeSlot(last.cap);
      this.tree.countPages(last.va, last.level, -1);
      mappings.pop();
    }
    return OK;
  }

  /** Delete all page tables but the root; nothing is mapped. @errors as `TableTree.removeAll` */
  removeTables(): Errval {
    return this.tree.removeAll();
  }

  private mapPiece(
    va: number,
    piece: Piece,
    { frame, flags }: MapRequest,
    offset: number,
    made: Mapping[],
  ): Errval {
    const { level, pageBits, entry, count } = piece;
    const table = this.tree.tableAt(va, level);
    if (!table.ok) return table.err;
    for (let i = 0; i < count; i++) {
      const removed = this.tree.removeBelow(va + i * 2 ** pageBits, level);
      if (!isOk(removed)) return removed;
    }
    const slot = this.source.allocSlot();
    if (!slot.ok) return slot.err;
    const args = { entry, count, flags, offset };
    const mapping = vnodeMap(this.sys, slot.value, table.value, frame, args);
    if (mapping.ok) {
      made.push({ cap: mapping.value, va, level, pageBits, count, frame, offset, flags });
      this.tree.countPages(va, level, 1);
      return OK;
    }
    this.source.freeSlot(slot.value);
    return mapping.err;
  }

  /** The largest pages that fit at `va`, as many of them as lie in one table. */
  private nextPiece(va: number, physical: number, bytes: number, request: MapRequest): Piece {
    for (const { level, pageBits, entryCount } of this.pageSizes(request)) {
      const pageBytes = 2 ** pageBits;
      const isAligned = va % pageBytes === 0 && physical % pageBytes === 0;
      if (!isAligned || bytes < pageBytes) continue;
      const entry = this.paging.entryIndex(level, va);
      const most = Math.min(entryCount - entry, Math.floor(bytes / pageBytes));
      const count = this.freeEntries(va, level, pageBytes, most);
      if (count > 0) return { level, pageBits, entry, count };
    }
    const level = this.paging.levels.length - 1;
    const entry = this.paging.entryIndex(level, va);
    const left = (this.paging.levels[level]?.entryCount ?? 0) - entry;
    const count = Math.min(left, bytes / 2 ** BASE_PAGE_BITS);
    return { level, pageBits: BASE_PAGE_BITS, entry, count };
  }

  /** How many entries from the one for `va` on, `most` at most, lead to no pages. */
  private freeEntries(va: number, level: number, pageBytes: number, most: number): number {
    let count = 0;
    while (count < most && !this.tree.hasPagesBelow(va + count * pageBytes, level)) count += 1;
    return count;
  }

  /** The sizes of large pages that the request may use, the largest first. */
  private pageSizes({ bytes, maxPageBits = Number.POSITIVE_INFINITY }: MapRequest): PageSize[] {
    return this.largeSizes.filter(
      ({ pageBits }) => pageBits <= maxPageBits && 2 ** pageBits <= bytes,
    );
  }
}

/**
 * The page tables of the first domain: made out of the arena, with capabilities for every table and
 * every mapping, so that they can be found and revoked like those that user code makes.
 */

import { createCap, createMapping, type Slot } from '@barreleye/caps';
import { assert, BASE_PAGE_SIZE, offset } from '@barreleye/core';
import { Cte, type TableLevel } from '@barreleye/spec';
import type { Arena } from './arena.ts';
import type { Kernel } from './kernel.ts';

export interface VspaceBuilderOptions {
  readonly kernel: Kernel;
  readonly arena: Arena;
  /** Slot for the `i`-th page table; the root is the first. */
  readonly tableSlot: (i: number) => Slot;
  /** Slot for the `i`-th mapping. */
  readonly mappingSlot: (i: number) => Slot;
}

/** Builds one address space, beginning with an empty root table. */
export class VspaceBuilder {
  /** Slot of the root table. */
  readonly root: Slot;
  private readonly options: VspaceBuilderOptions;
  /** Tables below the root, by level and by which span of addresses they translate. */
  private readonly tables: Map<string, Slot>;
  private tableCount: number;
  private mappingCount: number;

  constructor(options: VspaceBuilderOptions) {
    this.options = options;
    this.tables = new Map();
    this.tableCount = 0;
    this.mappingCount = 0;
    this.root = this.createTable(0);
    const { mem, hal } = options.kernel;
    hal.paging.initRoot(mem, Cte.base.get(mem, this.root));
  }

  /** Map all of the frame in `frame` at `va` with `PageFlag` bits `flags`. */
  map(frame: Slot, va: number, flags: number): void {
    const { mem, hal } = this.options.kernel;
    const { paging } = hal;
    const leaf = paging.levels.length - 1;
    const { entryCount } = this.shapeOf(leaf);
    const base = Cte.base.get(mem, frame);
    const pageCount = Cte.bytes.get(mem, frame) / BASE_PAGE_SIZE;
    for (let page = 0; page < pageCount; ) {
      const at = va + page * BASE_PAGE_SIZE;
      const table = this.leafFor(at);
      const first = paging.entryIndex(leaf, at);
      const count = Math.min(entryCount - first, pageCount - page);
      for (let i = 0; i < count; i++) {
        const frameAt = offset(base, (page + i) * BASE_PAGE_SIZE);
        paging.writePage(mem, leaf, Cte.base.get(mem, table), first + i, frameAt, flags);
      }
      this.install(table, frame, first, count);
      page += count;
    }
  }

  /** The table of the last level that translates `va`; tables on the way are made. */
  private leafFor(va: number): Slot {
    const { levels } = this.options.kernel.hal.paging;
    let table = this.root;
    for (let level = 0; level < levels.length - 1; level++) table = this.childOf(table, level, va);
    return table;
  }

  /** The table that `table`, of level `level`, names for `va`. */
  private childOf(table: Slot, level: number, va: number): Slot {
    const key = `${level + 1}:${Math.floor(va / 2 ** this.shapeOf(level).spanBits)}`;
    const found = this.tables.get(key);
    if (found !== undefined) return found;
    const { mem, hal } = this.options.kernel;
    const child = this.createTable(level + 1);
    this.tables.set(key, child);
    const index = hal.paging.entryIndex(level, va);
    const base = Cte.base.get(mem, child);
    hal.paging.writeTable(mem, level, Cte.base.get(mem, table), index, base);
    this.install(table, child, index, 1);
    return child;
  }

  private createTable(level: number): Slot {
    const { kernel, arena, tableSlot } = this.options;
    const { type, tableBytes } = this.shapeOf(level);
    const slot = tableSlot(this.tableCount++);
    createCap(kernel.caps, slot, type, { base: arena.take(tableBytes, tableBytes) });
    return slot;
  }

  /** The mapping capability for `count` entries of `table`. */
  private install(table: Slot, object: Slot, first: number, count: number): void {
    const { kernel, mappingSlot } = this.options;
    createMapping(kernel.caps, mappingSlot(this.mappingCount++), { object, table, first, count });
  }

  private shapeOf(level: number): TableLevel {
    const shape = this.options.kernel.hal.paging.levels[level];
    assert(shape !== undefined, 'no such level of page table');
    return shape;
  }
}

/**
 * The page tables of the first domain: made out of the arena, with capabilities for every table and
 * every mapping, so that they can be found and revoked like those that user code makes.
 */

import { createCap, createMapping, type Slot } from '@barreleye/caps';
import { asPaddr, assert, BASE_PAGE_SIZE, type Paddr } from '@barreleye/core';
import { Cte } from '@barreleye/spec';
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

/** Builds one address space. */
export interface VspaceBuilder {
  /** Slot of the root table. */
  readonly root: Slot;
  /** Map all of the frame in `frame` at `va`. */
  map(frame: Slot, va: number, flags: number): void;
}

/** Begin an address space with an empty root table. */
export function createVspaceBuilder(options: VspaceBuilderOptions): VspaceBuilder {
  const { kernel: k, arena, tableSlot, mappingSlot } = options;
  const { mem } = k;
  const { paging } = k.hal;
  let tableCount = 0;
  let mappingCount = 0;

  const createTable = (level: number): Slot => {
    const shape = paging.levels[level];
    assert(shape !== undefined, 'no such level of page table');
    const slot = tableSlot(tableCount++);
    const base = arena.take(shape.tableBytes, shape.tableBytes);
    createCap(k.caps, slot, shape.type, { base });
    if (level === 0) paging.initRoot(mem, base);
    return slot;
  };

  const install = (table: Slot, object: Slot, first: number, count: number): void => {
    createMapping(k.caps, mappingSlot(mappingCount++), { object, table, first, count });
  };

  const root = createTable(0);
  /** Tables by level and by the address that their first entry translates. */
  const tables = new Map<string, Slot>();

  const leafFor = (va: number): Slot => {
    let table = root;
    for (let level = 0; level < paging.levels.length - 1; level++) {
      const index = paging.entryIndex(level, va);
      const span = 2 ** (paging.levels[level]?.spanBits ?? 0);
      const key = `${level + 1}:${Math.floor(va / span)}`;
      let child = tables.get(key);
      if (child === undefined) {
        child = createTable(level + 1);
        tables.set(key, child);
        const base = Cte.base.get(mem, child);
        paging.writeTable(mem, level, Cte.base.get(mem, table), index, base);
        install(table, child, index, 1);
      }
      table = child;
    }
    return table;
  };

  return {
    root,
    map(frame, va, flags) {
      const leaf = paging.levels.length - 1;
      const entryCount = paging.levels[leaf]?.entryCount ?? 0;
      const base: Paddr = Cte.base.get(mem, frame);
      const pageCount = Cte.bytes.get(mem, frame) / BASE_PAGE_SIZE;
      for (let page = 0; page < pageCount; ) {
        const at = va + page * BASE_PAGE_SIZE;
        const table = leafFor(at);
        const first = paging.entryIndex(leaf, at);
        const count = Math.min(entryCount - first, pageCount - page);
        for (let i = 0; i < count; i++) {
          const frameAt = asPaddr(base + (page + i) * BASE_PAGE_SIZE);
          paging.writePage(mem, leaf, Cte.base.get(mem, table), first + i, frameAt, flags);
        }
        install(table, frame, first, count);
        page += count;
      }
    },
  };
}

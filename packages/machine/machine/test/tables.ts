/** Page tables for tests: built in the hardware's format, with tables taken from a run of RAM. */

import { alignUp, asPaddr, type Paddr, type PhysMem } from '@barreleye/core';
import type { Paging } from '@barreleye/spec';

/** Where a page is mapped: what the functions of `Paging` want to know. */
export interface EntryPlace {
  readonly level: number;
  readonly table: Paddr;
  readonly index: number;
}

export class Tables {
  readonly root: Paddr;
  private readonly mem: PhysMem;
  private readonly paging: Paging;
  private next: number;

  /** Tables are put at `from` and behind it. */
  constructor(mem: PhysMem, paging: Paging, from: number) {
    this.mem = mem;
    this.paging = paging;
    this.next = from;
    this.root = this.take(0);
    paging.initRoot(mem, this.root);
  }

  /** First address behind the tables. */
  get end(): number {
    return this.next;
  }

  /** Map the page at `va` with a page of level `level`, the last one unless told. */
  map(va: number, frame: number, flags: number, level = this.paging.levels.length - 1): void {
    const place = this.place(va, level);
    this.paging.writePage(this.mem, level, place.table, place.index, asPaddr(frame), flags);
  }

  unmap(va: number): void {
    const { level, table, index } = this.place(va);
    this.paging.clearEntry(this.mem, level, table, index);
  }

  isMapped(va: number): boolean {
    const { level, table, index } = this.place(va);
    return this.paging.isPresent(this.mem, level, table, index);
  }

  /** The entry for `va` in the table of level `toLevel`; tables on the way are made. */
  place(va: number, toLevel = this.paging.levels.length - 1): EntryPlace {
    const { mem, paging } = this;
    let table = this.root;
    for (let level = 0; level < toLevel; level++) {
      const index = paging.entryIndex(level, va);
      if (!paging.isPresent(mem, level, table, index)) {
        paging.writeTable(mem, level, table, index, this.take(level + 1));
      }
      table = paging.readEntry(mem, level, table, index).base;
    }
    return { level: toLevel, table, index: paging.entryIndex(toLevel, va) };
  }

  private take(level: number): Paddr {
    const bytes = this.paging.levels[level]?.tableBytes ?? 0;
    const at = alignUp(this.next, Math.log2(bytes));
    this.next = at + bytes;
    return asPaddr(at);
  }
}

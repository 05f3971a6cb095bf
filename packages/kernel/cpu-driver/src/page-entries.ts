/**
 * Runs of entries that map one range of memory. Where an architecture lets equal entries in a row
 * map one larger page, a run uses such pages wherever its place and its addresses suit them; nobody
 * outside sees a difference but the TLB, as a run that changes in part becomes small pages again.
 */

import { asPaddr, type Paddr, type PhysMem } from '@barreleye/core';
import type { Paging, TableLevel } from '@barreleye/spec';

/** A page table as the functions here take it. */
export interface TableView {
  readonly format: Paging;
  readonly level: number;
  readonly tableBase: Paddr;
}

/** Map `count` entries from `first` on to the memory at `base`, with `PageFlag` bits `flags`. */
export function writePages(
  mem: PhysMem,
  view: TableView,
  first: number,
  count: number,
  base: Paddr,
  flags: number,
): void {
  const { format, level, tableBase } = view;
  const { spanBits } = shapeOf(view);
  const group = 2 ** format.repeatBits;
  const end = first + count;
  for (let i = first; i < end; ) {
    const at = asPaddr(base + (i - first) * 2 ** spanBits);
    const isLarge = i % group === 0 && end - i >= group && at % (group * 2 ** spanBits) === 0;
    const entries = isLarge ? group : 1;
    const pageBits = isLarge ? spanBits + format.repeatBits : spanBits;
    for (let j = 0; j < entries; j++) {
      format.writePage(mem, level, tableBase, i + j, at, flags, pageBits);
    }
    i += entries;
  }
}

/** Give the pages of entries `first` to `end - 1`, which are one run of memory, new flags. */
export function changePages(
  mem: PhysMem,
  view: TableView,
  first: number,
  end: number,
  flags: number,
): void {
  splitAt(mem, view, first);
  splitAt(mem, view, end);
  writePages(mem, view, first, end - first, memoryOf(mem, view, first), flags);
}

/** Physical address of the memory that entry `i`, a page or part of one, shows. */
export function memoryOf(mem: PhysMem, view: TableView, i: number): Paddr {
  const { format, level, tableBase } = view;
  const { spanBits } = shapeOf(view);
  const { base, pageBits } = format.readEntry(mem, level, tableBase, i);
  const part = pageBits > spanBits ? i % 2 ** (pageBits - spanBits) : 0;
  return asPaddr(base + part * 2 ** spanBits);
}

/** Make small pages of the larger one that begins before entry `i` and ends behind it. */
function splitAt(mem: PhysMem, view: TableView, i: number): void {
  const { format, level, tableBase } = view;
  const { spanBits, entryCount } = shapeOf(view);
  const group = 2 ** format.repeatBits;
  if (i % group === 0 || i >= entryCount) return;
  const { kind, base, pageBits, flags } = format.readEntry(mem, level, tableBase, i);
  if (kind !== 'page' || pageBits === spanBits) return;
  const first = i - (i % group);
  for (let j = 0; j < group; j++) {
    format.writePage(mem, level, tableBase, first + j, asPaddr(base + j * 2 ** spanBits), flags);
  }
}

function shapeOf({ format, level }: TableView): TableLevel {
  return format.levels[level] as TableLevel;
}

/**
 * Entries of PAE paging, 64 bits each. Page directories and page tables are those of x86-64 to the
 * bit, so this file hands them on. What is different is the table above them: four entries that say
 * where a page directory is, and nothing else. Their bits 1, 2 and 5 to 8, where other entries have
 * rights and the accessed bit, are reserved.
 * @source Intel SDM vol. 3A 4.4.1, 4.4.2, tables 4-8 to 4-11
 */

import { asPaddr, assert, isAligned, isPaddr, type Paddr, type PhysMem } from '@barreleye/core';
import { EntryHigh, EntryLow, pagingX86_64 } from '@barreleye/paging-x86-64';
import type { EntryView } from '@barreleye/spec';
import { levelsPae } from './levels.ts';

const TWO_32 = 2 ** 32;

/** The level of x86-64 whose tables those of level `level` > 0 are. */
function levelOf64(level: number): number {
  return level + 1;
}

/** Make entry `index` point to the table `child`. Everything is allowed: the page decides. */
export function writeTable(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  child: Paddr,
): void {
  if (level > 0) {
    pagingX86_64.writeTable(mem, levelOf64(level), table, index, child);
    return;
  }
  assert(isPaddr(child), 'not a physical address');
  assert(isAligned(child, 12), 'a table begins at a page boundary');
  const at = pointerAt(mem, table, index);
  mem.store32(asPaddr(at + 4), Math.floor(child / TWO_32));
  mem.store32(at, (child | EntryLow.P) >>> 0);
}

/** Make entry `index` map the `2 ** spanBits` bytes at `frame` for user mode; as on x86-64. */
export function writePage(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  frame: Paddr,
  flags: number,
): void {
  assert(level > 0, 'a page-directory-pointer table maps no pages');
  pagingX86_64.writePage(mem, levelOf64(level), table, index, frame, flags);
}

/** Make entry `index` empty. */
export function clearEntry(mem: PhysMem, level: number, table: Paddr, index: number): void {
  if (level > 0) {
    pagingX86_64.clearEntry(mem, levelOf64(level), table, index);
    return;
  }
  const at = pointerAt(mem, table, index);
  mem.store32(at, 0);
  mem.store32(asPaddr(at + 4), 0);
}

/** Whether the hardware would use entry `index`. */
export function isPresent(mem: PhysMem, level: number, table: Paddr, index: number): boolean {
  if (level > 0) return pagingX86_64.isPresent(mem, levelOf64(level), table, index);
  return (mem.load32(pointerAt(mem, table, index)) & EntryLow.P) !== 0;
}

/** What entry `index` says by itself; tables above it may allow less. */
export function readEntry(mem: PhysMem, level: number, table: Paddr, index: number): EntryView {
  if (level > 0) return pagingX86_64.readEntry(mem, levelOf64(level), table, index);
  const at = pointerAt(mem, table, index);
  const low = mem.load32(at);
  const nothing = { pageBits: 0, flags: 0, accessed: false, dirty: false } as const;
  if ((low & EntryLow.P) === 0) return { kind: 'empty', base: asPaddr(0), ...nothing };
  const high = mem.load32(asPaddr(at + 4)) & EntryHigh.Address;
  return { kind: 'table', base: asPaddr(high * TWO_32 + ((low & ~0xfff) >>> 0)), ...nothing };
}

/** Entry `index` of the page-directory-pointer table at `table`. */
function pointerAt(mem: PhysMem, table: Paddr, index: number): Paddr {
  const { entryCount, tableBytes } = levelsPae[0]!;
  assert(index >= 0 && index < entryCount, 'entry index outside its table');
  assert(mem.contains(table, tableBytes), 'page table outside memory');
  return asPaddr(table + 8 * index);
}

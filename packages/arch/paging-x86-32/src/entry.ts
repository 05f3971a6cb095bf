/**
 * Entries of 32-bit paging, 32 bits each. Their bits are those of the low word of an x86-64 entry
 * (`EntryLow`), with the same meaning; there is no bit against execution.
 *
 * An entry of the page directory with PS maps 4 MiB. Its address bits 31:22 are in their place, and
 * bits 39:32 of the address are in bits 20:13 of the entry (PSE-36).
 * @source Intel SDM vol. 3A 4.3, tables 4-4 to 4-6
 */

import { asPaddr, assert, isAligned, type Paddr, type PhysMem } from '@barreleye/core';
import { EntryLow } from '@barreleye/paging-x86-64';
import { type EntryView, PageFlag } from '@barreleye/spec';
import { levels32 } from './levels.ts';

const TWO_32 = 2 ** 32;
/** End of what a 4 MiB page can show. */
const LARGE_LIMIT = 2 ** 40;
const { Read, Write, Execute, NoCache, All } = PageFlag;
const EMPTY: EntryView = {
  kind: 'empty',
  base: asPaddr(0),
  pageBits: 0,
  flags: 0,
  accessed: false,
  dirty: false,
};

/**
 * Make entry `index` of a page directory point to the table `child`. Everything is allowed here:
 * the entry of the page alone decides.
 */
export function writeTable(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  child: Paddr,
): void {
  assert(level === 0, 'a page table has no tables below it');
  assert(isAligned(child, 12), 'a table begins at a page boundary');
  assert(child < TWO_32, 'a table lies below 4 GiB');
  const word = child | EntryLow.P | EntryLow.RW | EntryLow.US;
  mem.store32(entryAt(mem, level, table, index), word >>> 0);
}

/**
 * Make entry `index` map the `2 ** spanBits` bytes at `frame` for user mode.
 * Whatever can be accessed can be read and executed: the format cannot say otherwise. With no
 * access at all the entry stays present, but for the supervisor to read only, so that the slot is
 * taken and user mode faults.
 */
export function writePage(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  frame: Paddr,
  flags: number,
): void {
  const isLarge = level === 0;
  assert(isAligned(frame, isLarge ? 22 : 12), 'a page begins at a multiple of its size');
  assert(frame < (isLarge ? LARGE_LIMIT : TWO_32), 'a page beyond the reach of its entry');
  assert((flags & ~All) === 0, 'unknown page flags');
  let word = frame | EntryLow.P;
  if ((flags & (Read | Write | Execute)) !== 0) word |= EntryLow.US;
  if ((flags & Write) !== 0) word |= EntryLow.RW;
  if ((flags & NoCache) !== 0) word |= EntryLow.PCD;
  if (isLarge) word |= EntryLow.PS | (Math.floor(frame / TWO_32) << 13);
  mem.store32(entryAt(mem, level, table, index), word >>> 0);
}

/** Make entry `index` empty. */
export function clearEntry(mem: PhysMem, level: number, table: Paddr, index: number): void {
  mem.store32(entryAt(mem, level, table, index), 0);
}

/** Whether the hardware would use entry `index`. */
export function isPresent(mem: PhysMem, level: number, table: Paddr, index: number): boolean {
  return (mem.load32(entryAt(mem, level, table, index)) & EntryLow.P) !== 0;
}

/** What entry `index` says by itself, with CR4.PSE set; a table above it may allow less. */
export function readEntry(mem: PhysMem, level: number, table: Paddr, index: number): EntryView {
  const word = mem.load32(entryAt(mem, level, table, index));
  if ((word & EntryLow.P) === 0) return EMPTY;
  const accessed = (word & EntryLow.A) !== 0;
  const isLarge = level === 0 && (word & EntryLow.PS) !== 0;
  if (level === 0 && !isLarge) {
    const base = asPaddr((word & ~0xfff) >>> 0);
    return { kind: 'table', base, pageBits: 0, flags: 0, accessed, dirty: false };
  }
  const pageBits = isLarge ? 22 : 12;
  const low = (word & -(2 ** pageBits)) >>> 0;
  return {
    kind: 'page',
    base: asPaddr(isLarge ? largePageHigh(word) * TWO_32 + low : low),
    pageBits,
    flags: flagsOf(word),
    accessed,
    dirty: (word & EntryLow.D) !== 0,
  };
}

/** Bits 39:32 of the physical address that a 4 MiB entry maps. */
export function largePageHigh(word: number): number {
  return (word >>> 13) & 0xff;
}

function flagsOf(word: number): number {
  const flags = (word & EntryLow.PCD) !== 0 ? NoCache : 0;
  if ((word & EntryLow.US) === 0) return flags;
  return flags | Read | Execute | ((word & EntryLow.RW) !== 0 ? Write : 0);
}

function entryAt(mem: PhysMem, level: number, table: Paddr, index: number): Paddr {
  const { entryCount, tableBytes } = levels32[level]!;
  assert(index >= 0 && index < entryCount, 'entry index outside its table');
  assert(mem.contains(table, tableBytes), 'page table outside memory');
  return asPaddr(table + 4 * index);
}

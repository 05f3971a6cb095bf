/**
 * Entries of the tables, 64 bits each, as two 32-bit words: no exact number holds bit 63 beside
 * bit 0. One format serves all levels; the comments say where a bit means something else.
 * @source Intel SDM vol. 3A 4.5.4, tables 4-15 to 4-20
 */

import { asPaddr, assert, isAligned, isPaddr, type Paddr, type PhysMem } from '@barreleye/core';
import { type EntryView, PageFlag } from '@barreleye/spec';
import { levelAt } from './levels.ts';

/** Bits of the low word. Bits 12 to 31 are the address; 9 to 11 are ignored by the hardware. */
export const EntryLow = {
  P: 0x001, //     present; when clear, all other bits are ignored
  RW: 0x002, //    writes allowed below this entry
  US: 0x004, //    user mode allowed below this entry
  PWT: 0x008, //   write-through
  PCD: 0x010, //   cache disable
  A: 0x020, //     accessed: set by the walk, in tables and pages
  D: 0x040, //     dirty: set by the walk, in pages only
  PS: 0x080, //    PDPTE, PDE: maps a page. PML4E: reserved. PTE: this is PAT
  G: 0x100, //     global, in pages only
  PAT: 0x1000, //  in 1 GiB and 2 MiB pages only
} as const;

/** Bits of the high word. Bits 20 to 30 are ignored by the hardware. */
export const EntryHigh = {
  Address: 0x000f_ffff, // bits 32 to 51 of the address; those from MAXPHYADDR up are reserved
  XD: 0x8000_0000, //      no instruction fetches below this entry; reserved when EFER.NXE = 0
} as const;

const TWO_32 = 2 ** 32;
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
 * Make entry `index` point to the table `child`. Everything is allowed here: the entry of the page
 * alone decides.
 */
export function writeTable(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  child: Paddr,
): void {
  assert(levelAt(level).childType !== undefined, 'a page table has no tables below it');
  assert(isAligned(child, 12), 'a table begins at a page boundary');
  store(mem, level, table, index, child, EntryLow.P | EntryLow.RW | EntryLow.US, 0);
}

/**
 * Make entry `index` map the `2 ** spanBits` bytes at `frame` for user mode.
 * Whatever is writable or executable is readable too: the format cannot say otherwise. With none
 * of the three the entry stays present, but for the supervisor to read only, so that the slot is
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
  const { mapsPages, spanBits } = levelAt(level);
  assert(mapsPages, 'a PML4 maps no pages');
  assert(isAligned(frame, spanBits), 'a page begins at a multiple of its size');
  assert((flags & ~All) === 0, 'unknown page flags');
  let low: number = EntryLow.P;
  if ((flags & (Read | Write | Execute)) !== 0) low |= EntryLow.US;
  if ((flags & Write) !== 0) low |= EntryLow.RW;
  if ((flags & NoCache) !== 0) low |= EntryLow.PCD;
  if (spanBits > 12) low |= EntryLow.PS;
  store(mem, level, table, index, frame, low, (flags & Execute) === 0 ? EntryHigh.XD : 0);
}

/** Make entry `index` empty. */
export function clearEntry(mem: PhysMem, level: number, table: Paddr, index: number): void {
  const at = entryAt(mem, level, table, index);
  mem.store32(at, 0); // this word first: from here on the hardware ignores the other one
  mem.store32(asPaddr(at + 4), 0);
}

/** Whether the hardware would use entry `index`. */
export function isPresent(mem: PhysMem, level: number, table: Paddr, index: number): boolean {
  return (mem.load32(entryAt(mem, level, table, index)) & EntryLow.P) !== 0;
}

/** What entry `index` says by itself; tables above it may allow less. */
export function readEntry(mem: PhysMem, level: number, table: Paddr, index: number): EntryView {
  const at = entryAt(mem, level, table, index);
  const low = mem.load32(at);
  const high = mem.load32(asPaddr(at + 4));
  if ((low & EntryLow.P) === 0) return EMPTY;
  const accessed = (low & EntryLow.A) !== 0;
  const { mapsPages, childType, spanBits } = levelAt(level);
  const isPage = childType === undefined || (mapsPages && (low & EntryLow.PS) !== 0);
  if (!isPage) {
    const base = baseOf(low, high, 12);
    return { kind: 'table', base, pageBits: 0, flags: 0, accessed, dirty: false };
  }
  return {
    kind: 'page',
    base: baseOf(low, high, spanBits),
    pageBits: spanBits,
    flags: flagsOf(low, high),
    accessed,
    dirty: (low & EntryLow.D) !== 0,
  };
}

function flagsOf(low: number, high: number): number {
  let flags = (low & EntryLow.PCD) !== 0 ? NoCache : 0;
  if ((low & EntryLow.US) === 0) return flags;
  flags |= Read;
  if ((low & EntryLow.RW) !== 0) flags |= Write;
  if ((high & EntryHigh.XD) === 0) flags |= Execute;
  return flags;
}

function baseOf(low: number, high: number, spanBits: number): Paddr {
  const lowBase = (low & -(2 ** spanBits)) >>> 0;
  return asPaddr((high & EntryHigh.Address) * TWO_32 + lowBase);
}

/** Entries become valid at once: the low word, with P, is stored last. */
function store(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  base: Paddr,
  low: number,
  high: number,
): void {
  assert(isPaddr(base), 'not a physical address');
  const at = entryAt(mem, level, table, index);
  mem.store32(asPaddr(at + 4), Math.floor(base / TWO_32) | high);
  mem.store32(at, (base | low) >>> 0);
}

function entryAt(mem: PhysMem, level: number, table: Paddr, index: number): Paddr {
  const { entryCount, tableBytes } = levelAt(level);
  assert(index >= 0 && index < entryCount, 'entry index outside its table');
  assert(mem.contains(table, tableBytes), 'page table outside memory');
  return asPaddr(table + 8 * index);
}

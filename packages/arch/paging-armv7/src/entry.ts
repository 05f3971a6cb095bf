/**
 * Entries of the tables ("descriptors"), 32 bits each. The two low bits say what an entry is, and
 * with it where its other fields lie. Nothing records accesses: no accessed or dirty bits.
 *
 * Access permissions are the classical AP[2:0] (SCTLR.AFE = 0) and memory types are TEX, C, B
 * (SCTLR.TRE = 0), as after reset.
 * @source ARM DDI 0406C B3.5.1 (descriptors), B3.7.1 (AP), B3.7.2 (XN), B3.8.2 (TEX, C, B)
 */

import { asPaddr, assert, isAligned, type Paddr, type PhysMem } from '@barreleye/core';
import { type EntryView, PageFlag } from '@barreleye/spec';
import { levelAt } from './levels.ts';

/** Bits 1:0 of a first-level entry. */
export const FirstKind = {
  Fault: 0,
  Table: 1,
  Section: 2, //    1 MiB; 16 MiB if bit 18 is set (supersection: sixteen equal entries)
  SectionPxn: 3, // the same, and privileged mode may not execute it
} as const;

/** Bits 1:0 of a second-level entry. */
export const SecondKind = {
  Fault: 0,
  LargePage: 1, //   64 KiB: sixteen equal entries
  SmallPage: 2, //   4 KiB
  SmallPageXn: 3, // the same: bit 0 is XN
} as const;

/** A first-level entry that points to a table. The address is in bits 31:10. */
export const TableBits = {
  PXN: 0x004, //    privileged mode may not execute what is below
  NS: 0x008, //     of the security extensions; without effect here
  Domain: 0x1e0, // of everything below
} as const;

/** Where the attributes of a page lie in an entry, as masks. */
export interface PageBits {
  readonly XN: number; //   execute never
  readonly B: number; //    bufferable, with C and TEX: the memory type
  readonly C: number; //    cacheable
  readonly TEX0: number;
  readonly TEX1: number;
  readonly TEX2: number;
  readonly AP0: number; //  access permissions; with SCTLR.AFE = 1, AP0 is the access flag
  readonly AP1: number;
  readonly AP2: number;
  readonly S: number; //    shareable
  readonly nG: number; //   not global
}

/** A section or a supersection. Address bits of a section: 31:20, of a supersection: 31:24. */
export const SectionBits = {
  PXN: 0x1,
  B: 0x4,
  C: 0x8,
  XN: 0x10,
  Domain: 0x1e0, //       supersection: address bits 39:36, and its domain is 0
  AP0: 0x400,
  AP1: 0x800,
  TEX0: 0x1000,
  TEX1: 0x2000,
  TEX2: 0x4000,
  AP2: 0x8000,
  S: 0x1_0000,
  nG: 0x2_0000,
  Super: 0x4_0000, //     tells a supersection from a section
  NS: 0x8_0000,
  Base35_32: 0xf0_0000, // supersection only
} as const satisfies PageBits & Record<string, number>;

/** A large page. Address bits: 31:16. */
export const LargePageBits: PageBits = {
  B: 0x4,
  C: 0x8,
  AP0: 0x10,
  AP1: 0x20,
  AP2: 0x200,
  S: 0x400,
  nG: 0x800,
  TEX0: 0x1000,
  TEX1: 0x2000,
  TEX2: 0x4000,
  XN: 0x8000,
};

/** A small page. Address bits: 31:12. */
export const SmallPageBits: PageBits = {
  XN: 0x1,
  B: 0x4,
  C: 0x8,
  AP0: 0x10,
  AP1: 0x20,
  TEX0: 0x40,
  TEX1: 0x80,
  TEX2: 0x100,
  AP2: 0x200,
  S: 0x400,
  nG: 0x800,
};

const { Read, Write, Execute, NoCache, All } = PageFlag;
const ADDRESS_LIMIT = 2 ** 32;
/** End of what a supersection can show. */
const SUPERSECTION_LIMIT = 2 ** 40;
/** log2 of the entries of a large page or supersection. */
export const REPEAT_BITS = 4;
const EMPTY: EntryView = {
  kind: 'empty',
  base: asPaddr(0),
  pageBits: 0,
  flags: 0,
  accessed: false,
  dirty: false,
};

/** Make entry `index` of a first-level table point to the table `child`, in domain 0. */
export function writeTable(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  child: Paddr,
): void {
  assert(levelAt(level).childType !== undefined, 'a second-level table has no tables below it');
  assert(isAligned(child, 10), 'a second-level table begins at a multiple of 1 KiB');
  assert(child < ADDRESS_LIMIT, 'a table lies below 4 GiB');
  mem.store32(entryAt(mem, level, table, index), (child | FirstKind.Table) >>> 0);
}

/**
 * Make entry `index` map the page at `frame` for user mode, in domain 0 and not global.
 * Whatever is writable or executable is readable too: the format cannot say otherwise. With none
 * of the three the entry stays present, but for privileged mode to read only, so that the slot is
 * taken and user mode faults.
 * @param pageBits log2 of its bytes: a small page 12, a section 20; a large page 16, a supersection
 *   24, and then this is one of the sixteen entries that it takes
 */
export function writePage(
  mem: PhysMem,
  level: number,
  table: Paddr,
  index: number,
  frame: Paddr,
  flags: number,
  pageBits: number = levelAt(level).spanBits,
): void {
  const extraBits = pageBits - levelAt(level).spanBits;
  assert(extraBits === 0 || extraBits === REPEAT_BITS, 'no such size of pages at this level');
  assert(isAligned(frame, pageBits), 'a page begins at a multiple of its size');
  assert(frame < (pageBits === 24 ? SUPERSECTION_LIMIT : ADDRESS_LIMIT), 'a page out of reach');
  assert((flags & ~All) === 0, 'unknown page flags');
  const word = frame | kindOf(pageBits) | attributesOf(layoutOf(pageBits), flags);
  const high = Math.floor(frame / ADDRESS_LIMIT); // of supersections only
  const highBits = ((high & 0xf) << 20) | ((high & 0xf0) << 1);
  mem.store32(entryAt(mem, level, table, index), (word | highBits) >>> 0);
}

/** Make entry `index` empty. */
export function clearEntry(mem: PhysMem, level: number, table: Paddr, index: number): void {
  mem.store32(entryAt(mem, level, table, index), 0);
}

/** Whether the hardware would use entry `index`. */
export function isPresent(mem: PhysMem, level: number, table: Paddr, index: number): boolean {
  return (mem.load32(entryAt(mem, level, table, index)) & 3) !== 0;
}

/** What entry `index` says. Pages count as accessed and dirty: nothing says that they are not. */
export function readEntry(mem: PhysMem, level: number, table: Paddr, index: number): EntryView {
  const word = mem.load32(entryAt(mem, level, table, index));
  const kind = word & 3;
  if (kind === 0) return EMPTY;
  if (level === 0 && kind === FirstKind.Table) {
    const base = asPaddr((word & ~0x3ff) >>> 0);
    return { kind: 'table', base, pageBits: 0, flags: 0, accessed: true, dirty: false };
  }
  const pageBits = pageBitsOf(level, word);
  const low = (word & -(2 ** pageBits)) >>> 0;
  const base = pageBits === 24 ? supersectionHigh(word) * ADDRESS_LIMIT + low : low;
  const flags = flagsOf(layoutOf(pageBits), word);
  return { kind: 'page', base: asPaddr(base), pageBits, flags, accessed: true, dirty: true };
}

/** log2 of the bytes of the page that the entry `word` of a table of level `level` maps. */
function pageBitsOf(level: number, word: number): number {
  if (level === 0) return (word & SectionBits.Super) !== 0 ? 24 : 20;
  return (word & 3) === SecondKind.LargePage ? 16 : 12;
}

/** The bits that say that an entry maps a page of `2 ** pageBits` bytes. */
function kindOf(pageBits: number): number {
  switch (pageBits) {
    case 24:
      return FirstKind.Section | SectionBits.Super;
    case 20:
      return FirstKind.Section;
    case 16:
      return SecondKind.LargePage;
    default:
      return SecondKind.SmallPage;
  }
}

/** Where a page of `2 ** pageBits` bytes has its attributes. */
function layoutOf(pageBits: number): PageBits {
  if (pageBits >= 20) return SectionBits;
  return pageBits === 16 ? LargePageBits : SmallPageBits;
}

/** Bits 39:32 of the physical address that a supersection entry maps. */
export function supersectionHigh(word: number): number {
  return ((word >>> 1) & 0xf0) | ((word >>> 20) & 0xf); // from bits 8:5, then 23:20
}

/** AP[2:0] = 011: user may write; 010: user may read; 101: only privileged mode may read. */
function attributesOf(bits: PageBits, flags: number): number {
  let word = bits.S | bits.nG;
  if ((flags & Write) !== 0) word |= bits.AP1 | bits.AP0;
  else if ((flags & (Read | Execute)) !== 0) word |= bits.AP1;
  else word |= bits.AP2 | bits.AP0;
  if ((flags & Execute) === 0) word |= bits.XN;
  // Shareable device memory, which also suits registers; else normal write-back, write-allocate.
  if ((flags & NoCache) !== 0) word |= bits.B;
  else word |= bits.TEX0 | bits.C | bits.B;
  return word;
}

function flagsOf(bits: PageBits, word: number): number {
  const flags = isUncached(bits, word) ? NoCache : 0;
  if ((word & bits.AP1) === 0) return flags;
  const isWritable = (word & bits.AP0) !== 0 && (word & bits.AP2) === 0;
  const isExecutable = (word & bits.XN) === 0;
  return flags | Read | (isWritable ? Write : 0) | (isExecutable ? Execute : 0);
}

/** Whether the memory type of a page is not cacheable: strongly-ordered, device, or normal. */
function isUncached(bits: PageBits, word: number): boolean {
  if ((word & bits.C) !== 0) return false;
  // TEX[2] = 1 gives the inner cache policy in C and B, and 01 is write-back.
  return (word & bits.TEX2) === 0 || (word & bits.B) === 0;
}

function entryAt(mem: PhysMem, level: number, table: Paddr, index: number): Paddr {
  const { entryCount, tableBytes } = levelAt(level);
  assert(index >= 0 && index < entryCount, 'entry index outside its table');
  assert(mem.contains(table, tableBytes), 'page table outside memory');
  return asPaddr(table + 4 * index);
}

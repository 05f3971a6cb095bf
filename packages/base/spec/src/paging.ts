/**
 * What the page tables of an architecture offer to shared code. Each `paging-*` package exports one
 * value of this type; a board passes it to the machine and to the CPU driver.
 */

import type { Paddr, PhysMem } from '@barreleye/core';
import type { ObjType } from './cap-types.ts';

/** Kind of an access: the low two bits say what, bit 2 says from user mode. */
export const Access = { Read: 0, Write: 1, Execute: 2, User: 4 } as const;

/** One level of table, the root first. */
export interface TableLevel {
  /** Capability type of a table of this level. */
  readonly type: ObjType;
  readonly tableBytes: number;
  readonly entryCount: number;
  readonly entryBytes: 4 | 8;
  /** log2 of the virtual bytes that one entry covers. */
  readonly spanBits: number;
  /** Capability type of the table that an entry may point to; undefined at the last level. */
  readonly childType: ObjType | undefined;
  /** Whether an entry may map memory directly, `2 ** spanBits` bytes of it. */
  readonly mapsPages: boolean;
  /** The first entry that user mode may not change; `entryCount` where there is none. */
  readonly reservedFrom: number;
}

/** What an entry says, decoded. */
export interface EntryView {
  readonly kind: 'empty' | 'table' | 'page';
  readonly base: Paddr;
  /** log2 of the bytes that a page has; 0 for what is no page. */
  readonly pageBits: number;
  /** `PageFlag` bits of a page. */
  readonly flags: number;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/** Page tables of one architecture. Stateless: the tables are the state. */
export interface Paging {
  readonly name: string;
  readonly levels: readonly TableLevel[];
  /** Type of the root table: `levels[0].type`. */
  readonly rootType: ObjType;
  /** Virtual addresses have this many significant bits. */
  readonly vaddrBits: number;
  /** Every entry can name physical addresses of this many bits. */
  readonly paddrBits: number;
  /**
   * log2 of the equal entries in a row, the first at a multiple of their number, that together map
   * one larger page: 4 on ARM, where sixteen entries of any level can; 0 where there is none.
   */
  readonly repeatBits: number;
  /** Whether entries can forbid execution; where not, whatever is readable can be executed. */
  readonly deniesExecute: boolean;
  /** Index into `levels` of the table type `type`, or -1 when it is none of ours. */
  levelOf(type: ObjType): number;
  /** Entry of a table of level `level` that translates `va`. */
  entryIndex(level: number, va: number): number;
  /** Fill in what every root table has besides user entries. */
  initRoot(mem: PhysMem, root: Paddr): void;
  /** Make entry `index` of the table at `table` point to the table `child`. */
  writeTable(mem: PhysMem, level: number, table: Paddr, index: number, child: Paddr): void;
  /**
   * Make entry `index` map the page at `frame` for user mode with `PageFlag` bits `flags`.
   * @param pageBits log2 of the size of that page, `spanBits` if left out; or `repeatBits` more:
   *   this is one of the equal entries that the page takes, and the caller writes them all
   */
  writePage(
    mem: PhysMem,
    level: number,
    table: Paddr,
    index: number,
    frame: Paddr,
    flags: number,
    pageBits?: number,
  ): void;
  clearEntry(mem: PhysMem, level: number, table: Paddr, index: number): void;
  isPresent(mem: PhysMem, level: number, table: Paddr, index: number): boolean;
  readEntry(mem: PhysMem, level: number, table: Paddr, index: number): EntryView;
  /**
   * A walker over `mem`; it keeps the outcome of its last walk in its fields.
   * @param regs control registers by the manual's names; each package says which, and its defaults
   */
  createWalker(mem: PhysMem, regs?: WalkerRegs): Walker;
}

/** Walks page tables as the hardware does. One object per MMU, reused for every walk. */
export interface Walker {
  /**
   * Translate `va` for access `access` (`Access` bits) through the tables at `root`.
   * Sets accessed and dirty bits where the hardware would.
   * @returns the physical address, or a negative number: the fault is in the fields below
   */
  walk(root: Paddr, va: number, access: number): number;
  /**
   * As `walk`, of the address with the words `high` and `low`, both signed; `high` counts where
   * addresses have more than 32 bits. Nothing of it goes through a number that V8 would put on the
   * heap.
   * @returns 0, and the physical address is in `paHigh` and `paLow`; negative after a fault
   */
  walkWords(root: Paddr, high: number, low: number, access: number): number;
  /** After a success: the physical address as words, the low one signed. */
  readonly paHigh: number;
  readonly paLow: number;
  /** After a success: log2 of the page size, and `PageFlag` bits the page allows user mode. */
  pageBits: number;
  pageFlags: number;
  /** After a success: the entry is marked global, and its dirty bit is set (or there is none). */
  isGlobal: boolean;
  isDirty: boolean;
  /**
   * After a fault: the code as the hardware reports it (x86: the error code; ARM: DFSR/IFSR bits
   * FS[4:0]), and its name.
   */
  faultCode: number;
  faultName: string;
  /** After a fault: ARM's domain number, 0 elsewhere. */
  faultDomain: number;
}

/** `Walker.faultName` of the one that is no page fault: an address that no table could map. */
export const GENERAL_PROTECTION = 'general-protection';

/** Control registers that change how an MMU walks, by the manual's names; see each package. */
export interface WalkerRegs {
  readonly [name: string]: number | undefined;
}

/**
 * The two kinds of page tables of 32-bit x86 as values of the shared `Paging` interface: what a
 * board is given.
 */

import { asPaddr, assert, type Paddr, type PhysMem } from '@barreleye/core';
import { ObjType, type Paging, type TableLevel, type Walker } from '@barreleye/spec';
import * as entry from './entry.ts';
import * as entryPae from './entry-pae.ts';
import { entryIndex, levelOf, levels32, levelsPae, VADDR_BITS } from './levels.ts';
import { type ControlRegs, createWalker } from './walker.ts';

type X86Paging = Paging & { createWalker(mem: PhysMem, regs?: ControlRegs): Walker };

const CR4_PSE = 0x10;
const CR4_PAE = 0x20;

/** 32-bit paging: pages of 4 KiB and 4 MiB. Stateless: the tables are the state. */
export const pagingX86_32: X86Paging = {
  name: 'x86_32',
  levels: levels32,
  rootType: ObjType.VNode_x86_32_pdir,
  vaddrBits: VADDR_BITS,
  paddrBits: 32, // pages of 4 MiB reach further
  repeatBits: 0,
  deniesExecute: false,
  levelOf: (type) => levelOf(levels32, type),
  entryIndex: (level, va) => entryIndex(levels32[level]!, va),
  initRoot: (mem, root) => initRoot(levels32, mem, root),
  writeTable: entry.writeTable,
  writePage: entry.writePage,
  clearEntry: entry.clearEntry,
  isPresent: entry.isPresent,
  readEntry: entry.readEntry,
  createWalker(mem, regs) {
    const all = { CR4: CR4_PSE, ...regs };
    assert((all.CR4 & CR4_PAE) === 0, 'CR4.PAE is set: not 32-bit paging');
    return createWalker(mem, all);
  },
};

/** PAE paging: pages of 4 KiB and 2 MiB, with a bit against execution. Stateless likewise. */
export const pagingX86_32Pae: X86Paging = {
  name: 'x86_32_pae',
  levels: levelsPae,
  rootType: ObjType.VNode_x86_32_pdpt,
  vaddrBits: VADDR_BITS,
  paddrBits: 52,
  repeatBits: 0,
  deniesExecute: true,
  levelOf: (type) => levelOf(levelsPae, type),
  entryIndex: (level, va) => entryIndex(levelsPae[level]!, va),
  initRoot: (mem, root) => initRoot(levelsPae, mem, root),
  writeTable: entryPae.writeTable,
  writePage: entryPae.writePage,
  clearEntry: entryPae.clearEntry,
  isPresent: entryPae.isPresent,
  readEntry: entryPae.readEntry,
  createWalker(mem, regs) {
    const all = { CR4: CR4_PAE, ...regs };
    assert((all.CR4 & CR4_PAE) !== 0, 'CR4.PAE is clear: not PAE paging');
    return createWalker(mem, all);
  },
};

/**
 * Empty the kernel's half. The CPU driver reaches memory by physical address, so it needs no
 * mapping of its own, and user mode must find none there.
 */
function initRoot(levels: readonly TableLevel[], mem: PhysMem, root: Paddr): void {
  const { tableBytes, entryBytes, reservedFrom } = levels[0]!;
  assert(mem.contains(root, tableBytes), 'page table outside memory');
  const userBytes = entryBytes * reservedFrom;
  mem.zero(asPaddr(root + userBytes), tableBytes - userBytes);
}

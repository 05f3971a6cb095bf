/** ARMv7 page tables as a value of the shared `Paging` interface: what a board is given. */

import { asPaddr, assert, type Paddr, type PhysMem } from '@barreleye/core';
import { ObjType, type Paging } from '@barreleye/spec';
import { clearEntry, isPresent, REPEAT_BITS, readEntry, writePage, writeTable } from './entry.ts';
import { entryIndex, levelAt, levelOf, levels, VADDR_BITS } from './levels.ts';
import { createWalker } from './walker.ts';

/** Page tables of ARMv7, short descriptors. Stateless: the tables are the state. */
export const pagingArmv7: Paging & { readonly createWalker: typeof createWalker } = {
  name: 'armv7',
  levels,
  rootType: ObjType.VNode_ARM_l1,
  vaddrBits: VADDR_BITS,
  paddrBits: 32, // supersections reach further
  repeatBits: REPEAT_BITS,
  deniesExecute: true,
  levelOf,
  entryIndex,
  initRoot,
  writeTable,
  writePage,
  clearEntry,
  isPresent,
  readEntry,
  createWalker,
};

/**
 * Empty the kernel's half. The CPU driver reaches memory by physical address, so it needs no
 * mapping of its own, and user mode must find none there.
 */
function initRoot(mem: PhysMem, root: Paddr): void {
  const { reservedFrom, tableBytes } = levelAt(0);
  assert(mem.contains(root, tableBytes), 'page table outside memory');
  const userBytes = 4 * reservedFrom;
  mem.zero(asPaddr(root + userBytes), tableBytes - userBytes);
}

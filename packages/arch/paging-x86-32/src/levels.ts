/**
 * The levels of the two formats of 32-bit x86, the root first. 32-bit paging has two levels of 1024
 * entries of four bytes. PAE has entries of eight bytes, so half as many fit a page, and a third
 * table of four entries stands above.
 * @source Intel SDM vol. 3A 4.3 "32-bit paging", 4.4 "PAE paging"; the lower 2 GiB are user's.
 */

import { ObjType, type TableLevel } from '@barreleye/spec';

/** 32-bit paging: page directory, page table. */
export const levels32: readonly TableLevel[] = [
  {
    type: ObjType.VNode_x86_32_pdir,
    tableBytes: 4096,
    entryCount: 1024,
    entryBytes: 4,
    spanBits: 22,
    childType: ObjType.VNode_x86_32_ptable,
    mapsPages: true, // with CR4.PSE
    reservedFrom: 512, // the half with bit 31 set
  },
  {
    type: ObjType.VNode_x86_32_ptable,
    tableBytes: 4096,
    entryCount: 1024,
    entryBytes: 4,
    spanBits: 12,
    childType: undefined,
    mapsPages: true,
    reservedFrom: 1024,
  },
];

/**
 * PAE: page-directory-pointer table, page directory, page table. The first takes 32 bytes of a
 * page; the others are those of x86-64.
 */
export const levelsPae: readonly TableLevel[] = [
  {
    type: ObjType.VNode_x86_32_pdpt,
    tableBytes: 4096,
    entryCount: 4,
    entryBytes: 8,
    spanBits: 30,
    childType: ObjType.VNode_x86_32_pdir,
    mapsPages: false,
    reservedFrom: 2, // the half with bit 31 set
  },
  {
    type: ObjType.VNode_x86_32_pdir,
    tableBytes: 4096,
    entryCount: 512,
    entryBytes: 8,
    spanBits: 21,
    childType: ObjType.VNode_x86_32_ptable,
    mapsPages: true,
    reservedFrom: 512,
  },
  {
    type: ObjType.VNode_x86_32_ptable,
    tableBytes: 4096,
    entryCount: 512,
    entryBytes: 8,
    spanBits: 12,
    childType: undefined,
    mapsPages: true,
    reservedFrom: 512,
  },
];

/** Bits of a virtual address that are translated: all. */
export const VADDR_BITS = 32;

/** Index into `levels` of the table type `type`, or -1 when it is none of them. */
export function levelOf(levels: readonly TableLevel[], type: ObjType): number {
  for (let i = 0; i < levels.length; i++) if (levels[i]!.type === type) return i;
  return -1;
}

/** Entry of a table `level` that translates `va`, which may be negative. */
export function entryIndex({ spanBits, entryCount }: TableLevel, va: number): number {
  return (va >>> spanBits) & (entryCount - 1);
}

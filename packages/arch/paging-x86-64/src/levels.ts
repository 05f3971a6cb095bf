/**
 * The four levels of x86-64 paging, the root first. Each table is one page of 512 entries, so a
 * level translates nine bits of the address.
 * @source Intel SDM vol. 3A 4.5 "4-level paging and 5-level paging"; the lower half is user's.
 */

import { ObjType, type TableLevel } from '@barreleye/spec';

const table = { tableBytes: 4096, entryCount: 512, entryBytes: 8, reservedFrom: 512 } as const;

/** The levels: PML4, page-directory-pointer table, page directory, page table. */
export const levels: readonly TableLevel[] = [
  {
    ...table,
    type: ObjType.VNode_x86_64_pml4,
    spanBits: 39,
    childType: ObjType.VNode_x86_64_pdpt,
    mapsPages: false,
    reservedFrom: 256, // the half with bit 47 set
  },
  {
    ...table,
    type: ObjType.VNode_x86_64_pdpt,
    spanBits: 30,
    childType: ObjType.VNode_x86_64_pdir,
    mapsPages: true,
  },
  {
    ...table,
    type: ObjType.VNode_x86_64_pdir,
    spanBits: 21,
    childType: ObjType.VNode_x86_64_ptable,
    mapsPages: true,
  },
  {
    ...table,
    type: ObjType.VNode_x86_64_ptable,
    spanBits: 12,
    childType: undefined,
    mapsPages: true,
  },
];

/** Bits of a virtual address that are translated; bits 48 to 63 repeat bit 47. */
export const VADDR_BITS = 48;

/** The row of level `level`, 0 <= level < 4. */
export function levelAt(level: number): TableLevel {
  return levels[level]!;
}

/** Index into `levels` of the table type `type`, or -1 when it is none of ours. */
export function levelOf(type: ObjType): number {
  for (let i = 0; i < levels.length; i++) if (levelAt(i).type === type) return i;
  return -1;
}

/** Entry of a table of level `level` that translates `va`, which may be negative. */
export function entryIndex(level: number, va: number): number {
  return Math.floor(va / 2 ** levelAt(level).spanBits) & 511;
}

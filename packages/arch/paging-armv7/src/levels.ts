/**
 * The two levels of the ARMv7 short-descriptor format, the root first. The first table covers all
 * 4 GiB in entries of 1 MiB and takes 16 KiB; a second one covers 1 MiB in entries of 4 KiB and
 * takes 1 KiB, so four of them share a page.
 * @source ARM DDI 0406C B3.5 "Short-descriptor translation table format"
 */

import { ObjType, type TableLevel } from '@barreleye/spec';

/** The levels: first-level table, second-level table. */
export const levels: readonly TableLevel[] = [
  {
    type: ObjType.VNode_ARM_l1,
    tableBytes: 16384,
    entryCount: 4096,
    entryBytes: 4,
    spanBits: 20,
    childType: ObjType.VNode_ARM_l2,
    mapsPages: true, // sections
    reservedFrom: 2048, // the half with bit 31 set
  },
  {
    type: ObjType.VNode_ARM_l2,
    tableBytes: 1024,
    entryCount: 256,
    entryBytes: 4,
    spanBits: 12,
    childType: undefined,
    mapsPages: true,
    reservedFrom: 256,
  },
];

/** Bits of a virtual address that are translated: all. */
export const VADDR_BITS = 32;

/** The row of level `level`, 0 or 1. */
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
  const { spanBits, entryCount } = levelAt(level);
  return (va >>> spanBits) & (entryCount - 1);
}

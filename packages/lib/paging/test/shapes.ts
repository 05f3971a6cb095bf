/**
 * Page tables as this library sees them: their shape. The kernel writes the entries. The numbers
 * are those of the manuals.
 */

import { ObjType, type TableLevel } from '@barreleye/spec';
import type { TableShape } from '../src/table-tree.ts';

/** A shape, and a range of addresses as domains use it. */
export interface NamedShape {
  readonly name: string;
  readonly shape: TableShape;
  readonly from: number;
  readonly to: number;
}

const page512 = {
  tableBytes: 4096,
  entryCount: 512,
  entryBytes: 8,
  reservedFrom: 512,
  mapsPages: true,
} as const;

/** Four levels of 512 entries. Intel SDM vol. 3A 4.5. */
const x86Levels: readonly TableLevel[] = [
  {
    ...page512,
    type: ObjType.VNode_x86_64_pml4,
    childType: ObjType.VNode_x86_64_pdpt,
    spanBits: 39,
    mapsPages: false,
    reservedFrom: 256,
  },
  {
    ...page512,
    type: ObjType.VNode_x86_64_pdpt,
    childType: ObjType.VNode_x86_64_pdir,
    spanBits: 30,
  },
  {
    ...page512,
    type: ObjType.VNode_x86_64_pdir,
    childType: ObjType.VNode_x86_64_ptable,
    spanBits: 21,
  },
  { ...page512, type: ObjType.VNode_x86_64_ptable, childType: undefined, spanBits: 12 },
];

/** Two levels; a table of the second takes a quarter of a page. ARM DDI 0406C B3.5. */
const armLevels: readonly TableLevel[] = [
  {
    type: ObjType.VNode_ARM_l1,
    childType: ObjType.VNode_ARM_l2,
    tableBytes: 16384,
    entryCount: 4096,
    entryBytes: 4,
    spanBits: 20,
    mapsPages: true,
    reservedFrom: 2048,
  },
  {
    type: ObjType.VNode_ARM_l2,
    childType: undefined,
    tableBytes: 1024,
    entryCount: 256,
    entryBytes: 4,
    spanBits: 12,
    mapsPages: true,
    reservedFrom: 256,
  },
];

export const SHAPES: readonly NamedShape[] = [
  { name: 'four levels', shape: shapeOf(x86Levels), from: 0x80_0000_0000, to: 2 ** 47 },
  { name: 'two levels', shape: shapeOf(armLevels), from: 0x1000_0000, to: 2 ** 31 },
];

function shapeOf(levels: readonly TableLevel[]): TableShape {
  return {
    levels,
    entryIndex(level, va) {
      const { spanBits = 0, entryCount = 1 } = levels[level] ?? {};
      return Math.floor(va / 2 ** spanBits) % entryCount;
    },
  };
}

/** Objects that hold capabilities: CNodes and dispatchers. How many slots, and where. */

import { asPtr, type PhysMem } from '@barreleye/core';
import { CTE_BYTES, Cte, Dcb, ObjType } from '@barreleye/spec';
import { isCNode, slotAt, slotCount } from './cspace.ts';
import { isEmpty, type Slot } from './slot.ts';

/** Slots of a dispatcher control block. */
const DCB_FIELDS = [Dcb.cspace, Dcb.vspace, Dcb.frame] as const;

/** Whether the object of the capability in `slot` holds capabilities that die with it. */
export function isContainer(mem: PhysMem, slot: Slot): boolean {
  return isCNode(mem, slot) || Cte.type.get(mem, slot) === ObjType.Dispatcher;
}

/** How many slots the object of the capability in `slot` has. */
export function innerSlotCount(mem: PhysMem, slot: Slot): number {
  if (isCNode(mem, slot)) return slotCount(mem, slot);
  return Cte.type.get(mem, slot) === ObjType.Dispatcher ? DCB_FIELDS.length : 0;
}

/** The `index`-th slot of the object of the capability in `slot`. */
export function innerSlot(mem: PhysMem, slot: Slot, index: number): Slot {
  if (isCNode(mem, slot)) return slotAt(mem, slot, index);
  const field = DCB_FIELDS[index] ?? Dcb.cspace;
  return field.at(asPtr<'Dcb'>(Cte.base.get(mem, slot)));
}

/** Whether a dispatcher control block has a slot at `offset`. */
export function isDcbSlotOffset(offset: number): boolean {
  return DCB_FIELDS.some((field) => field.offset === offset);
}

/** Whether all slots but the first of the object of the capability in `slot` are empty. */
export function isHollow(mem: PhysMem, slot: Slot): boolean {
  if (isCNode(mem, slot)) {
    return mem.isZero(slotAt(mem, slot, 1), (slotCount(mem, slot) - 1) * CTE_BYTES);
  }
  return DCB_FIELDS.every((_, i) => i === 0 || isEmpty(mem, innerSlot(mem, slot, i)));
}

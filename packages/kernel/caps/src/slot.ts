/**
 * Slots, and the numbers that stand for "a slot or an error": the address of the slot, or the
 * error value negated. Lookups are the hottest part of a system call, so they return no object.
 */

import { asErrval, asPtr, type Errval, type PhysMem, type Ptr } from '@barreleye/core';
import { CTE_BYTES, Cte, ObjType } from '@barreleye/spec';

/** A constant of this module, so that dividing by it becomes a shift. */
const BYTES = CTE_BYTES;

/** Address of a capability table entry. */
export type Slot = Ptr<'Cte'>;

/** A slot address (> 0), or an error value negated (< 0). */
export type SlotOrError = number;

/** No slot: the end of a list, an empty tree. Address 0 never holds one. */
export const NO_SLOT = asPtr<'Cte'>(0);

/** Whether a lookup failed. */
export function isError(found: SlotOrError): boolean {
  return found < 0;
}

/** Why a lookup failed. */
export function errorOf(found: SlotOrError): Errval {
  return asErrval(-found);
}

/** What a lookup found; only after `isError` said no. */
export function slotOf(found: SlotOrError): Slot {
  return asPtr<'Cte'>(found);
}

/** A failed lookup. */
export function failed(err: Errval): SlotOrError {
  return -err;
}

/** Whether `slot` holds no capability. */
export function isEmpty(mem: PhysMem, slot: Slot): boolean {
  return Cte.type.get(mem, slot) === ObjType.Null;
}

/** The slot that a 32-bit link field names; `NO_SLOT` for 0. */
export function slotOfLink(link: number): Slot {
  return asPtr<'Cte'>(link * BYTES);
}

/** The 32-bit link that names `slot`. */
export function linkOf(slot: Slot): number {
  return slot / BYTES;
}

/** The slot `count` places behind `slot` in the same CNode. */
export function slotAfter(slot: Slot, count = 1): Slot {
  return asPtr<'Cte'>(slot + count * BYTES);
}

/**
 * The guards that stand before every operation: the rights of the invoked capability (T40), and the
 * state of its object. One function decides "owned here, not locked, not being deleted".
 */

import { type Errval, OK, type PhysMem } from '@barreleye/core';
import { Cte, CteFlag, capTypeInfo, Err } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import type { Slot } from './slot.ts';

/**
 * Whether the capability itself has `rights`; for the capability that is invoked (T40).
 * @errors SYS_ERR_CAP_RIGHTS
 */
export function checkRights(mem: PhysMem, slot: Slot, rights: number): Errval {
  return (Cte.rights.get(mem, slot) & rights) === rights ? OK : Err.SYS_ERR_CAP_RIGHTS;
}

/**
 * Whether nothing else is being done with the object: what every source must pass (I31, T26).
 * @errors SYS_ERR_CAP_LOCKED locked by an operation between cores, or being deleted
 */
export function checkAvailable(caps: Caps, slot: Slot): Errval {
  return isBusy(caps, slot) ? Err.SYS_ERR_CAP_LOCKED : OK;
}

/**
 * The guard of every invocation of an object that has an owner: available, and owned here.
 * @errors SYS_ERR_CAP_LOCKED; SYS_ERR_RETRY_THROUGH_MONITOR another core owns it
 */
export function checkOwned(caps: Caps, slot: Slot): Errval {
  if (isBusy(caps, slot)) return Err.SYS_ERR_CAP_LOCKED;
  return isForeign(caps, slot) ? Err.SYS_ERR_RETRY_THROUGH_MONITOR : OK;
}

/** Locked by an operation between cores, or being deleted. */
function isBusy(caps: Caps, slot: Slot): boolean {
  return hasFlag(caps, slot, CteFlag.Locked | CteFlag.InDelete);
}

/** Whether the slot waits in the delete or the clear list. */
export function isDying(caps: Caps, slot: Slot): boolean {
  return hasFlag(caps, slot, CteFlag.InDelete);
}

/** Whether any of the `CteFlag` bits `flags` is set. */
export function hasFlag(caps: Caps, slot: Slot, flags: number): boolean {
  return (Cte.flags.get(caps.mem, slot) & flags) !== 0;
}

/** Whether the object has an owner, and it is another core. */
export function isForeign(caps: Caps, slot: Slot): boolean {
  const info = capTypeInfo(Cte.type.get(caps.mem, slot));
  return info.local && Cte.owner.get(caps.mem, slot) !== caps.coreId;
}

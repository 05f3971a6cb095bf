/**
 * What the monitors of several cores need of each kernel to act together on one object: its owner,
 * what other cores have of it, its lock, and the last steps of a delete that they have agreed on.
 * All copies on a core agree about these (I29). Each is one bounded or linear step; the protocols
 * are the monitors'.
 * Source: Barrelfish kernel/monitor.c, kernel/cap_delete.c; @differs only what can be moved changes
 * its owner, and nothing is dropped that others hang on (`nullify`).
 */

import { type CoreId, type Errval, OK } from '@barreleye/core';
import { Cte, CteFlag, capTypeInfo, Err } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { forEachCopy } from './copies.ts';
import { hasFlag, isDying, isForeign } from './guard.ts';
import { kill, whyLastMustWait } from './kill.ts';
import { findAncestor, hasCopies, hasDescendants, otherCopy } from './relations.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** The bits that say what other cores have. */
const RELATIONS = CteFlag.RemoteCopies | CteFlag.RemoteAncestors | CteFlag.RemoteDescendants;

/**
 * Set those of the bits in `mask` that say what other cores have of the object, on all copies.
 * @returns the bits as they are now
 */
export function setRelations(caps: Caps, slot: Slot, relations: number, mask: number): number {
  changeFlags(caps, slot, relations & mask & RELATIONS, mask & RELATIONS);
  return Cte.flags.get(caps.mem, slot) & RELATIONS;
}

/** Those of the bits in `mask` that hold on this core: other copies, ancestors, descendants. */
export function localRelations(caps: Caps, slot: Slot, mask: number): number {
  let found = 0;
  if (hasCopies(caps, slot)) found |= CteFlag.RemoteCopies;
  if (findAncestor(caps, slot) !== NO_SLOT) found |= CteFlag.RemoteAncestors;
  if (hasDescendants(caps, slot)) found |= CteFlag.RemoteDescendants;
  return found & mask;
}

/**
 * Say on all copies who owns the object. Another core that owns it has a copy.
 * @errors SYS_ERR_INVALID_SOURCE_TYPE objects of the type stay where they are;
 *   SYS_ERR_CAP_LOCKED it is being deleted
 */
export function setOwner(caps: Caps, slot: Slot, owner: CoreId): Errval {
  if (!capTypeInfo(Cte.type.get(caps.mem, slot)).moveable) return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  if (isDying(caps, slot)) return Err.SYS_ERR_CAP_LOCKED;
  forEachCopy(caps, slot, (copy) => Cte.owner.set(caps.mem, copy, owner));
  if (owner !== caps.coreId) changeFlags(caps, slot, CteFlag.RemoteCopies, CteFlag.RemoteCopies);
  return OK;
}

/**
 * Lock all copies.
 * @errors SYS_ERR_INVALID_SOURCE_TYPE no core owns objects of the type, so nothing is to be locked;
 *   SYS_ERR_CAP_LOCKED locked already, or being deleted
 */
export function lock(caps: Caps, slot: Slot): Errval {
  const { local } = capTypeInfo(Cte.type.get(caps.mem, slot));
  if (!local) return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  if (hasFlag(caps, slot, CteFlag.Locked | CteFlag.InDelete)) return Err.SYS_ERR_CAP_LOCKED;
  changeFlags(caps, slot, CteFlag.Locked, CteFlag.Locked);
  return OK;
}

/** Unlock all copies, locked or not. */
export function unlock(caps: Caps, slot: Slot): void {
  changeFlags(caps, slot, 0, CteFlag.Locked);
}

/**
 * Delete a capability here that is owned here, locked or not, after other cores have given up
 * theirs. What it marks, `sweep` must take apart.
 * @errors SYS_ERR_CAP_LOCKED being deleted, or the block that this very kernel lives in;
 *   SYS_ERR_RETRY_THROUGH_MONITOR another core owns it
 */
export function deleteLast(caps: Caps, slot: Slot): Errval {
  const { mem } = caps;
  if (isDying(caps, slot)) return Err.SYS_ERR_CAP_LOCKED;
  if (isForeign(caps, slot)) return Err.SYS_ERR_RETRY_THROUGH_MONITOR;
  if (!hasCopies(caps, slot)) {
    const flags = Cte.flags.get(mem, slot);
    Cte.flags.set(mem, slot, flags & ~(CteFlag.Locked | CteFlag.RemoteCopies));
    const err = whyLastMustWait(caps, slot);
    if (err !== OK) {
      Cte.flags.set(mem, slot, flags);
      return err;
    }
  }
  kill(caps, slot);
  return OK;
}

/**
 * Delete all copies of an object that another core owns, locked or not.
 * @errors SYS_ERR_CAP_LOCKED being deleted; SYS_ERR_DELETE_REMOTE_LOCAL it is owned here
 */
export function deleteForeigns(caps: Caps, slot: Slot): Errval {
  if (isDying(caps, slot)) return Err.SYS_ERR_CAP_LOCKED;
  if (!isForeign(caps, slot)) return Err.SYS_ERR_DELETE_REMOTE_LOCAL;
  for (;;) {
    const copy = otherCopy(caps, slot);
    if (copy === NO_SLOT) break;
    kill(caps, copy);
  }
  unlock(caps, slot);
  kill(caps, slot);
  return OK;
}

/**
 * Drop one of several copies, locked or not, and nothing else: for the monitor's own slots.
 * @errors SYS_ERR_DELETE_LAST_OWNED it is the last one here
 */
export function nullify(caps: Caps, slot: Slot): Errval {
  if (!hasCopies(caps, slot)) return Err.SYS_ERR_DELETE_LAST_OWNED;
  kill(caps, slot); // it may be what a dispatcher lives by
  return OK;
}

/** Set the flags in `mask` to those of `flags` on all copies. */
function changeFlags(caps: Caps, slot: Slot, flags: number, mask: number): void {
  const { mem } = caps;
  forEachCopy(caps, slot, (copy) => {
    Cte.flags.set(mem, copy, (Cte.flags.get(mem, copy) & ~mask) | flags);
  });
}

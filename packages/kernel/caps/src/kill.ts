/**
 * The end of one capability. A copy just goes. The last copy of an object takes the object along:
 * at once where that is little work, else it is marked and the sweep (sweep.ts) does the rest in
 * bounded steps. Nothing here can fail.
 *
 * What hangs on an object dies with it: mappings of it, mappings made in it, endpoints. What it
 * holds dies with it: the slots of a CNode or a dispatcher. What was made from it lives on. And a
 * dispatcher that loses what is in its own slots lives on, but never runs again (T14, T15).
 * Source: Barrelfish kernel/cap_delete.c; @differs mappings follow the object, not one copy (T11),
 * endpoints follow their dispatcher (T15), locked contents wait instead of a panic (T25).
 */

import { asPaddr, asPtr, type Errval, OK } from '@barreleye/core';
import { CTE_BYTES, Cte, CteFlag, capTypeInfo, DCB_BYTES, Err, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { isContainer, isDcbSlotOffset } from './container.ts';
import { forEachCopy } from './copies.ts';
import { leave } from './cte.ts';
import { hasFlag, isDying, isForeign } from './guard.ts';
import { isLeafType } from './key.ts';
import { mark } from './lists.ts';
import { clearEntries } from './mappings.ts';
import { findRange, RangeClass } from './mdb-range.ts';
import { isReturnable, returnObject } from './ram.ts';
import { findAncestor, firstLeaf, hasCopies, hasDescendants } from './relations.ts';
import { isEmpty, NO_SLOT, type Slot } from './slot.ts';

/** End the capability in `slot`: at once, or marked for the sweep. An empty slot is left alone. */
export function kill(caps: Caps, slot: Slot): void {
  const { mem, hooks } = caps;
  if (isEmpty(mem, slot) || isDying(caps, slot)) return;
  const type = Cte.type.get(mem, slot);
  stopHolder(caps, slot);
  if (hasCopies(caps, slot)) {
    dropCopy(caps, slot);
  } else if (isLeafType(type)) {
    destroy(caps, slot); // it follows its object, locked or not
  } else if (whyLastMustWait(caps, slot) !== OK || takesOthersAlong(caps, slot)) {
    mark(caps, slot);
    if (type === ObjType.Dispatcher) hooks.dispatcherDied(asPtr<'Dcb'>(Cte.base.get(mem, slot)));
  } else {
    destroy(caps, slot);
  }
}

/**
 * Why the last copy on this core, in `slot`, may not go without the monitor; OK if it may.
 * @errors SYS_ERR_CAP_LOCKED an operation between cores is under way, or it is the block that this
 *   very kernel lives in; SYS_ERR_DELETE_LAST_OWNED other cores have copies
 */
export function whyLastMustWait(caps: Caps, slot: Slot): Errval {
  const { mem } = caps;
  const type = Cte.type.get(mem, slot);
  if (hasFlag(caps, slot, CteFlag.Locked)) return Err.SYS_ERR_CAP_LOCKED;
  if (type === ObjType.KernelControlBlock && Cte.base.get(mem, slot) === caps.kcb) {
    return Err.SYS_ERR_CAP_LOCKED;
  }
  const isShared = hasFlag(caps, slot, CteFlag.RemoteCopies) && capTypeInfo(type).local;
  return isShared && !isForeign(caps, slot) ? Err.SYS_ERR_DELETE_LAST_OWNED : OK;
}

/**
 * End the last copy of an object on which nothing hangs and which holds nothing. If its memory
 * returns, it has no descendants either.
 */
export function destroy(caps: Caps, slot: Slot): void {
  const { mem, hooks } = caps;
  const type = Cte.type.get(mem, slot);
  const info = capTypeInfo(type);
  const base = asPaddr(Cte.base.get(mem, slot));
  const bytes = Cte.bytes.get(mem, slot);
  const returns = isReturnable(caps, slot);
  if (info.mapping) clearEntries(caps, slot);
  dropCopy(caps, slot);
  if (info.vnode) hooks.vnodeDied(type, base);
  if (returns) returnObject(caps, base, bytes);
}

/** Take the capability in `slot` away and nothing else. */
export function dropCopy(caps: Caps, slot: Slot): void {
  noteRemoteRelatives(caps, slot);
  leave(caps, slot);
}

/** Whether the death of the last copy, in `slot`, means work that needs steps of its own. */
function takesOthersAlong(caps: Caps, slot: Slot): boolean {
  const { mem } = caps;
  if (isContainer(mem, slot)) return !isForeign(caps, slot);
  const info = capTypeInfo(Cte.type.get(mem, slot));
  if (info.vnode && Cte.tableHead.get(mem, slot) !== 0) return true;
  if (info.mappable && firstLeaf(caps, slot) !== NO_SLOT) return true;
  return info.ramBacked && hasDescendants(caps, slot) && isReturnable(caps, slot);
}

/**
 * When a foreign copy goes, its relatives on other cores are no longer known through it: they are
 * descendants of whatever ancestor there is here.
 */
function noteRemoteRelatives(caps: Caps, slot: Slot): void {
  const { mem } = caps;
  const relatives = CteFlag.RemoteCopies | CteFlag.RemoteDescendants;
  if (!isForeign(caps, slot) || !hasFlag(caps, slot, relatives)) return;
  const ancestor = findAncestor(caps, slot);
  if (ancestor === NO_SLOT) return;
  forEachCopy(caps, ancestor, (copy) => {
    Cte.flags.set(mem, copy, Cte.flags.get(mem, copy) | CteFlag.RemoteDescendants);
  });
}

/** If `slot` is one of a living dispatcher's own, which cannot run without it, stop that one. */
function stopHolder(caps: Caps, slot: Slot): void {
  const { mem, hooks, rangeAnswer } = caps;
  if (!isDcbSlotOffset(slot % DCB_BYTES)) return;
  findRange(caps, ObjType.Dispatcher, slot, CTE_BYTES, rangeAnswer);
  if (rangeAnswer.kind !== RangeClass.Surrounding) return;
  const holder = rangeAnswer.slot;
  if (Cte.type.get(mem, holder) !== ObjType.Dispatcher || isDying(caps, holder)) return;
  hooks.dispatcherDismantled(asPtr<'Dcb'>(Cte.base.get(mem, holder)));
}

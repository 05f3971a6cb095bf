/**
 * Giving a capability space a root of another size while it is in use. The new root gets copies of
 * all that the old one holds, and every capability of the old root on this core becomes one of the
 * new root: in the dispatchers that share the space, in the KCB, in slots of anybody. So addresses
 * stay valid for all of them. The old root goes to a slot of its own, the only capability of it
 * that is left, from where its holder deletes it.
 *
 * The work is linear in the slots of the root and in the number of its capabilities.
 * Source: Barrelfish kernel/syscall.c `sys_resize_l1cnode`; @differs all checks come first (I8),
 * and not only the calling dispatcher follows.
 */

import { type Errval, OK } from '@barreleye/core';
import { CTE_BYTES, Cte, Err, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { copyToSlot } from './copy.ts';
import { locateEmptySlots, slotAt, slotCount } from './cspace.ts';
import { checkAvailable, checkOwned } from './guard.ts';
import { dropCopy } from './kill.ts';
import { isCopy, otherCopy } from './relations.ts';
import { errorOf, isEmpty, isError, NO_SLOT, type Slot, slotOf } from './slot.ts';

/** A request to give a capability space a new root. */
export interface ResizeRequest {
  /** Any capability of the present root. */
  readonly root: Slot;
  /** An empty L1 CNode. */
  readonly newRoot: Slot;
  /** Where the old root goes. */
  readonly returnCNode: Slot;
  readonly returnIndex: number;
}

/**
 * Give a capability space a new root with the same contents.
 * @post a capability that named the old root names the new one, with what rights it had and the
 *   capability in `newRoot` has too; the return slot has the rights of `root`
 * @errors SYS_ERR_RESIZE_NOT_L1; SYS_ERR_INVALID_SOURCE_TYPE the new root is not another L1 CNode;
 *   those of `checkOwned` for either; SYS_ERR_SLOTS_IN_USE the new root is not empty;
 *   SYS_ERR_SLOTS_INVALID it is too small for what the old one holds; SYS_ERR_CAP_LOCKED something
 *   in the old root is busy; those of `locateEmptySlots`
 */
export function resize(caps: Caps, request: ResizeRequest): Errval {
  const { mem } = caps;
  const { root, newRoot } = request;
  if (Cte.type.get(mem, root) !== ObjType.L1CNode) return Err.SYS_ERR_RESIZE_NOT_L1;
  if (Cte.type.get(mem, newRoot) !== ObjType.L1CNode) return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  if (isCopy(caps, root, newRoot)) return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  const rootErr = checkOwned(caps, root);
  if (rootErr !== OK) return rootErr;
  const newRootErr = checkOwned(caps, newRoot);
  if (newRootErr !== OK) return newRootErr;
  const { returnCNode, returnIndex } = request;
  const found = locateEmptySlots(caps, returnCNode, returnIndex, 1, ObjType.L1CNode);
  if (isError(found)) return errorOf(found);
  const contentErr = checkContents(caps, root, newRoot);
  if (contentErr !== OK) return contentErr;

  applyResize(caps, request, slotOf(found));
  return OK;
}

function checkContents(caps: Caps, root: Slot, newRoot: Slot): Errval {
  const { mem } = caps;
  const newCount = slotCount(mem, newRoot);
  if (!mem.isZero(Cte.base.get(mem, newRoot), newCount * CTE_BYTES)) {
    return Err.SYS_ERR_SLOTS_IN_USE;
  }
  const count = slotCount(mem, root);
  for (let i = 0; i < count; i++) {
    const slot = slotAt(mem, root, i);
    if (isEmpty(mem, slot)) continue;
    if (i >= newCount) return Err.SYS_ERR_SLOTS_INVALID;
    const err = checkAvailable(caps, slot);
    if (err !== OK) return err;
  }
  return OK;
}

function applyResize(caps: Caps, request: ResizeRequest, returnSlot: Slot): void {
  const { mem } = caps;
  const { root, newRoot } = request;
  const count = slotCount(mem, root);
  for (let i = 0; i < count; i++) {
    const slot = slotAt(mem, root, i);
    if (!isEmpty(mem, slot)) copyToSlot(caps, slot, slotAt(mem, newRoot, i));
  }
  copyToSlot(caps, root, returnSlot);
  for (;;) {
    const copy = otherCopy(caps, returnSlot);
    if (copy === NO_SLOT) return;
    replace(caps, copy, newRoot);
  }
}

/** Put a copy of `source` in place of the copy, not the last one, that `slot` holds (I6). */
function replace(caps: Caps, slot: Slot, source: Slot): void {
  const { mem } = caps;
  const rights = Cte.rights.get(mem, slot) & Cte.rights.get(mem, source);
  dropCopy(caps, slot);
  copyToSlot(caps, source, slot);
  Cte.rights.set(mem, slot, rights);
}

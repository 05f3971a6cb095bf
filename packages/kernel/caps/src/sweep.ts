/**
 * The sweep: what deletions have marked, taken apart in bounded steps (I39). A step works on the
 * oldest marked object: first what hangs on it, then what it holds, then the object itself.
 *
 * Containers need care, for their slots may hold the capabilities of other dying containers, even
 * in circles. A dying container therefore buries itself: its capability moves into the first slot
 * of its own memory. That empties the slot it was in, so no two containers ever wait for each
 * other. When all its other slots are empty it goes to the clear list, and from there its memory
 * back: no memory is given back that holds a capability of something else (I38).
 * Source: Barrelfish kernel/cap_delete.c, two lists and two kinds of step; @differs burial, and
 * clearing does not wait until nothing at all is left to delete.
 */

import { type Errval, OK } from '@barreleye/core';
import { Cte, CteFlag, capTypeInfo, Err } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { innerSlot, innerSlotCount, isContainer, isHollow } from './container.ts';
import { locateEmptySlots } from './cspace.ts';
import { exchangeSlots, moveToSlot } from './cte.ts';
import { isForeign } from './guard.ts';
import { destroy, dropCopy, kill, whyLastMustWait } from './kill.ts';
import {
  clearHead,
  deleteHead,
  dropClearHead,
  dropDeleteHead,
  pushClear,
  replaceDeleteHead,
  rotateDeleteList,
} from './lists.ts';
import { firstMappingIn } from './mappings.ts';
import { isReturnable, returnGaps } from './ram.ts';
import { firstLeaf } from './relations.ts';
import { failed, isEmpty, isError, NO_SLOT, type Slot, type SlotOrError, slotOf } from './slot.ts';

/** Slots of a container that one step visits. */
const SLOTS_PER_STEP = 256;
/** Mappings or endpoints that one step removes. */
const LEAVES_PER_STEP = 64;

/** Whether marked objects wait for `deleteStep` or `clearStep`. */
export function isSweepPending(caps: Caps): boolean {
  return deleteHead(caps) !== NO_SLOT || clearHead(caps) !== NO_SLOT;
}

/**
 * A bounded piece of the work on the oldest marked object.
 * @errors SYS_ERR_CAP_NOT_FOUND nothing is marked. SYS_ERR_CAP_LOCKED it is locked, or it holds
 *   something that is still being deleted; SYS_ERR_DELETE_LAST_OWNED other cores have copies: in
 *   both cases it has gone to the end of the list (T28)
 */
export function deleteStep(caps: Caps): Errval {
  const head = deleteHead(caps);
  if (head === NO_SLOT) return Err.SYS_ERR_CAP_NOT_FOUND;
  const err = whyLastMustWait(caps, head);
  if (err !== OK) {
    rotateDeleteList(caps);
    return err;
  }
  if (killLeaves(caps, head) || killMappingsIn(caps, head)) return OK;
  if (isContainer(caps.mem, head) && !isForeign(caps, head)) return sweepContainer(caps, head);
  sweepObject(caps, head);
  return OK;
}

/**
 * `KernelCmd.DeleteStep`: a step of the work on the oldest marked object. If that waits because
 * other cores have copies, it is taken off the list and put into slot `slotIndex` of `cnode`,
 * alive, so that the monitor can ask them and then finish with `deleteLast`.
 * @returns 1 if it was put there, 0 for any other step, or an error: those of `deleteStep` and
 *   `locateEmptySlots`
 */
export function deleteStepInto(caps: Caps, cnode: Slot, slotIndex: number): SlotOrError {
  const { mem } = caps;
  const head = deleteHead(caps);
  const isShared =
    head !== NO_SLOT && whyLastMustWait(caps, head) === Err.SYS_ERR_DELETE_LAST_OWNED;
  if (!isShared) {
    const err = deleteStep(caps);
    return err === OK ? 0 : failed(err);
  }
  const found = locateEmptySlots(caps, cnode, slotIndex, 1, Cte.type.get(mem, head));
  if (isError(found)) return found;
  dropDeleteHead(caps);
  Cte.flags.set(mem, head, Cte.flags.get(mem, head) & ~CteFlag.InDelete);
  moveToSlot(caps, head, slotOf(found));
  return 1;
}

/**
 * Give back the memory of one container that is empty.
 * @errors SYS_ERR_CAP_NOT_FOUND nothing to clear
 */
export function clearStep(caps: Caps): Errval {
  const head = clearHead(caps);
  if (head === NO_SLOT) return Err.SYS_ERR_CAP_NOT_FOUND;
  dropClearHead(caps);
  destroy(caps, head);
  return OK;
}

/** One step of either kind. @errors those of `deleteStep`; SYS_ERR_CAP_NOT_FOUND nothing pends */
export function sweepStep(caps: Caps): Errval {
  return clearHead(caps) === NO_SLOT ? deleteStep(caps) : clearStep(caps);
}

/**
 * Steps until nothing is pending but what must wait for the monitor.
 * @errors those of `deleteStep`, for what is left
 */
export function sweep(caps: Caps): Errval {
  let firstStuck = NO_SLOT;
  while (isSweepPending(caps)) {
    const head = deleteHead(caps);
    const err = sweepStep(caps);
    if (err === OK) firstStuck = NO_SLOT;
    else if (firstStuck === NO_SLOT) firstStuck = head;
    else if (firstStuck === head) return err; // once around the list
  }
  return OK;
}

/** Remove mappings of, or endpoints on, the object. Whether the step is used up. */
function killLeaves(caps: Caps, head: Slot): boolean {
  for (let i = 0; i < LEAVES_PER_STEP; i++) {
    const leaf = firstLeaf(caps, head);
    if (leaf === NO_SLOT) return false;
    kill(caps, leaf);
  }
  return true;
}

/** Remove mappings made in the page table. Whether the step is used up. */
function killMappingsIn(caps: Caps, head: Slot): boolean {
  if (!capTypeInfo(Cte.type.get(caps.mem, head)).vnode) return false;
  for (let i = 0; i < LEAVES_PER_STEP; i++) {
    const mapping = firstMappingIn(caps, head);
    if (mapping === NO_SLOT) return false;
    kill(caps, mapping);
  }
  return true;
}

/** An object that holds nothing, and on which nothing hangs any more. */
function sweepObject(caps: Caps, head: Slot): void {
  const { identity } = capTypeInfo(Cte.type.get(caps.mem, head));
  if (identity === 'region' && isReturnable(caps, head)) {
    if (!returnGaps(caps, head)) return;
    dropDeleteHead(caps);
    dropCopy(caps, head);
  } else {
    dropDeleteHead(caps);
    destroy(caps, head);
  }
}

/** A container: bury it, then kill what it holds, then wait until that is gone. */
function sweepContainer(caps: Caps, head: Slot): Errval {
  const { mem } = caps;
  const grave = innerSlot(mem, head, 0);
  if (head !== grave) {
    bury(caps, head, grave);
    return OK;
  }
  const count = innerSlotCount(mem, head);
  const cursor = Math.max(1, Cte.tableHead.get(mem, head));
  if (cursor < count) {
    const end = Math.min(count, cursor + SLOTS_PER_STEP);
    for (let i = cursor; i < end; i++) kill(caps, innerSlot(mem, head, i));
    Cte.tableHead.set(mem, head, end);
    if (end === count) rotateDeleteList(caps); // what it held goes first
    return OK;
  }
  if (!isHollow(mem, head)) {
    rotateDeleteList(caps);
    return Err.SYS_ERR_CAP_LOCKED;
  }
  dropDeleteHead(caps);
  pushClear(caps, head);
  return OK;
}

/** Move a dying container into `grave`, the first slot of its own memory, or come closer to it. */
function bury(caps: Caps, head: Slot, grave: Slot): void {
  kill(caps, grave);
  if (isEmpty(caps.mem, grave)) {
    moveToSlot(caps, head, grave);
    replaceDeleteHead(caps, head, grave);
  } else {
    // It holds another dying object, which is on the list too: that one goes to the head.
    exchangeSlots(caps, head, grave);
  }
}

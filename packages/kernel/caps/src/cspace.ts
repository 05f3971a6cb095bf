/**
 * Capability spaces: from a capability address to a slot. An address has two parts, the index in an
 * L1 CNode (24 bits) and the index in the L2 CNode found there (8 bits); a level says how far.
 *
 * Reads and writes never leave the CNode that a capability names (I5), and a CNode of another core
 * or one that is being deleted is not looked into: its slots are not ours to use.
 * Source: Barrelfish kernel/capabilities.c `caps_lookup_slot`, checks in its order.
 */

import { type Errval, errPush, OK, type PhysMem } from '@barreleye/core';
import {
  CTE_BYTES,
  Cte,
  Err,
  L2_CNODE_BITS,
  L2_CNODE_SLOTS,
  ObjType,
  Rights,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { isDying, isForeign } from './guard.ts';
import {
  errorOf,
  failed,
  isEmpty,
  isError,
  type Slot,
  type SlotOrError,
  slotAfter,
  slotOf,
} from './slot.ts';

/** A capability address has this many levels. */
const LEVELS = 2;

/**
 * Find the full slot that `addr` names at `level` below the CNode capability in `root`.
 * @param level 0 the root itself, 1 a slot of the L1 CNode, 2 a slot of an L2 CNode
 * @param rights that every CNode on the path must have (`Rights` bits)
 * @returns the slot, or an error: SYS_ERR_CAP_LOOKUP_DEPTH no such level; SYS_ERR_CNODE_TYPE not a
 *   CNode of the level; SYS_ERR_L1_CNODE_INDEX beyond the end; SYS_ERR_CNODE_RIGHTS;
 *   SYS_ERR_CNODE_NOT_FOUND the L1 slot is empty, or a CNode is being deleted;
 *   SYS_ERR_CAP_NOT_FOUND the slot is empty; SYS_ERR_RETRY_THROUGH_MONITOR another core's CNode
 */
export function lookupSlot(
  caps: Caps,
  root: Slot,
  addr: number,
  level: number,
  rights: number,
): SlotOrError {
  const { mem } = caps;
  if (level > LEVELS) return failed(Err.SYS_ERR_CAP_LOOKUP_DEPTH);
  if (level === 0) return root;

  if (Cte.type.get(mem, root) !== ObjType.L1CNode) return failed(Err.SYS_ERR_CNODE_TYPE);
  const l1Index = addr >>> L2_CNODE_BITS;
  if (l1Index >= slotCount(mem, root)) return failed(Err.SYS_ERR_L1_CNODE_INDEX);
  const rootErr = checkPath(caps, root, rights);
  if (rootErr !== OK) return failed(rootErr);
  const l1Slot = slotAt(mem, root, l1Index);
  if (level === 1) return isEmpty(mem, l1Slot) ? failed(Err.SYS_ERR_CAP_NOT_FOUND) : l1Slot;

  if (isEmpty(mem, l1Slot)) return failed(Err.SYS_ERR_CNODE_NOT_FOUND);
  if (Cte.type.get(mem, l1Slot) !== ObjType.L2CNode) return failed(Err.SYS_ERR_CNODE_TYPE);
  const l1Err = checkPath(caps, l1Slot, rights);
  if (l1Err !== OK) return failed(l1Err);
  const l2Slot = slotAt(mem, l1Slot, addr & (L2_CNODE_SLOTS - 1));
  return isEmpty(mem, l2Slot) ? failed(Err.SYS_ERR_CAP_NOT_FOUND) : l2Slot;
}

/**
 * Find a source capability: `cspace` names an L1 CNode at level 2 below `root`, `addr` a
 * capability at `level` below that one, with the read right on both paths.
 * @errors e, then SYS_ERR_SOURCE_ROOTCN_LOOKUP or SYS_ERR_SOURCE_CAP_LOOKUP on top;
 *   SYS_ERR_CNODE_NOT_ROOT `cspace` is not an L1 CNode
 */
export function lookupSource(
  caps: Caps,
  root: Slot,
  cspace: number,
  addr: number,
  level: number,
): SlotOrError {
  const cnode = lookupSourceRoot(caps, root, cspace);
  if (isError(cnode)) return cnode;
  if (Cte.type.get(caps.mem, slotOf(cnode)) !== ObjType.L1CNode) {
    return failed(Err.SYS_ERR_CNODE_NOT_ROOT);
  }
  return lookupSourceCap(caps, slotOf(cnode), addr, level);
}

/** First half of `lookupSource`. @errors e, then SYS_ERR_SOURCE_ROOTCN_LOOKUP on top */
export function lookupSourceRoot(caps: Caps, root: Slot, cspace: number): SlotOrError {
  const cnode = lookupSlot(caps, root, cspace, LEVELS, Rights.Read);
  return isError(cnode) ? push(cnode, Err.SYS_ERR_SOURCE_ROOTCN_LOOKUP) : cnode;
}

/** Second half of `lookupSource`. @errors e, then SYS_ERR_SOURCE_CAP_LOOKUP on top */
export function lookupSourceCap(caps: Caps, cnode: Slot, addr: number, level: number): SlotOrError {
  const source = lookupSlot(caps, cnode, addr, level, Rights.Read);
  return isError(source) ? push(source, Err.SYS_ERR_SOURCE_CAP_LOOKUP) : source;
}

/**
 * Find a destination CNode: `cspace` names a CSpace root at level 2 below `root`, `addr` the CNode
 * at `level` below that one. Whether it is a CNode is for `locateEmptySlots` to say.
 * @errors e, then SYS_ERR_DEST_ROOTCN_LOOKUP or SYS_ERR_DEST_CNODE_LOOKUP on top;
 *   SYS_ERR_CNODE_TYPE `cspace` is not an L1 CNode
 */
export function lookupDestination(
  caps: Caps,
  root: Slot,
  cspace: number,
  addr: number,
  level: number,
): SlotOrError {
  const destRoot = lookupSlot(caps, root, cspace, LEVELS, Rights.Read);
  if (isError(destRoot)) return push(destRoot, Err.SYS_ERR_DEST_ROOTCN_LOOKUP);
  if (Cte.type.get(caps.mem, slotOf(destRoot)) !== ObjType.L1CNode) {
    return failed(Err.SYS_ERR_CNODE_TYPE);
  }
  return lookupCNode(caps, slotOf(destRoot), addr, level);
}

/**
 * Find the CNode that `addr` names at `level` below `root`, to be written.
 * @errors e, then SYS_ERR_DEST_CNODE_LOOKUP on top
 */
export function lookupCNode(caps: Caps, root: Slot, addr: number, level: number): SlotOrError {
  const cnode = lookupSlot(caps, root, addr, level, Rights.Read | Rights.Write);
  return isError(cnode) ? push(cnode, Err.SYS_ERR_DEST_CNODE_LOOKUP) : cnode;
}

/**
 * The first of `count` consecutive empty slots, `first` being its index in the CNode capability in
 * `cnode`, fit for capabilities of `type`. Every way to a new capability goes through here
 * (T6, T44).
 * @param inUse the error for a full slot; operations name it differently
 * @returns the slot, or an error: SYS_ERR_DEST_CNODE_INVALID not a CNode; SYS_ERR_CNODE_RIGHTS it
 *   lacks the read or the write right (@differs Barrelfish asks only the CNodes on the way to it);
 *   SYS_ERR_RETRY_THROUGH_MONITOR another core's CNode; SYS_ERR_CNODE_NOT_FOUND it is being
 *   deleted; SYS_ERR_DEST_TYPE_INVALID an L1 CNode takes only L2 CNodes and KCBs (I4);
 *   SYS_ERR_SLOTS_INVALID beyond the end; `inUse`
 */
export function locateEmptySlots(
  caps: Caps,
  cnode: Slot,
  first: number,
  count: number,
  type: ObjType,
  inUse: Errval = Err.SYS_ERR_SLOT_IN_USE,
): SlotOrError {
  const { mem } = caps;
  if (!isCNode(mem, cnode)) return failed(Err.SYS_ERR_DEST_CNODE_INVALID);
  const err = checkPath(caps, cnode, Rights.Read | Rights.Write);
  if (err !== OK) return failed(err);
  const isRoot = Cte.type.get(mem, cnode) === ObjType.L1CNode;
  if (isRoot && !isAllowedInRoot(type)) return failed(Err.SYS_ERR_DEST_TYPE_INVALID);
  const slots = slotCount(mem, cnode);
  if (count > slots || first > slots - count) return failed(Err.SYS_ERR_SLOTS_INVALID);
  let slot = slotAt(mem, cnode, first);
  for (let i = 0; i < count; i++, slot = slotAfter(slot)) {
    if (!isEmpty(mem, slot)) return failed(inUse);
  }
  return slotAt(mem, cnode, first);
}

/** Whether `slot` holds a CNode of either level. */
export function isCNode(mem: PhysMem, slot: Slot): boolean {
  const type = Cte.type.get(mem, slot);
  return type === ObjType.L1CNode || type === ObjType.L2CNode;
}

/** What may stand in a slot of an L1 CNode (I4). */
export function isAllowedInRoot(type: ObjType): boolean {
  return type === ObjType.L2CNode || type === ObjType.KernelControlBlock;
}

/** Slots of the CNode that the capability in `cnode` names. */
export function slotCount(mem: PhysMem, cnode: Slot): number {
  return Cte.bytes.get(mem, cnode) / CTE_BYTES;
}

/** The `index`-th slot of the CNode that the capability in `cnode` names. */
export function slotAt(mem: PhysMem, cnode: Slot, index: number): Slot {
  return slotAfter(slotOf(Cte.base.get(mem, cnode)), index);
}

/** Whether the slots of a CNode may be used: its rights, its owner, its state. */
function checkPath(caps: Caps, cnode: Slot, rights: number): Errval {
  if ((Cte.rights.get(caps.mem, cnode) & rights) !== rights) return Err.SYS_ERR_CNODE_RIGHTS;
  if (isForeign(caps, cnode)) return Err.SYS_ERR_RETRY_THROUGH_MONITOR;
  return isDying(caps, cnode) ? Err.SYS_ERR_CNODE_NOT_FOUND : OK;
}

function push(found: SlotOrError, err: Errval): SlotOrError {
  return failed(errPush(errorOf(found), err));
}

/**
 * The invocations of CNodes as they come from user mode: words in, an error out. `CNodeCmd` in
 * @barreleye/spec documents the words; `args[0]` is the first behind the capability address.
 * Every address is looked up below `root`, the slot of the invoked CNode; whoever invokes the CNode
 * of another domain acts in its space. Rights of the invoked capability: `checkRights` (T40).
 * Source: Barrelfish kernel/syscall.c, checks in its order.
 */

import { type Errval, fromWords, OK } from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  Cte,
  Err,
  highHalf,
  lowHalf,
  ObjType,
  placeLevel,
  placeSlot,
  Rights,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { applyCopy, decodeCopy } from './copy.ts';
import { createId } from './create.ts';
import {
  isCNode,
  lookupCNode,
  lookupDestination,
  lookupSlot,
  lookupSource,
  lookupSourceCap,
  lookupSourceRoot,
} from './cspace.ts';
import { applyDelete, decodeDelete } from './delete.ts';
import { reclaimRam } from './free-ram.ts';
import { type Identification, identify, stateOf } from './identify.ts';
import type { CopyPlan, RetypePlan } from './plans.ts';
import { resize } from './resize.ts';
import { applyRetype, decodeRetype } from './retype.ts';
import { revoke } from './revoke.ts';
import { errorOf, failed, isError, type Slot, type SlotOrError, slotOf } from './slot.ts';

/** `CNodeCmd.Copy`: levels are those of the destination CNode and of the source. */
export function invokeCopy(caps: Caps, root: Slot, args: Uint32Array): Errval {
  return copyOrMint(caps, root, args, false);
}

/** `CNodeCmd.Mint`: `CNodeCmd.Copy`, rights to keep, and two parameters (`decodeCopy`). */
export function invokeMint(caps: Caps, root: Slot, args: Uint32Array): Errval {
  return copyOrMint(caps, root, args, true);
}

/** `CNodeCmd.Retype`, and with `isFromMonitor` `KernelCmd.Retype`. */
export function invokeRetype(
  caps: Caps,
  root: Slot,
  args: Uint32Array,
  isFromMonitor = false,
): Errval {
  const plan = caps.retypePlan;
  let err = decodeRetypeArgs(caps, root, args, plan);
  plan.isFromMonitor = isFromMonitor;
  if (err === OK) err = decodeRetype(caps, plan);
  if (err === OK) applyRetype(caps, plan);
  return err;
}

/** `CNodeCmd.Delete`. What it marks, `sweep` or its steps must take apart. */
export function invokeDelete(caps: Caps, root: Slot, args: Uint32Array): Errval {
  const found = lookupBelow(caps, root, args);
  if (isError(found)) return errorOf(found);
  const err = decodeDelete(caps, slotOf(found));
  if (err === OK) applyDelete(caps, slotOf(found));
  return err;
}

/** `CNodeCmd.Revoke`, to the end. */
export function invokeRevoke(caps: Caps, root: Slot, args: Uint32Array): Errval {
  const found = lookupBelow(caps, root, args);
  return isError(found) ? errorOf(found) : revoke(caps, slotOf(found));
}

/** `CNodeCmd.Create`. */
export function invokeCreate(caps: Caps, root: Slot, args: Uint32Array): Errval {
  const type = word(args, 0);
  if (!isType(type)) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
  const cnode = lookupCNode(caps, root, word(args, 1), placeLevel(word(args, 2)));
  if (isError(cnode)) return errorOf(cnode);
  return createId(caps, type, slotOf(cnode), placeSlot(word(args, 2)));
}

/** `CNodeCmd.GetState`: the state (>= 0), or an error negated. */
export function invokeGetState(caps: Caps, root: Slot, args: Uint32Array): number {
  const found = lookupSlot(caps, root, word(args, 0), word(args, 1), Rights.Read);
  return isError(found) ? found : stateOf(caps, slotOf(found));
}

/** `CNodeCmd.Identify`: fills `out`. It takes all rights of use on the path. */
export function invokeIdentify(
  caps: Caps,
  root: Slot,
  args: Uint32Array,
  out: Identification,
): Errval {
  const found = lookupSlot(caps, root, word(args, 0), word(args, 1), Rights.Lent);
  if (isError(found)) return errorOf(found);
  identify(caps.mem, slotOf(found), out);
  return OK;
}

/** `CNodeCmd.Resize`. */
export function invokeResize(caps: Caps, root: Slot, args: Uint32Array): Errval {
  if (Cte.type.get(caps.mem, root) !== ObjType.L1CNode) return Err.SYS_ERR_RESIZE_NOT_L1;
  const newRoot = lookupSlot(caps, root, word(args, 0), 2, Rights.Lent);
  if (isError(newRoot)) return errorOf(newRoot);
  const cnode = lookupSlot(caps, root, word(args, 1), 1, READ_WRITE);
  if (isError(cnode)) return errorOf(cnode);
  return resize(caps, {
    root,
    newRoot: slotOf(newRoot),
    returnCNode: slotOf(cnode),
    returnIndex: word(args, 2),
  });
}

/** `KernelCmd.ReclaimRam`; `root` is the caller's. */
export function invokeReclaimRam(caps: Caps, root: Slot, args: Uint32Array): Errval {
  const cnode = lookupCNode(caps, root, word(args, 0), placeLevel(word(args, 1)));
  if (isError(cnode)) return errorOf(cnode);
  return reclaimRam(caps, slotOf(cnode), placeSlot(word(args, 1)));
}

const READ_WRITE = Rights.Read | Rights.Write;

/**
 * The capability that a delete or revoke is about. It is below the invoked CNode: the slot of that
 * one itself (level 0) may be in a CNode that the caller can only read (T40).
 * @errors SYS_ERR_CAP_LOOKUP_DEPTH; those of `lookupSlot`
 */
function lookupBelow(caps: Caps, root: Slot, args: Uint32Array): SlotOrError {
  const level = word(args, 1);
  if (level === 0) return failed(Err.SYS_ERR_CAP_LOOKUP_DEPTH);
  return lookupSlot(caps, root, word(args, 0), level, READ_WRITE);
}

function copyOrMint(caps: Caps, root: Slot, args: Uint32Array, isMint: boolean): Errval {
  const plan = caps.copyPlan;
  let err = decodeCopyArgs(caps, root, args, plan);
  plan.isMint = isMint;
  if (err === OK) err = decodeCopy(caps, plan);
  if (err === OK) applyCopy(caps, plan);
  return err;
}

/** Checks 1 to 7 of copy and mint: where from and where to. */
function decodeCopyArgs(caps: Caps, root: Slot, args: Uint32Array, plan: CopyPlan): Errval {
  if (Cte.type.get(caps.mem, root) !== ObjType.L1CNode) return Err.SYS_ERR_CNODE_NOT_ROOT;
  const levels = word(args, 5);
  const source = lookupSource(caps, root, word(args, 3), word(args, 4), (levels >>> 4) & 15);
  if (isError(source)) return errorOf(source);
  const cnode = lookupDestination(caps, root, word(args, 0), word(args, 1), levels & 15);
  if (isError(cnode)) return errorOf(cnode);
  plan.source = slotOf(source);
  plan.cnode = slotOf(cnode);
  plan.slotIndex = word(args, 2);
  plan.keptRights = word(args, 6);
  plan.param1 = word(args, 7);
  plan.param2 = word(args, 8);
  return OK;
}

/** Checks 1 to 7 of retype: the type, where from and where to. */
function decodeRetypeArgs(caps: Caps, root: Slot, args: Uint32Array, plan: RetypePlan): Errval {
  const type = lowHalf(word(args, 4));
  if (!isType(type)) return Err.SYS_ERR_ILLEGAL_DEST_TYPE; // 1
  const sourceRoot = lookupSourceRoot(caps, root, word(args, 0)); // 2
  if (isError(sourceRoot)) return errorOf(sourceRoot);
  const source = lookupSourceCap(caps, slotOf(sourceRoot), word(args, 1), 2); // 3
  if (isError(source)) return errorOf(source);
  const place = word(args, 9);
  const level = placeLevel(place);
  const cnode = lookupDestination(caps, root, word(args, 7), word(args, 8), level); // 4-6
  if (isError(cnode)) return errorOf(cnode);
  if (!isCNode(caps.mem, slotOf(cnode))) return Err.SYS_ERR_DEST_CNODE_INVALID; // 7
  plan.source = slotOf(source);
  plan.offset = fromWords(word(args, 2), word(args, 3));
  plan.type = type;
  plan.count = highHalf(word(args, 4));
  plan.objectBytes = fromWords(word(args, 5), word(args, 6));
  plan.cnode = slotOf(cnode);
  plan.slotIndex = placeSlot(place);
  return OK;
}

function isType(type: number): boolean {
  return type !== ObjType.Null && type < CAP_TYPE_COUNT;
}

/** An argument word; words that were not given count as zero. */
function word(args: Uint32Array, index: number): number {
  return args[index] ?? 0;
}

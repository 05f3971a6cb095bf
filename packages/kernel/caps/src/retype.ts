/**
 * Retype: new objects out of part of an old one. The numbers in the comments are the reference
 * order of the checks; where one stands elsewhere, or is new, a trap (T…) says why. Checks 1 to 7
 * resolve addresses and are in invoke.ts.
 *
 * Nothing is ever multiplied or added before it is known to fit: offsets and sizes are exact
 * numbers below 2^53 or NaN, which fails every test here (T3, T52).
 * Source: Barrelfish kernel/capabilities.c `caps_retype`.
 */

import { assert, BASE_PAGE_SIZE, type Errval, errPush, OK, offset } from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  type CapTypeInfo,
  Cte,
  CteFlag,
  capTypeInfo,
  Err,
  isRetypeEdge,
  Kcb,
  ObjType,
  Rights,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { hasIds, takeId } from './create.ts';
import { locateEmptySlots } from './cspace.ts';
import { adoptRelations, enter, startCap, startCopy } from './cte.ts';
import { checkRights, hasFlag, isForeign } from './guard.ts';
import { findRange, RangeClass } from './mdb-range.ts';
import type { RetypePlan, RetypeRequest } from './plans.ts';
import { hasBacking } from './ram.ts';
import { isCopy } from './relations.ts';
import { errorOf, isEmpty, isError, type Slot, slotAfter, slotOf } from './slot.ts';

/** Domain identifiers that one call may make. */
const MAX_DOMAINS = 256;

/**
 * Check the request in `plan` and complete it; nothing else changes. In this order:
 * @errors SYS_ERR_ILLEGAL_DEST_TYPE no such type
 *   SYS_ERR_CAP_NOT_FOUND no source
 *   SYS_ERR_RETYPE_INVALID_OFFSET misaligned offset or base
 *   SYS_ERR_INVALID_SIZE not a multiple of the granule
 *   SYS_ERR_RETYPE_MAPPING_EXPLICIT mappings are made by mapping
 *   SYS_ERR_INVALID_RETYPE the type table has no such edge
 *   SYS_ERR_CAP_RIGHTS a dispatcher without the write right gives no endpoint
 *   SYS_ERR_CAP_LOCKED the source is locked or being deleted
 *   SYS_ERR_RETRY_THROUGH_MONITOR another core owns the source or has descendants of it
 *   SYS_ERR_INVALID_SIZE not even one object fits the source
 *   SYS_ERR_RETYPE_INVALID_COUNT none, or more than fit
 *   SYS_ERR_RETYPE_INVALID_OFFSET the objects reach beyond the source
 *   SYS_ERR_REVOKE_FIRST another object lies in the range
 *   those of `locateEmptySlots`, with SYS_ERR_SLOTS_IN_USE for a full slot
 *   SYS_ERR_RETYPE_INVALID_OFFSET, SYS_ERR_RETYPE_INVALID_OBJSIZE an IRQ range is not in the source
 *   SYS_ERR_RETYPE_CREATE on top of why: identifiers exhausted, or there is no such RAM
 */
export function decodeRetype(caps: Caps, plan: RetypePlan): Errval {
  const { type } = plan;
  if (!(type > ObjType.Null && type < CAP_TYPE_COUNT)) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
  if (isEmpty(caps.mem, plan.source)) return Err.SYS_ERR_CAP_NOT_FOUND;
  const info = capTypeInfo(type);
  let err = checkShape(caps, plan, info);
  // Whoever has an endpoint can put messages into the frame of its dispatcher (T40).
  const needed = type === ObjType.EndPointLMP ? Rights.Write : 0;
  if (err === OK) err = checkRights(caps.mem, plan.source, needed);
  if (err === OK) err = checkSource(caps, plan);
  if (err === OK) err = isMemory(info) ? checkExtent(caps, plan, info) : checkCount(plan, info);
  if (err !== OK) return err;

  const { cnode, slotIndex, count } = plan;
  const inUse = Err.SYS_ERR_SLOTS_IN_USE;
  const target = locateEmptySlots(caps, cnode, slotIndex, count, type, inUse); // 19, 20 (T44)
  if (isError(target)) return errorOf(target);
  plan.target = slotOf(target);
  if (type === ObjType.IRQSrc) return checkNumbers(caps, plan);
  const cause = checkCreation(caps, plan, info);
  return cause === OK ? OK : errPush(cause, Err.SYS_ERR_RETYPE_CREATE); // 23
}

/**
 * Carry out a retype that `decodeRetype` has accepted.
 * @post the new capabilities are in the database and owned here (T12); memory that becomes readable
 *   or a kernel object was zeroed first, a part of a frame was not (T19)
 */
export function applyRetype(caps: Caps, plan: RetypePlan): void {
  const { mem, hooks } = caps;
  const { source, type } = plan;
  const info = capTypeInfo(type);
  const isSplit = Cte.type.get(mem, source) === type;
  assert(plan.count > 0, 'a plan makes something');
  if (info.zeroed && !isSplit) mem.zero(plan.base, plan.objectBytes * plan.count);
  let slot = plan.target;
  for (let i = 0; i < plan.count; i++, slot = slotAfter(slot)) {
    if (isSplit) startCopy(caps, source, slot);
    else startCap(caps, slot, type, Rights.All);
    nameObject(caps, plan, slot, i);
    if (!isCopy(caps, slot, source)) startRelations(caps, source, slot);
    enter(caps, slot);
    if (!isMemory(info)) adoptRelations(caps, slot);
    if (info.vnode) hooks.vnodeCreated(type, Cte.base.get(mem, slot));
  }
}

/** Decode and apply in one. */
export function retype(caps: Caps, request: RetypeRequest): Errval {
  const plan = caps.retypePlan;
  plan.source = request.source;
  plan.offset = request.offset;
  plan.type = request.type;
  plan.objectBytes = request.objectBytes;
  plan.count = request.count;
  plan.cnode = request.cnode;
  plan.slotIndex = request.slotIndex;
  plan.isFromMonitor = request.isFromMonitor;
  const err = decodeRetype(caps, plan);
  if (err === OK) applyRetype(caps, plan);
  return err;
}

/** Checks 8 to 11: what the numbers and the type table say, whatever state the source is in. */
function checkShape(caps: Caps, plan: RetypePlan, info: CapTypeInfo): Errval {
  const { type } = plan;
  const sourceType = Cte.type.get(caps.mem, plan.source);
  if (sourceType !== ObjType.IRQSrc) {
    const unit = isMemory(info) ? Math.min(BASE_PAGE_SIZE, info.granule) : BASE_PAGE_SIZE;
    const isAligned = plan.offset >= 0 && plan.offset % unit === 0;
    if (!isAligned) return Err.SYS_ERR_RETYPE_INVALID_OFFSET; // 8
  }
  if (!isSizeValid(plan.objectBytes, info)) return Err.SYS_ERR_INVALID_SIZE; // 9 (T51)
  if (info.bytes !== 0) plan.objectBytes = info.bytes; // the true size from here on (T4)
  if (info.mapping) return Err.SYS_ERR_RETYPE_MAPPING_EXPLICIT; // 10
  return isRetypeEdge(sourceType, type) ? OK : Err.SYS_ERR_INVALID_RETYPE; // 11
}

/** Where the type fixes the size, 0 stands for it; tables and L2 CNodes accept no nonsense. */
function isSizeValid(objectBytes: number, info: CapTypeInfo): boolean {
  if (info.identity === 'region') return objectBytes % info.granule === 0;
  if (info.vnode) return objectBytes % info.bytes === 0;
  if (info.type === ObjType.L2CNode) return objectBytes === 0 || objectBytes === info.bytes;
  return true;
}

/**
 * Checks 12 to 14: whether this core may decide. @differs before the range is looked at (T2), and
 * a locked source is refused (T26).
 */
function checkSource(caps: Caps, plan: RetypePlan): Errval {
  const { source } = plan;
  const busy = plan.isFromMonitor ? CteFlag.InDelete : CteFlag.InDelete | CteFlag.Locked;
  if (hasFlag(caps, source, busy)) return Err.SYS_ERR_CAP_LOCKED;
  if (plan.isFromMonitor) return OK;
  if (isForeign(caps, source)) return Err.SYS_ERR_RETRY_THROUGH_MONITOR;
  if (plan.type === ObjType.EndPointLMP) return OK; // 13
  const isShared = hasFlag(caps, source, CteFlag.RemoteDescendants);
  return isShared ? Err.SYS_ERR_RETRY_THROUGH_MONITOR : OK; // 14
}

/** Checks 15 to 18 for memory: it fits the source, and nothing else was made from it. */
function checkExtent(caps: Caps, plan: RetypePlan, info: CapTypeInfo): Errval {
  const { mem } = caps;
  const { source, objectBytes, count } = plan;
  const sourceBytes = Cte.bytes.get(mem, source);
  const hasSize = objectBytes > 0 && objectBytes <= sourceBytes;
  if (!hasSize) return Err.SYS_ERR_INVALID_SIZE; // 15 (T52)
  const hasCount = count > 0 && count <= Math.floor(sourceBytes / objectBytes);
  if (!hasCount) return Err.SYS_ERR_RETYPE_INVALID_COUNT; // 16
  const bytes = objectBytes * count;
  if (plan.offset > sourceBytes - bytes) return Err.SYS_ERR_RETYPE_INVALID_OFFSET; // 17 (T3)
  plan.base = offset(Cte.base.get(mem, source), plan.offset);
  if (plan.base % info.granule !== 0) return Err.SYS_ERR_RETYPE_INVALID_OFFSET; // 17 (T51)
  return isRangeFree(caps, plan, plan.base, bytes) ? OK : Err.SYS_ERR_REVOKE_FIRST; // 18
}

/** Checks 15 to 17 for what is not memory. @differs an offset is refused instead of asserted. */
function checkCount(plan: RetypePlan, info: CapTypeInfo): Errval {
  const limit = info.type === ObjType.Domain ? MAX_DOMAINS : 1;
  const hasCount = plan.count > 0 && plan.count <= limit;
  if (!hasCount) return Err.SYS_ERR_RETYPE_INVALID_COUNT; // 16
  const isPlain = plan.offset === 0 || info.type === ObjType.IRQSrc;
  return isPlain ? OK : Err.SYS_ERR_RETYPE_INVALID_OFFSET; // 17 (T31)
}

/**
 * Checks 21 and 22: `offset` and `objectBytes` are the first and the last number of an IRQSrc.
 * @differs then 18 as for memory: nobody gets numbers that somebody else has.
 */
function checkNumbers(caps: Caps, plan: RetypePlan): Errval {
  const { mem } = caps;
  const { source, offset: first, objectBytes: last } = plan;
  const lowest = Cte.arg0.get(mem, source);
  const highest = Cte.arg1.get(mem, source);
  const isOrdered = first <= last && first >= lowest && first <= highest;
  if (!isOrdered) return Err.SYS_ERR_RETYPE_INVALID_OFFSET; // 21
  if (last > highest) return Err.SYS_ERR_RETYPE_INVALID_OBJSIZE; // 22
  return isRangeFree(caps, plan, first, last - first + 1) ? OK : Err.SYS_ERR_REVOKE_FIRST;
}

/** Whether no object but the source itself touches the range. */
function isRangeFree(caps: Caps, plan: RetypePlan, base: number, bytes: number): boolean {
  const answer = caps.rangeAnswer;
  findRange(caps, plan.type, base, bytes, answer);
  assert(answer.kind !== RangeClass.NotFound, 'the source is in the database');
  return answer.kind === RangeClass.Surrounding && isCopy(caps, answer.slot, plan.source);
}

/** What could still go wrong when objects are made. */
function checkCreation(caps: Caps, plan: RetypePlan, info: CapTypeInfo): Errval {
  if (plan.type === ObjType.Domain && !hasIds(caps, Kcb.nextDomainId, plan.count)) {
    return Err.SYS_ERR_DOMAIN_SPACE_EXHAUSTED;
  }
  if (!isMemory(info)) return OK;
  const isBacked = hasBacking(caps, plan.type, plan.base, plan.objectBytes * plan.count);
  return isBacked ? OK : Err.SYS_ERR_INVALID_RETYPE; // PhysAddr also names what is not RAM
}

/** Say in `slot` which object it is, the `index`-th of the plan. */
function nameObject(caps: Caps, plan: RetypePlan, slot: Slot, index: number): void {
  const { mem } = caps;
  switch (plan.type) {
    case ObjType.EndPointLMP:
      Cte.base.set(mem, slot, Cte.base.get(mem, plan.source));
      break;
    case ObjType.IRQSrc:
      Cte.arg0.set(mem, slot, plan.offset);
      Cte.arg1.set(mem, slot, plan.objectBytes);
      break;
    case ObjType.Domain:
      Cte.arg0.set(mem, slot, caps.coreId);
      Cte.arg1.set(mem, slot, takeId(caps, Kcb.nextDomainId));
      break;
    default:
      Cte.base.set(mem, slot, offset(plan.base, index * plan.objectBytes));
      Cte.bytes.set(mem, slot, plan.objectBytes);
  }
}

/** A new object is owned here, and has relatives elsewhere if its source has (T24). */
function startRelations(caps: Caps, source: Slot, slot: Slot): void {
  const isShared =
    isForeign(caps, source) ||
    hasFlag(caps, source, CteFlag.RemoteCopies | CteFlag.RemoteAncestors);
  Cte.owner.set(caps.mem, slot, caps.coreId);
  Cte.flags.set(caps.mem, slot, isShared ? CteFlag.RemoteAncestors : 0);
}

/** Whether capabilities of the type stand for bytes of memory. */
function isMemory(info: CapTypeInfo): boolean {
  return info.identity === 'region' || info.identity === 'object';
}

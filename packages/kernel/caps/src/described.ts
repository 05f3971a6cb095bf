/**
 * Capabilities that somebody describes by value: how the monitors of two cores talk about them. A
 * description is put into a slot of its own in the kernel control block (`Kcb.scratch`), which is
 * in no tree; what is asked about it, the functions for real slots answer. Whoever holds the Kernel
 * capability answers for the truth of a description, as boot does for what it makes; it is checked
 * against what this core knows itself.
 * Source: Barrelfish kernel/monitor.c, kernel/capabilities.c `caps_create_from_existing`.
 */

import { asPaddr, coreId, type Errval, fromWords, MAX_CORE_ID, OK } from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  type CapTypeInfo,
  CTE_BYTES,
  Cte,
  CteFlag,
  capHeadIftype,
  capHeadRights,
  capHeadType,
  capTypeInfo,
  Err,
  isDerivedType,
  Kcb,
  Rights,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { createCap } from './create.ts';
import { locateEmptySlots } from './cspace.ts';
import { enter, startCopy } from './cte.ts';
import { isAnyFree } from './free-ram.ts';
import { checkAvailable, isDying } from './guard.ts';
import { isLeafType, readKey, rootOf } from './key.ts';
import { firstFrom, successor } from './mdb.ts';
import { findRange, RangeClass } from './mdb-range.ts';
import { hasBacking } from './ram.ts';
import { findAncestor, firstCopy, isCopy, isDescendant } from './relations.ts';
import { errorOf, isError, NO_SLOT, type Slot, slotOf } from './slot.ts';

/** Physical addresses end here. */
const PADDR_LIMIT = 2 ** 52;

/** The slot of the description. It says what a capability would say, and is not in the database. */
export function scratchSlot(caps: Caps): Slot {
  return Kcb.scratch.at(caps.kcb);
}

/**
 * Put the capability that `words` describe from index `at` (`CAP_WORDS`) into the scratch slot.
 * @errors SYS_ERR_ILLEGAL_DEST_TYPE no type, or mappings, which mean nothing elsewhere;
 *   SYS_ERR_INVARGS_SYSCALL numbers that no capability of the type has
 */
export function readDescription(caps: Caps, words: Uint32Array, at = 0): Errval {
  const { mem } = caps;
  const [head = 0, baseLow = 0, baseHigh = 0, bytesLow = 0, bytesHigh = 0, owner = 0, ...args] =
    words.subarray(at);
  const [arg0 = 0, arg1 = 0] = args;
  const type = capHeadType(head);
  if (type === 0 || type >= CAP_TYPE_COUNT) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
  const info = capTypeInfo(type);
  if (info.mapping) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
  const base = fromWords(baseLow, baseHigh);
  const bytes = fromWords(bytesLow, bytesHigh);
  const rights = capHeadRights(head);
  const isSound = isExtentSound(info, base, bytes) && areNumbersSound(info, arg0, arg1);
  if (!isSound || owner > MAX_CORE_ID || rights > Rights.All) return Err.SYS_ERR_INVARGS_SYSCALL;

  const slot = scratchSlot(caps);
  Cte.type.set(mem, slot, type);
  Cte.rights.set(mem, slot, rights);
  Cte.iftype.set(mem, slot, capHeadIftype(head));
  Cte.base.set(mem, slot, asPaddr(base));
  Cte.bytes.set(mem, slot, bytes);
  Cte.owner.set(mem, slot, coreId(owner));
  Cte.arg0.set(mem, slot, arg0);
  Cte.arg1.set(mem, slot, arg1);
  return OK;
}

/** Forget the description. */
export function clearScratch(caps: Caps): void {
  caps.mem.zero(scratchSlot(caps), CTE_BYTES);
}

/** A capability of the described object on this core, `NO_SLOT` for none. */
export function findDescribed(caps: Caps): Slot {
  const scratch = scratchSlot(caps);
  const found = firstCopy(caps, scratch);
  return found !== NO_SLOT && isCopy(caps, found, scratch) ? found : NO_SLOT;
}

/**
 * `KernelCmd.CreateCap`: a capability that came from another core, in slot `slotIndex` of `cnode`.
 * @errors SYS_ERR_ILLEGAL_DEST_TYPE a type that stays on its core, or a kernel object of this core
 *   that it does not know; those of `locateEmptySlots`; SYS_ERR_INVARGS_SYSCALL no RAM there, RAM
 *   that nobody holds (I21), or another owner than that of the copies here; SYS_ERR_CAP_LOCKED the
 *   copies here are being deleted; SYS_ERR_REVOKE_FIRST it does not go with the objects that are
 *   known here (I13, I14)
 * @post it has the relations of the copies here. Without any, another core has a copy if another
 *   core owns it, else an ancestor
 */
export function createDescribed(caps: Caps, cnode: Slot, slotIndex: number): Errval {
  const { mem } = caps;
  const scratch = scratchSlot(caps);
  const type = Cte.type.get(mem, scratch);
  const info = capTypeInfo(type);
  if (!info.sendable) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
  const found = locateEmptySlots(caps, cnode, slotIndex, 1, type);
  if (isError(found)) return errorOf(found);
  const base = Cte.base.get(mem, scratch);
  const bytes = Cte.bytes.get(mem, scratch);
  const owner = Cte.owner.get(mem, scratch);
  if (!hasBacking(caps, type, base, bytes)) return Err.SYS_ERR_INVARGS_SYSCALL;
  if (isMemory(info) && isAnyFree(caps, base, bytes)) return Err.SYS_ERR_INVARGS_SYSCALL;
  const copy = findDescribed(caps);
  if (copy === NO_SLOT) {
    const isOurs = !info.local || owner === caps.coreId;
    if (isOurs && info.zeroed && !info.moveable) return Err.SYS_ERR_ILLEGAL_DEST_TYPE;
    if (isMemory(info) && !isNested(caps)) return Err.SYS_ERR_REVOKE_FIRST;
  } else {
    if (isDying(caps, copy)) return Err.SYS_ERR_CAP_LOCKED;
    if (info.local && Cte.owner.get(mem, copy) !== owner) return Err.SYS_ERR_INVARGS_SYSCALL;
  }

  createCap(caps, slotOf(found), type, {
    base,
    bytes,
    arg0: Cte.arg0.get(mem, scratch),
    arg1: Cte.arg1.get(mem, scratch),
    iftype: Cte.iftype.get(mem, scratch),
    rights: Cte.rights.get(mem, scratch),
    owner: info.local ? owner : caps.coreId,
  });
  const isOrphan = copy === NO_SLOT && info.local && owner === caps.coreId;
  if (isOrphan) Cte.flags.set(mem, slotOf(found), CteFlag.RemoteAncestors);
  return OK;
}

/**
 * `KernelCmd.CopyExisting`: a copy of a capability of the described object, with the rights that
 * both have, in slot `slotIndex` of `cnode`.
 * @errors SYS_ERR_CAP_NOT_FOUND there is none on this core; SYS_ERR_CAP_LOCKED;
 *   SYS_ERR_INVALID_SOURCE_TYPE as of `decodeCopy`; those of `locateEmptySlots`
 */
export function copyExisting(caps: Caps, cnode: Slot, slotIndex: number): Errval {
  const { mem } = caps;
  const source = findDescribed(caps);
  if (source === NO_SLOT) return Err.SYS_ERR_CAP_NOT_FOUND;
  const err = checkAvailable(caps, source);
  if (err !== OK) return err;
  const target = locateEmptySlots(caps, cnode, slotIndex, 1, Cte.type.get(mem, source));
  if (isError(target)) return errorOf(target);

  const slot = slotOf(target);
  const rights = Cte.rights.get(mem, source) & Cte.rights.get(mem, scratchSlot(caps));
  startCopy(caps, source, slot);
  Cte.rights.set(mem, slot, rights);
  enter(caps, slot);
  return OK;
}

/**
 * `KernelCmd.IsRetypeable`: whether nothing on this core stands in the way of making `count`
 * objects of `objectBytes` bytes from `offset` bytes into the described object.
 * @errors SYS_ERR_RETYPE_INVALID_OFFSET, SYS_ERR_RETYPE_INVALID_COUNT, SYS_ERR_INVALID_SIZE it
 *   has no such part; SYS_ERR_REVOKE_FIRST
 */
export function checkRetypeable(
  caps: Caps,
  offset: number,
  objectBytes: number,
  count: number,
): Errval {
  const { mem, rangeAnswer } = caps;
  const scratch = scratchSlot(caps);
  const type = Cte.type.get(mem, scratch);
  const info = capTypeInfo(type);
  if (!isMemory(info) || info.repeatable) return OK;
  const bytes = Cte.bytes.get(mem, scratch);
  const hasSize = objectBytes > 0 && objectBytes <= bytes;
  if (!hasSize) return Err.SYS_ERR_INVALID_SIZE;
  if (count === 0 || count > bytes / objectBytes) return Err.SYS_ERR_RETYPE_INVALID_COUNT;
  const isInside = offset >= 0 && offset <= bytes - count * objectBytes;
  if (!isInside) return Err.SYS_ERR_RETYPE_INVALID_OFFSET;
  const first = Cte.base.get(mem, scratch) + offset;
  findRange(caps, type, first, count * objectBytes, rangeAnswer);
  const { kind, slot } = rangeAnswer;
  if (kind === RangeClass.NotFound) return OK;
  const isAround =
    kind === RangeClass.Surrounding &&
    (isCopy(caps, slot, scratch) || isDescendant(caps, scratch, slot));
  return isAround ? OK : Err.SYS_ERR_REVOKE_FIRST;
}

/** Base and size of memory are whole granules of physical addresses. */
function isExtentSound(info: CapTypeInfo, base: number, bytes: number): boolean {
  const isSpace = base >= 0 && bytes >= 0 && bytes <= PADDR_LIMIT && base <= PADDR_LIMIT - bytes;
  if (!isSpace) return false;
  if (!isMemory(info)) return bytes === 0;
  const isWhole = base % info.granule === 0 && bytes % info.granule === 0 && bytes > 0;
  return isWhole && (info.bytes === 0 || bytes === info.bytes);
}

/** A range has an end, and an identifier the number of a core. */
function areNumbersSound({ identity }: CapTypeInfo, arg0: number, arg1: number): boolean {
  if (identity === 'range') return arg0 <= arg1;
  return identity !== 'id' || arg0 <= MAX_CORE_ID;
}

/** Whether the described object lies to all objects here as if they were made from each other. */
function isNested(caps: Caps): boolean {
  const { mem, rangeAnswer } = caps;
  const scratch = scratchSlot(caps);
  const type = Cte.type.get(mem, scratch);
  const base = Cte.base.get(mem, scratch);
  const bytes = Cte.bytes.get(mem, scratch);
  findRange(caps, type, base, bytes, rangeAnswer);
  if (rangeAnswer.kind === RangeClass.NotFound) return true;
  if (rangeAnswer.kind === RangeClass.Partial) return false;
  // Up from the innermost object to the first that would have to be an ancestor.
  let around = rangeAnswer.slot;
  while (around !== NO_SLOT && (isSmaller(caps, around) || isDescendant(caps, around, scratch))) {
    around = findAncestor(caps, around);
  }
  if (around !== NO_SLOT && !isDerivedType(Cte.type.get(mem, around), type)) return false;
  // Nothing crosses an end, so all that begins in the range from here on lies inside.
  readKey(mem, scratch, caps.key);
  caps.key.slot = Infinity;
  for (let at = firstFrom(caps, caps.key); at !== NO_SLOT; at = successor(caps, at)) {
    const below = Cte.type.get(mem, at);
    if (rootOf(below) !== rootOf(type) || Cte.base.get(mem, at) >= base + bytes) return true;
    if (!isLeafType(below) && !isDerivedType(type, below)) return false;
  }
  return true;
}

/** Whether the memory of the capability in `slot` is a part, not all, of the described memory. */
function isSmaller({ mem, kcb }: Caps, slot: Slot): boolean {
  return Cte.bytes.get(mem, slot) < Cte.bytes.get(mem, Kcb.scratch.at(kcb));
}

/** Whether capabilities of the type stand for bytes of memory. */
function isMemory(info: CapTypeInfo): boolean {
  return info.identity === 'region' || info.identity === 'object';
}

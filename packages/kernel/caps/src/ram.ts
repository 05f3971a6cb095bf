/**
 * Giving memory back. A page returns to its manager when no capability on this core covers any
 * byte of it any more, and then exactly once (I20, I21): with the death of the last one that did.
 *
 * So the death of an object returns nothing while an ancestor lives, for its holder may use the
 * memory again. Without an ancestor it returns what no descendant covers: the gaps between them,
 * whole pages only (T20). What is smaller than a page returns with the last object in its page.
 * Source: Barrelfish kernel/cap_delete.c `cleanup_last`; @differs gaps, and remote relatives (T49).
 */

import {
  alignDown,
  alignUp,
  asPaddr,
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  type Paddr,
} from '@barreleye/core';
import { Cte, CteFlag, capTypeInfo, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { keepRam } from './free-ram.ts';
import { hasFlag, isDying, isForeign } from './guard.ts';
import { baseOf, readKey, rootOf } from './key.ts';
import { endOf, firstFrom } from './mdb.ts';
import { findRange, RangeClass } from './mdb-range.ts';
import { findAncestor } from './relations.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** The cursor of a region that is given back counts units of the smallest granule. */
const CURSOR_UNIT = 1024;
/** Descendants that one step looks at. */
const GAPS_PER_STEP = 64;
const REMOTE_RELATIVES = CteFlag.RemoteCopies | CteFlag.RemoteAncestors | CteFlag.RemoteDescendants;

/**
 * Whether a new object may lie in this memory. Types that are backed by RAM need RAM there: the
 * kernel writes to it, when it is zeroed at the latest, and a hole would not hold a word. All
 * memory that the kernel ever touches for user mode has passed here, for it was RAM or a kernel
 * object when its first capability was made.
 */
export function hasBacking(caps: Caps, type: ObjType, base: Paddr, bytes: number): boolean {
  if (!capTypeInfo(type).ramBacked) return true;
  return caps.mem.contains(base, bytes) && caps.hooks.isRam(base, bytes);
}

/** Whether memory returns when the object in `slot`, of which this is the last copy, dies. */
export function isReturnable(caps: Caps, slot: Slot): boolean {
  const { mem } = caps;
  if (!capTypeInfo(Cte.type.get(mem, slot)).ramBacked || isForeign(caps, slot)) return false;
  if (hasFlag(caps, slot, REMOTE_RELATIVES)) return false;
  const ancestor = findAncestor(caps, slot);
  if (ancestor === NO_SLOT) return true;
  // An ancestor that is being given back leaves out what it has passed.
  return isDying(caps, ancestor) && cursorOf(caps, ancestor) >= endOf(mem, slot);
}

/** Return the memory of an object that has just left the database and had no descendants. */
export function returnObject(caps: Caps, base: Paddr, bytes: number): void {
  if (bytes % BASE_PAGE_SIZE === 0) {
    keepRam(caps, base, bytes);
    return;
  }
  const page = alignDown(base, BASE_PAGE_BITS);
  const { rangeAnswer } = caps;
  findRange(caps, ObjType.RAM, page, BASE_PAGE_SIZE, rangeAnswer);
  const isShared = rangeAnswer.kind === RangeClass.Inner || rangeAnswer.kind === RangeClass.Partial;
  if (!isShared) keepRam(caps, page, BASE_PAGE_SIZE);
}

/**
 * Return some of what no descendant of the dying region in `slot` covers. A bounded step: how far
 * it got is kept in the slot.
 * @returns whether all of it has been seen
 */
export function returnGaps(caps: Caps, slot: Slot): boolean {
  const { mem } = caps;
  const end = endOf(mem, slot);
  let cursor = cursorOf(caps, slot);
  // Never stop inside a page: it returns with this region, or with the last object in it.
  for (let i = 0; i < GAPS_PER_STEP || cursor % BASE_PAGE_SIZE !== 0; i++) {
    const next = firstDescendantFrom(caps, slot, cursor);
    const gapEnd = next === NO_SLOT ? end : baseOf(mem, next, Cte.type.get(mem, next));
    returnPages(caps, cursor, gapEnd);
    if (next === NO_SLOT) return true;
    cursor = endOf(mem, next);
    Cte.tableHead.set(mem, slot, (cursor - Cte.base.get(mem, slot)) / CURSOR_UNIT);
  }
  return false;
}

/** How far `returnGaps` has got in the region in `slot`. */
function cursorOf(caps: Caps, slot: Slot): number {
  const { mem } = caps;
  if (capTypeInfo(Cte.type.get(mem, slot)).identity !== 'region') return 0;
  return Cte.base.get(mem, slot) + Cte.tableHead.get(mem, slot) * CURSOR_UNIT;
}

/** The first descendant of `slot` that begins at `from` or behind it: an outermost one. */
function firstDescendantFrom(caps: Caps, slot: Slot, from: number): Slot {
  const { mem, key } = caps;
  readKey(mem, slot, key);
  const end = key.base + key.bytes;
  key.slot = Infinity;
  if (from > key.base) {
    key.base = from;
    key.bytes = Infinity;
    key.type = 0;
    key.slot = 0;
  }
  const found = firstFrom(caps, key);
  if (found === NO_SLOT) return NO_SLOT;
  const type = Cte.type.get(mem, found);
  return rootOf(type) === key.root && baseOf(mem, found, type) < end ? found : NO_SLOT;
}

/** Return the whole pages in [`from`, `end`). */
function returnPages(caps: Caps, from: number, end: number): void {
  const first = asPaddr(alignUp(from, BASE_PAGE_BITS));
  const bytes = alignDown(end, BASE_PAGE_BITS) - first;
  if (bytes > 0) keepRam(caps, first, bytes);
}

/**
 * Range queries: how the objects of one name space lie to a range. Three questions answer it, each
 * in O(log n): does one cross the start, does one cross the end, and what comes first inside.
 * Source: Barrelfish lib/mdb `find_range`; @differs mappings and endpoints do not count (T43).
 */

import { assert } from '@barreleye/core';
import { Cte, type ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { baseOf, isLeafType, type Key, readKey, rootOf } from './key.ts';
import { endOf, firstFrom, lastBefore, lastReaching } from './mdb.ts';
import { toFront } from './relations.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** How objects lie to a range, half open; the largest number that applies is the answer. */
export const RangeClass = {
  /** No object touches the range. */
  NotFound: 0,
  /** One covers all of it. */
  Surrounding: 1,
  /** One lies in it and is smaller. */
  Inner: 2,
  /** One crosses one end of it. */
  Partial: 3,
} as const;
export type RangeClass = (typeof RangeClass)[keyof typeof RangeClass];

/** Answer of a range query. */
export interface RangeAnswer {
  kind: RangeClass;
  /**
   * The object that makes it so: the innermost that surrounds, the first inside, of the partial
   * ones the last that crosses the start, else the last that crosses the end.
   */
  slot: Slot;
}

/** An empty answer to fill. */
export function createRangeAnswer(): RangeAnswer {
  return { kind: RangeClass.NotFound, slot: NO_SLOT };
}

/**
 * How the objects with the type root of `type` lie to [`base`, `base` + `bytes`). A range of no
 * length is surrounded by what begins before it and ends behind it.
 */
export function findRange(
  caps: Caps,
  type: ObjType,
  base: number,
  bytes: number,
  answer: RangeAnswer,
): void {
  assert(base >= 0, 'a range has a place');
  assert(bytes >= 0, 'a range has a length');
  const root = rootOf(type);
  answer.kind = RangeClass.NotFound;
  answer.slot = NO_SLOT;
  const isPartial = findFromBefore(caps, root, base, base + bytes, answer);
  if (!isPartial && bytes > 0) findFromWithin(caps, root, base, bytes, answer);
}

/** What begins before the range and reaches into it; whether one crosses only the start. */
function findFromBefore(
  caps: Caps,
  root: number,
  base: number,
  end: number,
  answer: RangeAnswer,
): boolean {
  const { mem, key } = caps;
  toStartOf(key, root, base);
  for (;;) {
    const slot = objectReaching(caps, key, base);
    if (slot === NO_SLOT) return false;
    if (endOf(mem, slot) < end) {
      answer.kind = RangeClass.Partial;
      answer.slot = slot;
      return true;
    }
    if (answer.kind === RangeClass.NotFound) {
      answer.kind = RangeClass.Surrounding;
      answer.slot = slot;
    }
  }
}

/** What begins in the range: crosses its end, lies inside, or begins with it and covers it. */
function findFromWithin(
  caps: Caps,
  root: number,
  base: number,
  bytes: number,
  answer: RangeAnswer,
): void {
  const { key } = caps;
  const end = base + bytes;
  toStartOf(key, root, end);
  const crossing = objectReaching(caps, key, end);
  if (crossing !== NO_SLOT && beginOf(caps, crossing) > base) {
    answer.kind = RangeClass.Partial;
    answer.slot = crossing;
    return;
  }
  // Behind all that begin with the range and cover it, so the next one is smaller.
  toStartOf(key, root, base);
  key.bytes = bytes;
  key.type = Infinity;
  const inner = firstFrom(caps, key);
  if (isOfRoot(caps, inner, root) && beginOf(caps, inner) < end) {
    answer.kind = RangeClass.Inner;
    answer.slot = inner;
    return;
  }
  const covering = lastObjectBefore(caps, key);
  if (isOfRoot(caps, covering, root) && beginOf(caps, covering) === base) {
    answer.kind = RangeClass.Surrounding;
    answer.slot = covering;
  }
}

/** Put `key` before everything that begins at `base` or behind it. */
function toStartOf(key: Key, root: number, base: number): void {
  key.root = root;
  key.base = base;
  key.bytes = Infinity;
  key.type = 0;
  toFront(key);
}

/**
 * The last object before `key` that ends beyond `point`; `key` then stands before that object.
 * What hangs on an object has its extent and stands behind it, so stepping over leads to it.
 */
function objectReaching(caps: Caps, key: Key, point: number): Slot {
  for (;;) {
    const slot = lastReaching(caps, key, point);
    if (slot === NO_SLOT) return NO_SLOT;
    readKey(caps.mem, slot, key);
    toFront(key);
    if (!isLeafType(key.type)) return slot;
  }
}

/** The last object before `key`; `key` is changed. */
function lastObjectBefore(caps: Caps, key: Key): Slot {
  for (;;) {
    const slot = lastBefore(caps, key);
    if (slot === NO_SLOT || !isLeafType(Cte.type.get(caps.mem, slot))) return slot;
    readKey(caps.mem, slot, key);
    toFront(key);
  }
}

function isOfRoot(caps: Caps, slot: Slot, root: number): boolean {
  return slot !== NO_SLOT && rootOf(Cte.type.get(caps.mem, slot)) === root;
}

function beginOf(caps: Caps, slot: Slot): number {
  return baseOf(caps.mem, slot, Cte.type.get(caps.mem, slot));
}

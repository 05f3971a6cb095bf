/**
 * How capabilities relate: copies, descendants, ancestors. All of it is read off the order of the
 * mapping database; there are no other links between relatives.
 */

import { Cte, type ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import {
  baseOf,
  bytesOf,
  compareObject,
  isDescendantKey,
  isLeafType,
  type Key,
  readKey,
  rootOf,
} from './key.ts';
import { firstFrom, lastBefore, lastReaching, successor } from './mdb.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** Whether this core holds another capability of the same object. */
export function hasCopies(caps: Caps, slot: Slot): boolean {
  return otherCopy(caps, slot) !== NO_SLOT;
}

/** Another capability of the same object on this core, `NO_SLOT` for none. Copies are adjacent. */
export function otherCopy(caps: Caps, slot: Slot): Slot {
  const { mem, key } = caps;
  readKey(mem, slot, key);
  const before = lastBefore(caps, key);
  if (before !== NO_SLOT && compareObject(mem, key, before) === 0) return before;
  key.slot = slot + 1;
  const behind = firstFrom(caps, key);
  return behind !== NO_SLOT && compareObject(mem, key, behind) === 0 ? behind : NO_SLOT;
}

/** The first capability of the object in the order, which may be `slot` itself. */
export function firstCopy(caps: Caps, slot: Slot): Slot {
  const { key } = caps;
  readKey(caps.mem, slot, key);
  key.slot = 0;
  return firstFrom(caps, key);
}

/** Whether this core holds a capability derived from the object: mappings and endpoints count. */
export function hasDescendants(caps: Caps, slot: Slot): boolean {
  return firstDescendant(caps, slot) !== NO_SLOT;
}

/** The first capability in the order that was derived from the object, `NO_SLOT` for none. */
export function firstDescendant(caps: Caps, slot: Slot): Slot {
  const { mem, key, otherKey } = caps;
  if (isLeafType(Cte.type.get(mem, slot))) return NO_SLOT;
  readKey(mem, slot, key);
  key.slot = Infinity;
  let next = firstFrom(caps, key);
  readKey(mem, slot, otherKey);
  const end = otherKey.base + otherKey.bytes;
  while (next !== NO_SLOT) {
    readKey(mem, next, key);
    if (key.root !== otherKey.root || key.base >= end) return NO_SLOT;
    if (isDescendantKey(key, otherKey)) return next;
    // Only numbers that overlap without nesting (I/O ports) come here.
    next = successor(caps, next);
  }
  return NO_SLOT;
}

/** The nearest ancestor of the object on this core, `NO_SLOT` for none. */
export function findAncestor(caps: Caps, slot: Slot): Slot {
  const { mem, key, otherKey } = caps;
  readKey(mem, slot, otherKey);
  readKey(mem, slot, key);
  key.slot = 0;
  for (;;) {
    const candidate = lastReaching(caps, key, otherKey.base);
    if (candidate === NO_SLOT) return NO_SLOT;
    readKey(mem, candidate, key);
    if (isDescendantKey(otherKey, key)) return candidate;
    toFront(key);
  }
}

/** Whether both slots name the same object. */
export function isCopy(caps: Caps, a: Slot, b: Slot): boolean {
  readKey(caps.mem, a, caps.key);
  return compareObject(caps.mem, caps.key, b) === 0;
}

/** Whether the object in `child` was derived from the one in `parent`, in any number of steps. */
export function isDescendant(caps: Caps, child: Slot, parent: Slot): boolean {
  readKey(caps.mem, child, caps.key);
  readKey(caps.mem, parent, caps.otherKey);
  return isDescendantKey(caps.key, caps.otherKey);
}

/** The first capability of the object of type `type` at `base`, `NO_SLOT` for none. */
export function findObject(caps: Caps, type: ObjType, base: number, bytes: number): Slot {
  const { mem, key } = caps;
  key.root = rootOf(type);
  key.base = base;
  key.bytes = bytes;
  key.type = type;
  key.extra0 = 0;
  key.extra1 = 0;
  key.extra2 = 0;
  key.slot = 0;
  const found = firstFrom(caps, key);
  return found !== NO_SLOT && compareObject(mem, key, found) === 0 ? found : NO_SLOT;
}

/** The first mapping or endpoint that hangs on the object in `slot`, `NO_SLOT` for none. */
export function firstLeaf(caps: Caps, slot: Slot): Slot {
  const { mem, key } = caps;
  readKey(mem, slot, key);
  key.slot = Infinity;
  const next = firstFrom(caps, key);
  if (next === NO_SLOT) return NO_SLOT;
  const type = Cte.type.get(mem, next);
  if (!isLeafType(type) || baseOf(mem, next, type) !== key.base) return NO_SLOT;
  return bytesOf(mem, next, type) === key.bytes ? next : NO_SLOT;
}

/** Move `key` before everything of its object: its copies, or all leaves of its type. */
export function toFront(key: Key): void {
  key.extra0 = 0;
  key.extra1 = 0;
  key.extra2 = 0;
  key.slot = 0;
}

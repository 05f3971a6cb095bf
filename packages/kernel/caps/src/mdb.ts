/**
 * The mapping database: every capability of a core in one balanced tree, ordered by key.ts, its
 * links inside the slots. Nothing is ever allocated for it.
 *
 * It is an AA tree: a leaf has level 0, a left child is one level lower, a right child at most as
 * high as its parent, a right grandchild lower. So no path is longer than twice the logarithm of
 * the number of entries (64 for all that 32-bit links reach), which bounds the recursion here.
 *
 * It is also an interval tree: every node knows how far the extents below it reach. Name spaces
 * (type roots) follow one another, so `endRoot` is the last root below a node, and `end` the
 * furthest end among the entries of that root.
 * Source: A. Andersson, "Balanced search trees made simple" (1993); Barrelfish lib/mdb; @differs
 * recursion instead of parent searches, and removal relinks nodes, as they cannot be copied.
 */

import { assert, type PhysMem } from '@barreleye/core';
import { Cte, Kcb } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { baseOf, bytesOf, compareToSlot, type Key, readKey, rootOf } from './key.ts';
import { linkOf, NO_SLOT, type Slot, slotOfLink } from './slot.ts';

/** Root of the tree, `NO_SLOT` when it is empty. */
export function mdbRoot(caps: Caps): Slot {
  return slotOfLink(Kcb.mdbRoot.get(caps.mem, caps.kcb));
}

/** Enter the capability in `slot`. Panics when it is there already. O(log n). */
export function mdbInsert(caps: Caps, slot: Slot): void {
  const { mem, key } = caps;
  readKey(mem, slot, key);
  assert(Cte.left.get(mem, slot) === 0, 'a slot enters the tree without links');
  assert(Cte.right.get(mem, slot) === 0, 'a slot enters the tree without links');
  Cte.level.set(mem, slot, 0);
  refresh(mem, slot);
  setRoot(caps, insertBelow(mem, mdbRoot(caps), slot, key));
}

/** Take the capability in `slot` out, and clear its tree fields. Panics when it is not there. */
export function mdbRemove(caps: Caps, slot: Slot): void {
  const { mem, key } = caps;
  readKey(mem, slot, key);
  setRoot(caps, removeBelow(mem, mdbRoot(caps), key));
  setLeft(mem, slot, NO_SLOT);
  setRight(mem, slot, NO_SLOT);
  Cte.level.set(mem, slot, 0);
  Cte.endRoot.set(mem, slot, 0);
  Cte.end.set(mem, slot, 0);
}

/** The first entry at or behind `key`. */
export function firstFrom(caps: Caps, key: Key): Slot {
  const { mem } = caps;
  let best = NO_SLOT;
  let node = mdbRoot(caps);
  while (node !== NO_SLOT) {
    if (compareToSlot(mem, key, node) <= 0) {
      best = node;
      node = leftOf(mem, node);
    } else {
      node = rightOf(mem, node);
    }
  }
  return best;
}

/** The last entry before `key`. */
export function lastBefore(caps: Caps, key: Key): Slot {
  const { mem } = caps;
  let best = NO_SLOT;
  let node = mdbRoot(caps);
  while (node !== NO_SLOT) {
    if (compareToSlot(mem, key, node) <= 0) {
      node = leftOf(mem, node);
    } else {
      best = node;
      node = rightOf(mem, node);
    }
  }
  return best;
}

/** The last entry before `key`, and with its root, whose extent ends beyond `point`. O(log n). */
export function lastReaching(caps: Caps, key: Key, point: number): Slot {
  return lastReachingBelow(caps.mem, mdbRoot(caps), key, point);
}

/** The entry behind `slot` in the order. */
export function successor(caps: Caps, slot: Slot): Slot {
  const { mem, key } = caps;
  const right = rightOf(mem, slot);
  if (right !== NO_SLOT) return leftmost(mem, right);
  readKey(mem, slot, key);
  key.slot = slot + 1;
  return firstFrom(caps, key);
}

/** The entry before `slot` in the order. */
export function predecessor(caps: Caps, slot: Slot): Slot {
  const { mem, key } = caps;
  const left = leftOf(mem, slot);
  if (left !== NO_SLOT) return rightmost(mem, left);
  readKey(mem, slot, key);
  return lastBefore(caps, key);
}

/** The first entry of the order, `NO_SLOT` when there is none. */
export function firstEntry(caps: Caps): Slot {
  const root = mdbRoot(caps);
  return root === NO_SLOT ? NO_SLOT : leftmost(caps.mem, root);
}

/** Left child of `node`. */
export function leftOf(mem: PhysMem, node: Slot): Slot {
  return slotOfLink(Cte.left.get(mem, node));
}

/** Right child of `node`. */
export function rightOf(mem: PhysMem, node: Slot): Slot {
  return slotOfLink(Cte.right.get(mem, node));
}

/** End of the extent of `slot`. */
export function endOf(mem: PhysMem, slot: Slot): number {
  const type = Cte.type.get(mem, slot);
  return baseOf(mem, slot, type) + bytesOf(mem, slot, type);
}

function insertBelow(mem: PhysMem, node: Slot, slot: Slot, key: Key): Slot {
  if (node === NO_SLOT) return slot;
  const order = compareToSlot(mem, key, node);
  assert(order !== 0, 'the capability is not in the database yet');
  if (order < 0) setLeft(mem, node, insertBelow(mem, leftOf(mem, node), slot, key));
  else setRight(mem, node, insertBelow(mem, rightOf(mem, node), slot, key));
  extend(mem, node, key.root, key.base + key.bytes);
  return split(mem, skew(mem, node));
}

function removeBelow(mem: PhysMem, node: Slot, key: Key): Slot {
  assert(node !== NO_SLOT, 'the capability is in the database');
  const order = compareToSlot(mem, key, node);
  if (order === 0) return removeNode(mem, node);
  if (order < 0) setLeft(mem, node, removeBelow(mem, leftOf(mem, node), key));
  else setRight(mem, node, removeBelow(mem, rightOf(mem, node), key));
  return rebalance(mem, node);
}

/** What stands in the place of `node` without it: its right leaf, or its predecessor. */
function removeNode(mem: PhysMem, node: Slot): Slot {
  const left = leftOf(mem, node);
  const right = rightOf(mem, node);
  if (left === NO_SLOT) return right;
  const heir = rightmost(mem, left);
  const rest = removeRightmost(mem, left);
  setLeft(mem, heir, rest);
  setRight(mem, heir, right);
  Cte.level.set(mem, heir, Cte.level.get(mem, node));
  return rebalance(mem, heir);
}

function removeRightmost(mem: PhysMem, node: Slot): Slot {
  const right = rightOf(mem, node);
  if (right === NO_SLOT) return leftOf(mem, node);
  setRight(mem, node, removeRightmost(mem, right));
  return rebalance(mem, node);
}

/** Restore the rules at `node` after something below it was removed. */
function rebalance(mem: PhysMem, node: Slot): Slot {
  refresh(mem, node);
  const right = rightOf(mem, node);
  const allowed = Math.min(levelOf(mem, leftOf(mem, node)), levelOf(mem, right)) + 1;
  if (allowed === levelOf(mem, node)) return split(mem, node);

  // A subtree has become one level lower: so does the node, and up to three left children and
  // two right grandchildren may now be level with their parents.
  Cte.level.set(mem, node, allowed);
  if (allowed < levelOf(mem, right)) Cte.level.set(mem, right, allowed);
  const top = skew(mem, node);
  const second = rightOf(mem, top);
  if (second !== NO_SLOT) {
    const skewed = skew(mem, second);
    setRight(mem, top, skewed);
    const third = rightOf(mem, skewed);
    if (third !== NO_SLOT) setRight(mem, skewed, skew(mem, third));
  }
  const raised = split(mem, top);
  const next = rightOf(mem, raised);
  if (next !== NO_SLOT) setRight(mem, raised, split(mem, next));
  return raised;
}

/** Turn a left child of the same level into the parent. */
function skew(mem: PhysMem, node: Slot): Slot {
  const left = leftOf(mem, node);
  if (left === NO_SLOT || levelOf(mem, left) !== levelOf(mem, node)) return node;
  setLeft(mem, node, rightOf(mem, left));
  setRight(mem, left, node);
  refresh(mem, node);
  refresh(mem, left);
  return left;
}

/** Raise the middle one of three nodes of the same level in a row to the right. */
function split(mem: PhysMem, node: Slot): Slot {
  const right = rightOf(mem, node);
  if (right === NO_SLOT) return node;
  const level = levelOf(mem, node);
  if (levelOf(mem, rightOf(mem, right)) !== level) return node;
  setRight(mem, node, leftOf(mem, right));
  setLeft(mem, right, node);
  Cte.level.set(mem, right, level + 1);
  refresh(mem, node);
  refresh(mem, right);
  return right;
}

/** Something that ends at `end` in name space `root` is new below `node`. */
function extend(mem: PhysMem, node: Slot, root: number, end: number): void {
  const endRoot = Cte.endRoot.get(mem, node);
  if (root < endRoot || (root === endRoot && end <= Cte.end.get(mem, node))) return;
  Cte.endRoot.set(mem, node, root);
  Cte.end.set(mem, node, end);
}

/** Recompute how far the extents at and below `node` reach. */
function refresh(mem: PhysMem, node: Slot): void {
  const left = leftOf(mem, node);
  const right = rightOf(mem, node);
  const type = Cte.type.get(mem, node);
  const ownRoot = rootOf(type);
  let endRoot = ownRoot;
  let end = baseOf(mem, node, type) + bytesOf(mem, node, type);
  if (right !== NO_SLOT) {
    endRoot = Cte.endRoot.get(mem, right);
    const rightEnd = Cte.end.get(mem, right);
    if (endRoot !== ownRoot || rightEnd > end) end = rightEnd;
  }
  if (left !== NO_SLOT && Cte.endRoot.get(mem, left) === endRoot) {
    const leftEnd = Cte.end.get(mem, left);
    if (leftEnd > end) end = leftEnd;
  }
  Cte.endRoot.set(mem, node, endRoot);
  Cte.end.set(mem, node, end);
}

function lastReachingBelow(mem: PhysMem, node: Slot, key: Key, point: number): Slot {
  if (node === NO_SLOT) return NO_SLOT;
  const endRoot = Cte.endRoot.get(mem, node);
  // Beyond the root of the key the summary says nothing; but then only the left edge is of use.
  if (endRoot < key.root || (endRoot === key.root && Cte.end.get(mem, node) <= point)) {
    return NO_SLOT;
  }
  if (compareToSlot(mem, key, node) <= 0) {
    return lastReachingBelow(mem, leftOf(mem, node), key, point);
  }
  const later = lastReachingBelow(mem, rightOf(mem, node), key, point);
  if (later !== NO_SLOT) return later;
  const type = Cte.type.get(mem, node);
  if (rootOf(type) === key.root && baseOf(mem, node, type) + bytesOf(mem, node, type) > point) {
    return node;
  }
  return lastReachingBelow(mem, leftOf(mem, node), key, point);
}

function leftmost(mem: PhysMem, node: Slot): Slot {
  let at = node;
  for (let next = leftOf(mem, at); next !== NO_SLOT; next = leftOf(mem, at)) at = next;
  return at;
}

function rightmost(mem: PhysMem, node: Slot): Slot {
  let at = node;
  for (let next = rightOf(mem, at); next !== NO_SLOT; next = rightOf(mem, at)) at = next;
  return at;
}

/** Level of `node`; a missing child is one below a leaf. */
function levelOf(mem: PhysMem, node: Slot): number {
  return node === NO_SLOT ? -1 : Cte.level.get(mem, node);
}

function setLeft(mem: PhysMem, node: Slot, child: Slot): void {
  Cte.left.set(mem, node, linkOf(child));
}

function setRight(mem: PhysMem, node: Slot, child: Slot): void {
  Cte.right.set(mem, node, linkOf(child));
}

function setRoot(caps: Caps, root: Slot): void {
  Kcb.mdbRoot.set(caps.mem, caps.kcb, linkOf(root));
}

/**
 * The mapping database: every capability of a core in one balanced tree, ordered by key.ts, its
 * links inside the slots. Nothing is ever allocated for it. balance.ts has the rules of the tree.
 *
 * The loops here go by links and word indices (node.ts), never by slots, and down and up one path
 * that `Caps` has room for: a removal or insertion climbs only as far as it changes anything.
 * Source: Barrelfish lib/mdb; @differs a path instead of parent searches, and removal relinks
 * nodes, as they cannot be copied.
 */

import { assert, type PhysMem } from '@barreleye/core';
import { Cte, Kcb } from '@barreleye/spec';
import { rebalanceGrown, rebalanceShrunk, refresh } from './balance.ts';
import type { Caps } from './caps.ts';
import {
  baseOf,
  beginAt,
  bytesOf,
  isAtOrBefore,
  type Key,
  lengthAt,
  readKey,
  rootOf,
} from './key.ts';
import {
  clearNode,
  copyNode,
  endAt,
  endRootAt,
  extendEnd,
  type Link,
  leftAt,
  levelAt,
  type Node,
  nodeOf,
  originOf,
  rightAt,
  setLeft,
  setLevel,
  setRight,
  typeAt,
  type Words,
} from './node.ts';
import { linkOf, NO_SLOT, type Slot, slotOfLink } from './slot.ts';

const TWO_32 = 2 ** 32;

/** Root of the tree, `NO_SLOT` when it is empty. */
export function mdbRoot(caps: Caps): Slot {
  return slotOfLink(Kcb.mdbRoot.get(caps.mem, caps.kcb));
}

/** Enter the capability in `slot`. Panics when it is there already. O(log n). */
export function mdbInsert(caps: Caps, slot: Slot): void {
  const { mem, key, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const added = linkOf(slot);
  const node = nodeOf(added, origin);
  assert(leftAt(words, node) === 0, 'a slot enters the tree without links');
  assert(rightAt(words, node) === 0, 'a slot enters the tree without links');
  readKey(mem, slot, key);
  setLevel(words, node, 0);
  refresh(words, origin, added);

  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  const end = key.base + key.bytes;
  const endHigh = (end / TWO_32) >>> 0;
  const endLow = end >>> 0;
  let depth = 0;
  let isLeft = false;
  let next = Kcb.mdbRoot.get(mem, caps.kcb);
  while (next !== 0) {
    assert(next !== added, 'the capability is not in the database yet');
    path[depth++] = next;
    const at = nodeOf(next, origin);
    extendEnd(words, at, root, endHigh, endLow);
    isLeft = isAtOrBefore(words, at, next, key, root, baseHigh, baseLow);
    next = isLeft ? leftAt(words, at) : rightAt(words, at);
  }
  if (depth === 0) {
    setRoot(caps, added);
    return;
  }
  const parent = nodeOf(path[depth - 1] as Link, origin);
  if (isLeft) setLeft(words, parent, added);
  else setRight(words, parent, added);
  settleGrown(caps, depth, added);
}

/** Take the capability in `slot` out, and clear its tree fields. Panics when it is not there. */
export function mdbRemove(caps: Caps, slot: Slot): void {
  const { mem, key, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const gone = linkOf(slot);
  const node = nodeOf(gone, origin);
  readKey(mem, slot, key);
  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  let depth = 0;
  let next = Kcb.mdbRoot.get(mem, caps.kcb);
  while (next !== gone) {
    assert(next !== 0, 'the capability is in the database');
    path[depth++] = next;
    const at = nodeOf(next, origin);
    const isLeft = isAtOrBefore(words, at, next, key, root, baseHigh, baseLow);
    next = isLeft ? leftAt(words, at) : rightAt(words, at);
  }

  const left = leftAt(words, node);
  if (left === 0) {
    // At most a leaf hangs on it, on the right.
    const right = rightAt(words, node);
    replaceBelow(caps, depth, gone, right);
    settleShrunk(caps, depth, 0, gone, right);
  } else {
    removeInner(caps, depth, gone);
  }
  clearNode(words, node);
}

/** The first entry at or behind `key`. */
export function firstFrom(caps: Caps, key: Key): Slot {
  const { mem } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  let best = 0;
  let next = Kcb.mdbRoot.get(mem, caps.kcb);
  while (next !== 0) {
    const at = nodeOf(next, origin);
    if (isAtOrBefore(words, at, next, key, root, baseHigh, baseLow)) {
      best = next;
      next = leftAt(words, at);
    } else {
      next = rightAt(words, at);
    }
  }
  return slotOfLink(best);
}

/** The last entry before `key`. */
export function lastBefore(caps: Caps, key: Key): Slot {
  const { mem } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  let best = 0;
  let next = Kcb.mdbRoot.get(mem, caps.kcb);
  while (next !== 0) {
    const at = nodeOf(next, origin);
    if (isAtOrBefore(words, at, next, key, root, baseHigh, baseLow)) {
      next = leftAt(words, at);
    } else {
      best = next;
      next = rightAt(words, at);
    }
  }
  return slotOfLink(best);
}

/** The last entry before `key`, and with its root, whose extent ends beyond `point`. O(log n). */
export function lastReaching(caps: Caps, key: Key, point: number): Slot {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  // Down to the place of the key, noting the entries before it: on the left of each is a subtree
  // that is before it as a whole.
  let count = 0;
  let next = Kcb.mdbRoot.get(mem, caps.kcb);
  while (next !== 0) {
    const at = nodeOf(next, origin);
    // Of a later root the summary says nothing; of this one, it says whether any entry will do.
    const endRoot = endRootAt(words, at);
    if (endRoot < root || (endRoot === root && endAt(words, at) <= point)) break;
    if (isAtOrBefore(words, at, next, key, root, baseHigh, baseLow)) {
      next = leftAt(words, at);
    } else {
      path[count++] = next;
      next = rightAt(words, at);
    }
  }
  while (count > 0) {
    const link = path[--count] as Link;
    const at = nodeOf(link, origin);
    if (reachesBeyond(words, at, root, point)) return slotOfLink(link);
    const left = leftAt(words, at);
    if (left !== 0 && holdsBeyond(words, nodeOf(left, origin), root, point)) {
      return slotOfLink(lastBelow(words, origin, left, root, point));
    }
  }
  return NO_SLOT;
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

/** Replace `gone`, which has a left child, by the entry before it; it is at `place` in the path. */
function removeInner(caps: Caps, place: number, gone: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const node = nodeOf(gone, origin);
  path[place] = gone;
  let depth = place + 1;
  let heir = leftAt(words, node);
  for (let next = rightAt(words, nodeOf(heir, origin)); next !== 0; ) {
    path[depth++] = heir;
    heir = next;
    next = rightAt(words, nodeOf(heir, origin));
  }
  // The heir is a leaf.
  if (depth === place + 1) setLeft(words, node, 0);
  else setRight(words, nodeOf(path[depth - 1] as Link, origin), 0);
  settleShrunk(caps, depth, place + 1, heir, 0);
  const heirNode = nodeOf(heir, origin);
  copyNode(words, heirNode, node);
  path[place] = heir;
  replaceBelow(caps, place, gone, heir);
  settleShrunk(caps, place + 1, 0, gone, leftAt(words, heirNode));
}

/** Restore what must hold on the path of length `depth` after `added` was hung below it. */
function settleGrown(caps: Caps, depth: number, added: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  let below = added;
  // What is done at a node depends on the levels of its child and right grandchild.
  let quiet = 0;
  for (let i = depth - 1; i >= 0 && quiet < 2; i--) {
    const link = path[i] as Link;
    const level = levelAt(words, nodeOf(link, origin));
    const top = rebalanceGrown(words, origin, link, below);
    if (top !== link) replaceBelow(caps, i, link, top);
    quiet = top === link && levelAt(words, nodeOf(top, origin)) === level ? quiet + 1 : 0;
    below = top;
  }
}

/**
 * Restore what must hold on the path from `depth` up to `stop` after the entry `gone` was taken
 * away below it, where `below` is now.
 */
function settleShrunk(caps: Caps, depth: number, stop: number, gone: Link, below: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const goneNode = nodeOf(gone, origin);
  const type = typeAt(words, goneNode);
  const root = rootOf(type);
  const end = beginAt(words, goneNode, type) + lengthAt(words, goneNode, type);
  let child = below;
  let isEndOpen = true;
  let quiet = 0;
  for (let i = depth - 1; i >= stop && (isEndOpen || quiet < 2); i--) {
    const link = path[i] as Link;
    const node = nodeOf(link, origin);
    if (isEndOpen) {
      isEndOpen = endRootAt(words, node) === root && endAt(words, node) === end;
      if (isEndOpen) refresh(words, origin, link);
    }
    const level = levelAt(words, node);
    const top = rebalanceShrunk(words, origin, link, child);
    if (top !== link) replaceBelow(caps, i, link, top);
    quiet = top === link && levelAt(words, nodeOf(top, origin)) === level ? quiet + 1 : 0;
    child = top;
  }
}

/** Where `old` hangs, below the path of length `depth`, hang `link`. */
function replaceBelow(caps: Caps, depth: number, old: Link, link: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  if (depth === 0) {
    setRoot(caps, link);
    return;
  }
  const parent = nodeOf(path[depth - 1] as Link, originOf(mem));
  if (leftAt(words, parent) === old) setLeft(words, parent, link);
  else setRight(words, parent, link);
}

/** The last entry at or below `link` that ends beyond `point` in name space `root`; there is one. */
function lastBelow(words: Words, origin: number, link: Link, root: number, point: number): Link {
  let at = link;
  for (;;) {
    const node = nodeOf(at, origin);
    const right = rightAt(words, node);
    if (right !== 0 && holdsBeyond(words, nodeOf(right, origin), root, point)) at = right;
    else if (reachesBeyond(words, node, root, point)) return at;
    else at = leftAt(words, node);
  }
}

/** Whether `node`, nothing below which has a later root, holds what ends beyond `point`. */
function holdsBeyond(words: Words, node: Node, root: number, point: number): boolean {
  return endRootAt(words, node) === root && endAt(words, node) > point;
}

/** Whether the entry itself does. */
function reachesBeyond(words: Words, node: Node, root: number, point: number): boolean {
  const type = typeAt(words, node);
  return rootOf(type) === root && beginAt(words, node, type) + lengthAt(words, node, type) > point;
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

function setRoot(caps: Caps, root: Link): void {
  Kcb.mdbRoot.set(caps.mem, caps.kcb, root);
}

/**
 * The mapping database: every capability of a core in one balanced tree, ordered by key.ts, its
 * links inside the slots. Nothing is ever allocated for it. balance.ts has the rules of the tree.
 *
 * The loops here go by links and word indices (node.ts), never by slots, and down and up one path
 * that `Caps` has room for: a removal or insertion climbs only as far as it changes anything.
 * Source: Barrelfish lib/mdb; @differs a path instead of parent searches, and removal relinks
 * nodes, as they cannot be copied.
 */

import { assert, type PhysMem, panic } from '@barreleye/core';
import { Cte, Kcb } from '@barreleye/spec';
import { rebalanceGrown, rebalanceShrunk, refresh } from './balance.ts';
import type { Caps } from './caps.ts';
import {
  baseOf,
  beginAt,
  bytesOf,
  compareBegin,
  compareToLink,
  type Key,
  lengthAt,
  readKey,
  rootOf,
} from './key.ts';
import {
  clearNode,
  copyNode,
  endAt,
  extendEnd,
  type Link,
  levelAt,
  NODE_BITS,
  type Node,
  NodeField,
  nodeOf,
  originOf,
  rightAt,
  setEnd,
  setLevel,
  setRight,
  type Words,
} from './node.ts';
import { linkOf, NO_SLOT, type Slot, slotOfLink } from './slot.ts';

const BITS = NODE_BITS;
const { TYPE, TYPE_SHIFT, LEVEL, LEVEL_SHIFT, END_ROOT, END_ROOT_SHIFT, LEFT, RIGHT } = NodeField;

const TWO_32 = 2 ** 32;

/** Root of the tree, `NO_SLOT` when it is empty. */
export function mdbRoot(caps: Caps): Slot {
  return slotOfLink(rootLink(caps));
}

/** Enter the capability in `slot`. Panics when it is there already. O(log n). */
export function mdbInsert(caps: Caps, slot: Slot): void {
  const { mem, key, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const added = linkOf(slot);
  const node = ((added << BITS) - origin) >>> 0;
  assert((words[node | LEFT] as Link) === 0, 'a slot enters the tree without links');
  assert((words[node | RIGHT] as Link) === 0, 'a slot enters the tree without links');
  readKey(mem, slot, key);
  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  const end = key.base + key.bytes;
  setLevel(words, node, 0);
  setEnd(words, node, root, end);
  const endHigh = (end / TWO_32) >>> 0;
  const endLow = end >>> 0;
  let depth = 0;
  let isLeft = false;
  let next = rootLink(caps);
  while (next !== 0) {
    if (next === added) panic('the capability is in the database already');
    path[depth++] = next;
    const at = ((next << BITS) - origin) >>> 0;
    extendEnd(words, at, root, endHigh, endLow);
    const order =
      compareBegin(words, at, root, baseHigh, baseLow) || compareToLink(words, key, at, next);
    isLeft = order <= 0;
    next = isLeft ? (words[at | LEFT] as Link) : (words[at | RIGHT] as Link);
  }
  if (depth === 0) {
    setRoot(caps, added);
    return;
  }
  const parent = nodeOf(path[depth - 1] as Link, origin);
  if (isLeft) words[parent | LEFT] = added;
  else words[parent | RIGHT] = added;
  settleGrown(caps, depth, added);
}

/** Take the capability in `slot` out, and clear its tree fields. Panics when it is not there. */
export function mdbRemove(caps: Caps, slot: Slot): void {
  const { mem, key, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const gone = linkOf(slot);
  const node = ((gone << BITS) - origin) >>> 0;
  readKey(mem, slot, key);
  const root = key.root;
  const baseHigh = (key.base / TWO_32) >>> 0;
  const baseLow = key.base >>> 0;
  let depth = 0;
  let next = rootLink(caps);
  while (next !== gone) {
    if (next === 0) panic('the capability is not in the database');
    path[depth++] = next;
    const at = ((next << BITS) - origin) >>> 0;
    const order =
      compareBegin(words, at, root, baseHigh, baseLow) || compareToLink(words, key, at, next);
    const isLeft = order <= 0;
    next = isLeft ? (words[at | LEFT] as Link) : (words[at | RIGHT] as Link);
  }

  const left = words[node | LEFT] as Link;
  if (left === 0) {
    // At most a leaf hangs on it, on the right.
    const right = words[node | RIGHT] as Link;
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
  let next = rootLink(caps);
  while (next !== 0) {
    const at = ((next << BITS) - origin) >>> 0;
    const order =
      compareBegin(words, at, root, baseHigh, baseLow) || compareToLink(words, key, at, next);
    if (order <= 0) {
      best = next;
      next = words[at | LEFT] as Link;
    } else {
      next = words[at | RIGHT] as Link;
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
  let next = rootLink(caps);
  while (next !== 0) {
    const at = ((next << BITS) - origin) >>> 0;
    const order =
      compareBegin(words, at, root, baseHigh, baseLow) || compareToLink(words, key, at, next);
    if (order <= 0) {
      next = words[at | LEFT] as Link;
    } else {
      best = next;
      next = words[at | RIGHT] as Link;
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
  let next = rootLink(caps);
  while (next !== 0) {
    const at = ((next << BITS) - origin) >>> 0;
    // Of a later root the summary says nothing; of this one, it says whether any entry will do.
    const endRoot = ((words[at | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff;
    if (endRoot < root || (endRoot === root && endAt(words, at) <= point)) break;
    const order =
      compareBegin(words, at, root, baseHigh, baseLow) || compareToLink(words, key, at, next);
    if (order <= 0) {
      next = words[at | LEFT] as Link;
    } else {
      path[count++] = next;
      next = words[at | RIGHT] as Link;
    }
  }
  while (count > 0) {
    const link = path[--count] as Link;
    const at = ((link << BITS) - origin) >>> 0;
    if (reachesBeyond(words, at, root, point)) return slotOfLink(link);
    const left = words[at | LEFT] as Link;
    if (left !== 0 && holdsBeyond(words, ((left << BITS) - origin) >>> 0, root, point)) {
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
  const node = ((gone << BITS) - origin) >>> 0;
  path[place] = gone;
  let depth = place + 1;
  let heir = words[node | LEFT] as Link;
  for (let next = rightAt(words, ((heir << BITS) - origin) >>> 0); next !== 0; ) {
    path[depth++] = heir;
    heir = next;
    next = rightAt(words, ((heir << BITS) - origin) >>> 0);
  }
  // The heir is a leaf.
  if (depth === place + 1) words[node | LEFT] = 0;
  else setRight(words, nodeOf(path[depth - 1] as Link, origin), 0);
  settleShrunk(caps, depth, place + 1, heir, 0);
  const heirNode = ((heir << BITS) - origin) >>> 0;
  copyNode(words, heirNode, node);
  path[place] = heir;
  replaceBelow(caps, place, gone, heir);
  settleShrunk(caps, place + 1, 0, gone, words[heirNode | LEFT] as Link);
}

/** Restore what must hold on the path of length `depth` after `added` was hung below it. */
function settleGrown(caps: Caps, depth: number, added: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  let below = added;
  // What is to do at a node depends on its children and its right child's right child.
  let quiet = 0;
  for (let i = depth - 1; i >= 0 && quiet < 2; i--) {
    const link = path[i] as Link;
    const level = levelAt(words, ((link << BITS) - origin) >>> 0);
    const top = rebalanceGrown(words, origin, link, below);
    if (top !== link) replaceBelow(caps, i, link, top);
    quiet =
      top === link && levelAt(words, ((top << BITS) - origin) >>> 0) === level ? quiet + 1 : 0;
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
  const goneNode = ((gone << BITS) - origin) >>> 0;
  const type = ((words[goneNode | TYPE] as number) >>> TYPE_SHIFT) & 0xff;
  const root = rootOf(type);
  const end = beginAt(words, goneNode, type) + lengthAt(words, goneNode, type);
  let child = below;
  let isEndOpen = true;
  let quiet = 0;
  for (let i = depth - 1; i >= stop && (isEndOpen || quiet < 2); i--) {
    const link = path[i] as Link;
    const node = ((link << BITS) - origin) >>> 0;
    if (isEndOpen && endsAt(words, node, root, end)) {
      refresh(words, origin, link);
      // Whether another entry that reaches as far is left.
      isEndOpen = !endsAt(words, node, root, end);
    } else {
      isEndOpen = false;
    }
    const level = ((words[node | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff;
    const top = rebalanceShrunk(words, origin, link, child);
    if (top !== link) replaceBelow(caps, i, link, top);
    quiet =
      top === link && levelAt(words, ((top << BITS) - origin) >>> 0) === level ? quiet + 1 : 0;
    child = top;
  }
}

/** Whether the summary of `node` is just this. */
function endsAt(words: Words, node: Node, root: number, end: number): boolean {
  const endRoot = ((words[node | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff;
  return endRoot === root && endAt(words, node) === end;
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
  if ((words[parent | LEFT] as Link) === old) words[parent | LEFT] = link;
  else words[parent | RIGHT] = link;
}

/** The last entry at or below `link` that ends beyond `point` in `root`; there is one. */
function lastBelow(words: Words, origin: number, link: Link, root: number, point: number): Link {
  let at = link;
  for (;;) {
    const node = ((at << BITS) - origin) >>> 0;
    const right = words[node | RIGHT] as Link;
    if (right !== 0 && holdsBeyond(words, ((right << BITS) - origin) >>> 0, root, point))
      at = right;
    else if (reachesBeyond(words, node, root, point)) return at;
    else at = words[node | LEFT] as Link;
  }
}

/** Whether `node`, nothing below which has a later root, holds what ends beyond `point`. */
function holdsBeyond(words: Words, node: Node, root: number, point: number): boolean {
  return (
    (((words[node | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff) === root &&
    endAt(words, node) > point
  );
}

/** Whether the entry itself does. */
function reachesBeyond(words: Words, node: Node, root: number, point: number): boolean {
  const type = ((words[node | TYPE] as number) >>> TYPE_SHIFT) & 0xff;
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

/** The conversion tells the compiler that links are 32-bit numbers, in loops that begin with it. */
function rootLink(caps: Caps): Link {
  return Kcb.mdbRoot.get(caps.mem, caps.kcb) >>> 0;
}

function setRoot(caps: Caps, root: Link): void {
  Kcb.mdbRoot.set(caps.mem, caps.kcb, root);
}

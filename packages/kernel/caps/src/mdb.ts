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
  areCopies,
  baseOf,
  bytesOf,
  type Key,
  reachesBeyond,
  readKey,
  rootOf,
  setOwnEnd,
  sideOf,
  sideOfWhole,
} from './key.ts';
import {
  clearNode,
  copyNode,
  extendEnd,
  hasSameEnd,
  isEntered,
  type Link,
  levelAt,
  mayHoldBeyond,
  NODE_BITS,
  type Node,
  NodeField,
  nodeOf,
  originOf,
  setLevel,
  type Words,
} from './node.ts';
import { linkOf, NO_SLOT, type Slot, slotOfLink } from './slot.ts';

const BITS = NODE_BITS;
const { TYPE, TYPE_SHIFT, LEVEL, LEVEL_SHIFT, LEFT, RIGHT, BASE_HIGH, BASE_LOW } = NodeField;

const TWO_32 = 2 ** 32;

/** Root of the tree, `NO_SLOT` when it is empty. */
export function mdbRoot(caps: Caps): Slot {
  return slotOfLink(rootLink(caps));
}

/** Enter the capability in `slot`. Panics when it is there already. O(log n). */
export function mdbInsert(caps: Caps, slot: Slot): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const added = linkOf(slot);
  const node = ((added << BITS) - origin) >>> 0;
  assert(!isEntered(words, node), 'the capability is in the database already');
  assert((words[node | LEFT] as Link) === 0, 'a slot enters the tree without links');
  assert((words[node | RIGHT] as Link) === 0, 'a slot enters the tree without links');
  setLevel(words, node, 0);
  setOwnEnd(words, node);
  const place = descend(caps, added);
  const depth = place >> 1;
  if (depth === 0) {
    setRoot(caps, added);
    return;
  }
  const parent = nodeOf(path[depth - 1] as Link, origin);
  if ((place & 1) === 0) words[parent | LEFT] = added;
  else words[parent | RIGHT] = added;
  settleGrown(caps, depth, added);
}

/** Take the capability in `slot` out, and clear its tree fields. Panics when it is not there. */
export function mdbRemove(caps: Caps, slot: Slot): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const gone = linkOf(slot);
  const node = ((gone << BITS) - origin) >>> 0;
  const depth = descend(caps, gone) >> 1;
  let place = depth - 1;
  while (place >= 0 && (path[place] as Link) !== gone) place--;
  if (place < 0) panic('the capability is not in the database');
  if ((words[node | LEFT] as Link) === 0) {
    // At most a leaf hangs on it, on the right.
    setOwnEnd(words, node);
    const right = words[node | RIGHT] as Link;
    replaceBelow(caps, place, gone, right);
    settleShrunk(caps, place, 0, node, right);
  } else {
    removeInner(caps, depth, place);
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
    const side = sideOf(words, at, root, baseHigh, baseLow) || sideOfWhole(words, at, key, next);
    if (side === LEFT) best = next;
    next = words[at | side] as Link;
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
    const side = sideOf(words, at, root, baseHigh, baseLow) || sideOfWhole(words, at, key, next);
    if (side === RIGHT) best = next;
    next = words[at | side] as Link;
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
  const pointHigh = (point / TWO_32) >>> 0;
  const pointLow = point >>> 0;
  // Down to the place of the key, noting the entries before it: on the left of each is a subtree
  // that is before it as a whole.
  let count = 0;
  let next = rootLink(caps);
  while (next !== 0) {
    const at = ((next << BITS) - origin) >>> 0;
    // Of a later root the summary says nothing; of this one, it says whether any entry will do.
    if (!mayHoldBeyond(words, at, root, pointHigh, pointLow)) break;
    const side = sideOf(words, at, root, baseHigh, baseLow) || sideOfWhole(words, at, key, next);
    if (side === RIGHT) path[count++] = next;
    next = words[at | side] as Link;
  }
  while (count > 0) {
    const link = path[--count] as Link;
    const at = ((link << BITS) - origin) >>> 0;
    if (reachesBeyond(words, at, root, pointHigh, pointLow)) return slotOfLink(link);
    const left = words[at | LEFT] as Link;
    if (
      left !== 0 &&
      mayHoldBeyond(words, ((left << BITS) - origin) >>> 0, root, pointHigh, pointLow)
    ) {
      return slotOfLink(lastBelow(words, origin, left, root, pointHigh, pointLow));
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

/**
 * Go down from the root to where `link` belongs; entries at or behind it are passed on the left.
 * When it is in the tree itself, it is on the path, and so is the entry before it if that is below.
 * @returns twice how many links are in `path` now, and one more if the way ends on the right
 */
function descend(caps: Caps, link: Link): number {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const node = ((link << BITS) - origin) >>> 0;
  const root = rootOf(((words[node | TYPE] as number) >>> TYPE_SHIFT) & 0xff);
  const baseHigh = words[node | BASE_HIGH] as number;
  const baseLow = words[node | BASE_LOW] as number;
  let depth = 0;
  let side: number = LEFT;
  let next = rootLink(caps);
  while (next !== 0) {
    path[depth++] = next;
    const at = ((next << BITS) - origin) >>> 0;
    side = sideOf(words, at, root, baseHigh, baseLow) || sideOfLink(caps, link, at, next);
    next = words[at | side] as Link;
  }
  return 2 * depth + (side === RIGHT ? 1 : 0);
}

/** Which side of `node`, which `next` names, `link` is on where `sideOf` does not decide. */
function sideOfLink(caps: Caps, link: Link, node: Node, next: Link): number {
  const { mem, key } = caps;
  if (areCopies(mem.words, nodeOf(link, originOf(mem)), node)) return link <= next ? LEFT : RIGHT;
  readKey(mem, slotOfLink(link), key);
  return sideOfWhole(mem.words, node, key, next);
}

/**
 * Replace the entry at `place` in the path, which has a left child, by the entry before it, which
 * is at the end of the path of length `depth`.
 */
function removeInner(caps: Caps, depth: number, place: number): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  const gone = path[place] as Link;
  const heir = path[depth - 1] as Link;
  const node = nodeOf(gone, origin);
  const heirNode = nodeOf(heir, origin);
  // The heir is a leaf.
  replaceBelow(caps, depth - 1, heir, 0);
  settleShrunk(caps, depth - 1, place + 1, heirNode, 0);
  copyNode(words, heirNode, node);
  path[place] = heir;
  replaceBelow(caps, place, gone, heir);
  setOwnEnd(words, node);
  settleShrunk(caps, place + 1, 0, node, words[heirNode | LEFT] as Link);
}

/** Restore what must hold on the path of length `depth` after `added` was hung below it. */
function settleGrown(caps: Caps, depth: number, added: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  let below = added;
  let isEndOpen = true;
  let isUneven = true;
  for (let i = depth - 1; i >= 0 && (isEndOpen || isUneven); i--) {
    const link = path[i] as Link;
    const node = ((link << BITS) - origin) >>> 0;
    const belowNode = ((below << BITS) - origin) >>> 0;
    // What reaches no further than others below the node is nothing new to those above.
    isEndOpen = isEndOpen && extendEnd(words, node, belowNode);
    // Neither is a child that is still lower than the node.
    isUneven = isUneven && levelAt(words, node) === levelAt(words, belowNode);
    below = isUneven ? rebalanceGrown(words, origin, link, below) : link;
    if (below !== link) replaceBelow(caps, i, link, below);
  }
}

/**
 * Restore what must hold on the path from `depth` up to `stop` after an entry was taken away below
 * it, where `below` is now. The summary of `gone` is how far that entry alone reached.
 */
function settleShrunk(caps: Caps, depth: number, stop: number, gone: Node, below: Link): void {
  const { mem, path } = caps;
  const { words } = mem;
  const origin = originOf(mem);
  let child = below;
  let isEndOpen = true;
  let isUneven = true;
  for (let i = depth - 1; i >= stop && (isEndOpen || isUneven); i--) {
    const link = path[i] as Link;
    const node = ((link << BITS) - origin) >>> 0;
    isEndOpen = isEndOpen && hasSameEnd(words, node, gone);
    if (isEndOpen) {
      refresh(words, origin, link);
      // Whether another entry that reaches as far is left.
      isEndOpen = !hasSameEnd(words, node, gone);
    }
    if (isUneven) {
      const level = ((words[node | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff;
      child = rebalanceShrunk(words, origin, link, child);
      if (child !== link) replaceBelow(caps, i, link, child);
      isUneven = child !== link || levelAt(words, node) !== level;
    }
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
  if ((words[parent | LEFT] as Link) === old) words[parent | LEFT] = link;
  else words[parent | RIGHT] = link;
}

/** The last entry at or below `link` that ends beyond a point in `root`; there is one. */
function lastBelow(
  words: Words,
  origin: number,
  link: Link,
  root: number,
  pointHigh: number,
  pointLow: number,
): Link {
  let at = link;
  for (;;) {
    const node = ((at << BITS) - origin) >>> 0;
    const right = words[node | RIGHT] as Link;
    if (
      right !== 0 &&
      mayHoldBeyond(words, ((right << BITS) - origin) >>> 0, root, pointHigh, pointLow)
    )
      at = right;
    else if (reachesBeyond(words, node, root, pointHigh, pointLow)) return at;
    else at = words[node | LEFT] as Link;
  }
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

/**
 * What keeps the mapping database balanced and its summaries true, at one node at a time.
 *
 * It is an AA tree: a leaf has level 0, a left child is one level lower, a right child at most as
 * high as its parent, a right grandchild lower. So no path is longer than twice the logarithm of
 * the number of entries.
 *
 * It is also an interval tree: every node knows how far the extents below it reach. Name spaces
 * (type roots) follow one another, so `endRoot` is the last root below a node, and `end` the
 * furthest end among the entries of that root.
 * Source: A. Andersson, "Balanced search trees made simple" (1993).
 */

import { setOwnEnd } from './key.ts';
import {
  copyEnd,
  extendEnd,
  type Link,
  leftAt,
  levelAt,
  NODE_BITS,
  NodeField,
  setLevel,
  type Words,
} from './node.ts';

const BITS = NODE_BITS;
const { LEVEL, LEVEL_SHIFT, LEFT, RIGHT } = NodeField;

/** The longest path: 2^32 links, and twice their logarithm. */
export const MAX_DEPTH = 64;

/** Restore the rules at `link`, now that its child `below` is as high; what then stands there. */
export function rebalanceGrown(words: Words, origin: number, link: Link, below: Link): Link {
  const isLeft = leftAt(words, ((link << BITS) - origin) >>> 0) === below;
  return split(words, origin, isLeft ? skew(words, origin, link) : link);
}

/** Restore the rules at `link` after a removal at its child `below`; what then stands there. */
export function rebalanceShrunk(words: Words, origin: number, link: Link, below: Link): Link {
  const node = ((link << BITS) - origin) >>> 0;
  const allowed = levelOf(words, origin, below) + 1;
  if (allowed >= (((words[node | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff)) {
    return (words[node | LEFT] as Link) === below ? link : split(words, origin, link);
  }
  // A subtree has become one level lower: so does the node, and up to three left children and
  // two right grandchildren may now be level with their parents.
  setLevel(words, node, allowed);
  const right = words[node | RIGHT] as Link;
  if (levelOf(words, origin, right) > allowed)
    setLevel(words, ((right << BITS) - origin) >>> 0, allowed);
  const top = skew(words, origin, link);
  const topNode = ((top << BITS) - origin) >>> 0;
  const second = words[topNode | RIGHT] as Link;
  if (second !== 0) {
    const skewed = skew(words, origin, second);
    words[topNode | RIGHT] = skewed;
    const skewedNode = ((skewed << BITS) - origin) >>> 0;
    const third = words[skewedNode | RIGHT] as Link;
    if (third !== 0) words[skewedNode | RIGHT] = skew(words, origin, third);
  }
  const raised = split(words, origin, top);
  const raisedNode = ((raised << BITS) - origin) >>> 0;
  const next = words[raisedNode | RIGHT] as Link;
  if (next !== 0) words[raisedNode | RIGHT] = split(words, origin, next);
  return raised;
}

/** Recompute how far the extents at and below `link` reach. */
export function refresh(words: Words, origin: number, link: Link): void {
  const node = ((link << BITS) - origin) >>> 0;
  setOwnEnd(words, node);
  const right = words[node | RIGHT] as Link;
  if (right !== 0) extendEnd(words, node, ((right << BITS) - origin) >>> 0);
  const left = words[node | LEFT] as Link;
  if (left !== 0) extendEnd(words, node, ((left << BITS) - origin) >>> 0);
}

/** Turn a left child of the same level into the parent. */
function skew(words: Words, origin: number, link: Link): Link {
  const node = ((link << BITS) - origin) >>> 0;
  const left = words[node | LEFT] as Link;
  if (left === 0) return link;
  const leftNode = ((left << BITS) - origin) >>> 0;
  if (
    (((words[leftNode | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff) !==
    (((words[node | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff)
  )
    return link;
  words[node | LEFT] = words[leftNode | RIGHT] as Link;
  words[leftNode | RIGHT] = link;
  copyEnd(words, leftNode, node);
  refresh(words, origin, link);
  return left;
}

/** Raise the middle one of three nodes of the same level in a row to the right. */
function split(words: Words, origin: number, link: Link): Link {
  const node = ((link << BITS) - origin) >>> 0;
  const right = words[node | RIGHT] as Link;
  if (right === 0) return link;
  const level = ((words[node | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff;
  const rightNode = ((right << BITS) - origin) >>> 0;
  if ((((words[rightNode | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff) !== level) return link;
  if (levelOf(words, origin, words[rightNode | RIGHT] as Link) !== level) return link;
  words[node | RIGHT] = words[rightNode | LEFT] as Link;
  words[rightNode | LEFT] = link;
  setLevel(words, rightNode, level + 1);
  copyEnd(words, rightNode, node);
  refresh(words, origin, link);
  return right;
}

/** Level of the node that `link` names; what is not there is one below a leaf. */
function levelOf(words: Words, origin: number, link: Link): number {
  return link === 0 ? -1 : levelAt(words, ((link << BITS) - origin) >>> 0);
}

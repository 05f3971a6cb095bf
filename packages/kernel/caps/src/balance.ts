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

import { beginAt, lengthAt, rootOf } from './key.ts';
import {
  copyEnd,
  endAt,
  endRootAt,
  type Link,
  leftAt,
  levelAt,
  nodeOf,
  rightAt,
  setEnd,
  setLeft,
  setLevel,
  setRight,
  typeAt,
  type Words,
} from './node.ts';

/** The longest path: 2^32 links, and twice their logarithm. */
export const MAX_DEPTH = 64;

/** Restore the rules at `link` after an insertion at its child `below`; what then stands there. */
export function rebalanceGrown(words: Words, origin: number, link: Link, below: Link): Link {
  const isLeft = leftAt(words, nodeOf(link, origin)) === below;
  const top = isLeft ? skew(words, origin, link) : link;
  return isLeft && top === link ? link : split(words, origin, top);
}

/** Restore the rules at `link` after a removal at its child `below`; what then stands there. */
export function rebalanceShrunk(words: Words, origin: number, link: Link, below: Link): Link {
  const node = nodeOf(link, origin);
  const allowed = levelOf(words, origin, below) + 1;
  if (allowed >= levelAt(words, node)) {
    return leftAt(words, node) === below ? link : split(words, origin, link);
  }
  // A subtree has become one level lower: so does the node, and up to three left children and
  // two right grandchildren may now be level with their parents.
  setLevel(words, node, allowed);
  const right = rightAt(words, node);
  if (levelOf(words, origin, right) > allowed) setLevel(words, nodeOf(right, origin), allowed);
  const top = skew(words, origin, link);
  const topNode = nodeOf(top, origin);
  const second = rightAt(words, topNode);
  if (second !== 0) {
    const skewed = skew(words, origin, second);
    setRight(words, topNode, skewed);
    const skewedNode = nodeOf(skewed, origin);
    const third = rightAt(words, skewedNode);
    if (third !== 0) setRight(words, skewedNode, skew(words, origin, third));
  }
  const raised = split(words, origin, top);
  const raisedNode = nodeOf(raised, origin);
  const next = rightAt(words, raisedNode);
  if (next !== 0) setRight(words, raisedNode, split(words, origin, next));
  return raised;
}

/** Recompute how far the extents at and below `link` reach. */
export function refresh(words: Words, origin: number, link: Link): void {
  const node = nodeOf(link, origin);
  const type = typeAt(words, node);
  const ownRoot = rootOf(type);
  let endRoot = ownRoot;
  let end = beginAt(words, node, type) + lengthAt(words, node, type);
  const right = rightAt(words, node);
  if (right !== 0) {
    const rightNode = nodeOf(right, origin);
    const rightEnd = endAt(words, rightNode);
    endRoot = endRootAt(words, rightNode);
    if (endRoot !== ownRoot || rightEnd > end) end = rightEnd;
  }
  const left = leftAt(words, node);
  if (left !== 0) {
    const leftNode = nodeOf(left, origin);
    const leftEnd = endAt(words, leftNode);
    if (leftEnd > end && endRootAt(words, leftNode) === endRoot) end = leftEnd;
  }
  setEnd(words, node, endRoot, end);
}

/** Turn a left child of the same level into the parent. */
function skew(words: Words, origin: number, link: Link): Link {
  const node = nodeOf(link, origin);
  const left = leftAt(words, node);
  if (left === 0) return link;
  const leftNode = nodeOf(left, origin);
  if (levelAt(words, leftNode) !== levelAt(words, node)) return link;
  setLeft(words, node, rightAt(words, leftNode));
  setRight(words, leftNode, link);
  copyEnd(words, leftNode, node);
  refresh(words, origin, link);
  return left;
}

/** Raise the middle one of three nodes of the same level in a row to the right. */
function split(words: Words, origin: number, link: Link): Link {
  const node = nodeOf(link, origin);
  const right = rightAt(words, node);
  if (right === 0) return link;
  const level = levelAt(words, node);
  const rightNode = nodeOf(right, origin);
  if (levelAt(words, rightNode) !== level) return link;
  if (levelOf(words, origin, rightAt(words, rightNode)) !== level) return link;
  setRight(words, node, leftAt(words, rightNode));
  setLeft(words, rightNode, link);
  setLevel(words, rightNode, level + 1);
  copyEnd(words, rightNode, node);
  refresh(words, origin, link);
  return right;
}

/** Level of the node that `link` names; what is not there is one below a leaf. */
function levelOf(words: Words, origin: number, link: Link): number {
  return link === 0 ? -1 : levelAt(words, nodeOf(link, origin));
}

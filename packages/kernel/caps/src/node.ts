/**
 * A slot as a node of the mapping database, word by word. The tree is where an operation on
 * capabilities spends its time, so its loops do not go through the accessors of `layout`, but index
 * the words of memory. Where a field is comes from the same table.
 *
 * A link (a slot address divided by 64) names a node, 0 none. A node index is where its words
 * begin in `mem.words`, a multiple of 16, so that `node | FIELD` is the index of a field. Both are
 * 32-bit numbers, which costs the compiler no check and the heap no number: so memory may begin
 * anywhere, but has at most 2^32 words (16 GiB).
 */

import type { PhysMem } from '@barreleye/core';
import { CTE_BITS, Cte, type ObjType } from '@barreleye/spec';
import type { Slot } from './slot.ts';

/** `mem.words`. */
export type Words = Uint32Array;
/** Index of the first word of a slot in it. */
export type Node = number;
/** Address of a slot divided by 64. */
export type Link = number;

const TYPE = wordOf(Cte.type.offset);
const TYPE_SHIFT = shiftOf(Cte.type.offset);
const LEVEL = wordOf(Cte.level.offset);
const LEVEL_SHIFT = shiftOf(Cte.level.offset);
const END_ROOT = wordOf(Cte.endRoot.offset);
const END_ROOT_SHIFT = shiftOf(Cte.endRoot.offset);
const LEFT = wordOf(Cte.left.offset);
const RIGHT = wordOf(Cte.right.offset);
const END_LOW = wordOf(Cte.end.offset);
const END_HIGH = END_LOW + 1;
const BASE_LOW = wordOf(Cte.base.offset);
const BASE_HIGH = BASE_LOW + 1;
const BYTES_LOW = wordOf(Cte.bytes.offset);
const BYTES_HIGH = BYTES_LOW + 1;
const ARG0 = wordOf(Cte.arg0.offset);
const ARG1 = wordOf(Cte.arg1.offset);
const TABLE_HEAD = wordOf(Cte.tableHead.offset);

/**
 * Indices of fields, to be taken apart into constants of the module that loops over nodes: those
 * the compiler folds, while it has to look up and check whatever is imported, at each use.
 */
export const NodeField = {
  TYPE,
  LEVEL,
  END_ROOT,
  LEFT,
  RIGHT,
  END_LOW,
  END_HIGH,
  BASE_LOW,
  BASE_HIGH,
  BYTES_LOW,
  BYTES_HIGH,
  TYPE_SHIFT,
  LEVEL_SHIFT,
  END_ROOT_SHIFT,
} as const;

/** log2 of the words of a slot. */
export const NODE_BITS = CTE_BITS - 2;
const TWO_32 = 2 ** 32;

/** What `nodeOf` wants: the index of address 0, negated; modulo 2^32. */
export function originOf(mem: PhysMem): number {
  return (mem.origin / 4) | 0;
}

/** The node that `link`, which is not 0, names. */
export function nodeOf(link: Link, origin: number): Node {
  return ((link << NODE_BITS) - origin) >>> 0;
}

/** The node in `slot`. */
export function nodeIn(mem: PhysMem, slot: Slot): Node {
  return ((slot - mem.origin) / 4) >>> 0;
}

export function typeAt(words: Words, node: Node): ObjType {
  return ((words[node | TYPE] as number) >>> TYPE_SHIFT) & 0xff;
}

export function baseAt(words: Words, node: Node): number {
  return (words[node | BASE_HIGH] as number) * TWO_32 + (words[node | BASE_LOW] as number);
}

export function bytesAt(words: Words, node: Node): number {
  return (words[node | BYTES_HIGH] as number) * TWO_32 + (words[node | BYTES_LOW] as number);
}

export function arg0At(words: Words, node: Node): number {
  return words[node | ARG0] as number;
}

export function arg1At(words: Words, node: Node): number {
  return words[node | ARG1] as number;
}

export function tableHeadAt(words: Words, node: Node): number {
  return words[node | TABLE_HEAD] as number;
}

export function leftAt(words: Words, node: Node): Link {
  return words[node | LEFT] as number;
}

export function levelAt(words: Words, node: Node): number {
  return ((words[node | LEVEL] as number) >>> LEVEL_SHIFT) & 0xff;
}

export function setLevel(words: Words, node: Node, level: number): void {
  const rest = (words[node | LEVEL] as number) & ~(0xff << LEVEL_SHIFT);
  words[node | LEVEL] = rest | (level << LEVEL_SHIFT);
}

/** Whether the `end` of `a` is behind that of `b`. */
function endsBehind(words: Words, a: Node, b: Node): boolean {
  const highA = words[a | END_HIGH] as number;
  const highB = words[b | END_HIGH] as number;
  if (highA !== highB) return highA > highB;
  return (words[a | END_LOW] as number) > (words[b | END_LOW] as number);
}

/** Set `endRoot` and `end`, the latter as two words; bits that do not fit are dropped. */
export function setEnd(words: Words, node: Node, root: number, high: number, low: number): void {
  const rest = (words[node | END_ROOT] as number) & ~(0xff << END_ROOT_SHIFT);
  words[node | END_ROOT] = rest | (root << END_ROOT_SHIFT);
  words[node | END_HIGH] = high;
  words[node | END_LOW] = low;
}

/** Give `target` the `endRoot` and `end` of `source`. */
export function copyEnd(words: Words, target: Node, source: Node): void {
  const mask = 0xff << END_ROOT_SHIFT;
  const rest = (words[target | END_ROOT] as number) & ~mask;
  words[target | END_ROOT] = rest | ((words[source | END_ROOT] as number) & mask);
  words[target | END_HIGH] = words[source | END_HIGH] as number;
  words[target | END_LOW] = words[source | END_LOW] as number;
}

/** Raise the summary of `node` to that of `below`; whether that was further. */
export function extendEnd(words: Words, node: Node, below: Node): boolean {
  const rootBelow = ((words[below | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff;
  const root = ((words[node | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff;
  if (rootBelow < root || (rootBelow === root && !endsBehind(words, below, node))) return false;
  copyEnd(words, node, below);
  return true;
}

/** Whether the summaries of both are the same. */
export function hasSameEnd(words: Words, a: Node, b: Node): boolean {
  const difference = (words[a | END_ROOT] as number) ^ (words[b | END_ROOT] as number);
  return (
    ((difference >>> END_ROOT_SHIFT) & 0xff) === 0 &&
    words[a | END_LOW] === words[b | END_LOW] &&
    words[a | END_HIGH] === words[b | END_HIGH]
  );
}

/**
 * Whether something at or below `node` may end beyond a point in `root`: of roots before its last
 * one the summary says nothing.
 */
export function mayHoldBeyond(
  words: Words,
  node: Node,
  root: number,
  pointHigh: number,
  pointLow: number,
): boolean {
  const endRoot = ((words[node | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff;
  if (endRoot !== root) return endRoot > root;
  const high = words[node | END_HIGH] as number;
  if (high !== pointHigh) return high > pointHigh;
  return (words[node | END_LOW] as number) > pointLow;
}

/** Whether the node is in the tree: then it has a summary, and no type root is 0. */
export function isEntered(words: Words, node: Node): boolean {
  return (((words[node | END_ROOT] as number) >>> END_ROOT_SHIFT) & 0xff) !== 0;
}

/** Take the node out of the tree's hands: no children, level 0, no summary. */
export function clearNode(words: Words, node: Node): void {
  words[node | LEFT] = 0;
  words[node | RIGHT] = 0;
  setLevel(words, node, 0);
  setEnd(words, node, 0, 0, 0);
}

/** Give `target` the children, the level and the summary of `source`. */
export function copyNode(words: Words, target: Node, source: Node): void {
  words[target | LEFT] = words[source | LEFT] as number;
  words[target | RIGHT] = words[source | RIGHT] as number;
  setLevel(words, target, levelAt(words, source));
  copyEnd(words, target, source);
}

function wordOf(offset: number): number {
  return offset >>> 2;
}

function shiftOf(offset: number): number {
  return (offset & 3) * 8;
}

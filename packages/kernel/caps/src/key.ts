/**
 * What a capability is about, in a form that can be ordered. Every object has an extent in the name
 * space of its type root: memory in physical addresses, ranges in their own numbers, identifiers
 * in (core, number) pairs, and a pure token has all of its space. Mappings and endpoints hang on an
 * object and take its extent. With that, one order, one notion of copy, and one containment test
 * serve every type.
 *
 * Order: root; base; larger first; type number; what tells mappings and endpoints of one object
 * apart; slot address. So an object stands before all that was made from it (I1), directly behind
 * its copies stand its mappings or endpoints, and copies are neighbours (I28).
 * Source: Barrelfish, Hamlet's `compare_caps`; @differs extents of all but memory.
 */

import { assert, BASE_PAGE_SIZE, isInside, type PhysMem } from '@barreleye/core';
import { CAP_TYPE_INFO, CTE_BYTES, capTypeInfo, type Identity, ObjType } from '@barreleye/spec';
import {
  arg0At,
  arg1At,
  baseAt,
  bytesAt,
  type Link,
  type Node,
  NodeField,
  nodeIn,
  setEnd,
  tableHeadAt,
  typeAt,
  type Words,
} from './node.ts';
import type { Slot } from './slot.ts';

/** Place of a capability in the order. Filled by `readKey`, adjusted by queries. */
export interface Key {
  root: number;
  /** Extent in the name space of the root. */
  base: number;
  bytes: number;
  type: ObjType;
  /** Mapping: table, first entry, count. Endpoint: 0, buffer offset, words. Else zero. */
  extra0: number;
  extra1: number;
  extra2: number;
  /** The tiebreak: a slot address; 0 stands before, Infinity behind all copies of the object. */
  slot: number;
}

const { TYPE, TYPE_SHIFT, BASE_HIGH, BASE_LOW, BYTES_HIGH, BYTES_LOW, LEFT, RIGHT } = NodeField;

/** A name space is shorter than this. */
const WHOLE_SPACE = 2 ** 52;

/** The largest object that can be mapped, in pages: 16 TiB. */
export const MAX_MAPPED_PAGES = 2 ** 32 - 1;

/** Those up to `Endpoint` begin at `Cte.base`. */
const Extent = { Memory: 0, Mapping: 1, Endpoint: 2, Range: 3, Id: 4, Token: 5 } as const;

const EXTENT_OF = {
  none: Extent.Token,
  region: Extent.Memory,
  object: Extent.Memory,
  endpoint: Extent.Endpoint,
  mapping: Extent.Mapping,
  range: Extent.Range,
  id: Extent.Id,
} as const satisfies Record<Identity, number>;

/** Extent kind by type number. */
const KINDS = Uint8Array.from(CAP_TYPE_INFO, (info) => EXTENT_OF[info.identity]);
/** Type root by type number. */
const ROOTS = Uint8Array.from(CAP_TYPE_INFO, (info) => info.root);
/** The name space of physical addresses: the extent of every type in it begins at `Cte.base`. */
const MEMORY_ROOT = capTypeInfo(ObjType.PhysAddr).root;
/** Bytes of the object that a mapping or endpoint hangs on, where that type fixes them. */
const HOST_BYTES = Uint32Array.from(CAP_TYPE_INFO, (info) => {
  const [parent] = info.parents;
  return parent === undefined ? 0 : capTypeInfo(parent).bytes;
});

/** An empty key to fill. */
export function createKey(): Key {
  return { root: 0, base: 0, bytes: 0, type: 0, extra0: 0, extra1: 0, extra2: 0, slot: 0 };
}

/** Type root of `type`: the name space that its extents are in. */
export function rootOf(type: ObjType): number {
  return ROOTS[type] as number;
}

/** Whether capabilities of `type` hang on an object and never have descendants. */
export function isLeafType(type: ObjType): boolean {
  return KINDS[type] === Extent.Mapping || KINDS[type] === Extent.Endpoint;
}

/** First number of the extent of `slot`, which holds a capability of type `type`. */
export function baseOf(mem: PhysMem, slot: Slot, type: ObjType): number {
  return beginAt(mem.words, nodeIn(mem, slot), type);
}

/** Length of the extent of `slot`, which holds a capability of type `type`. */
export function bytesOf(mem: PhysMem, slot: Slot, type: ObjType): number {
  return lengthAt(mem.words, nodeIn(mem, slot), type);
}

/** As `baseOf`, of a node. */
function beginAt(words: Words, node: Node, type: ObjType): number {
  const kind = KINDS[type] as number;
  return kind <= Extent.Endpoint ? baseAt(words, node) : firstNumberAt(words, node, kind);
}

/** As `bytesOf`, of a node. */
function lengthAt(words: Words, node: Node, type: ObjType): number {
  return KINDS[type] === Extent.Memory ? bytesAt(words, node) : otherLengthAt(words, node, type);
}

/** Make how far `node` itself reaches its summary. In words, which is half the time. */
export function setOwnEnd(words: Words, node: Node): void {
  const type = ((words[node | TYPE] as number) >>> TYPE_SHIFT) & 0xff;
  const root = ROOTS[type] as number;
  if (KINDS[type] === Extent.Memory) {
    const baseLow = words[node | BASE_LOW] as number;
    const endLow = (baseLow + (words[node | BYTES_LOW] as number)) >>> 0;
    const carry = endLow < baseLow ? 1 : 0;
    const high = (words[node | BASE_HIGH] as number) + (words[node | BYTES_HIGH] as number);
    setEnd(words, node, root, high + carry, endLow);
  } else {
    const end = beginAt(words, node, type) + lengthAt(words, node, type);
    setEnd(words, node, root, end / 2 ** 32, end);
  }
}

/** Whether `node` itself is in name space `root` and ends beyond a point of it. */
export function reachesBeyond(
  words: Words,
  node: Node,
  root: number,
  pointHigh: number,
  pointLow: number,
): boolean {
  const type = ((words[node | TYPE] as number) >>> TYPE_SHIFT) & 0xff;
  if (ROOTS[type] !== root) return false;
  if (KINDS[type] === Extent.Memory) {
    const baseLow = words[node | BASE_LOW] as number;
    const endLow = (baseLow + (words[node | BYTES_LOW] as number)) >>> 0;
    const carry = endLow < baseLow ? 1 : 0;
    const endHigh =
      ((words[node | BASE_HIGH] as number) + (words[node | BYTES_HIGH] as number) + carry) >>> 0;
    return endHigh === pointHigh ? endLow > pointLow : endHigh > pointHigh;
  }
  const end = beginAt(words, node, type) + lengthAt(words, node, type);
  return end > pointHigh * 2 ** 32 + pointLow;
}

/** Fill `key` with the place of the capability in `slot`. */
export function readKey(mem: PhysMem, slot: Slot, key: Key): void {
  const { words } = mem;
  const node = nodeIn(mem, slot);
  const type = typeAt(words, node);
  assert(type !== 0, 'an empty slot has no place in the order');
  const kind = KINDS[type];
  const hangs = kind === Extent.Mapping || kind === Extent.Endpoint;
  key.root = rootOf(type);
  key.base = beginAt(words, node, type);
  key.bytes = lengthAt(words, node, type);
  key.type = type;
  key.extra0 = kind === Extent.Mapping ? bytesAt(words, node) : 0;
  key.extra1 = hangs ? arg0At(words, node) : 0;
  key.extra2 = hangs ? arg1At(words, node) : 0;
  key.slot = slot;
}

/** Negative, zero or positive as `key` stands before, at or behind the capability in `slot`. */
export function compareToSlot(mem: PhysMem, key: Key, slot: Slot): number {
  return compareObject(mem, key, slot) || orderOf(key.slot, slot);
}

/** As `compareToSlot` without the tiebreak: zero for every copy of the object. */
export function compareObject(mem: PhysMem, key: Key, slot: Slot): number {
  return compareToNode(mem.words, key, nodeIn(mem, slot));
}

/**
 * Which child of `node` a search for a key with this root and base goes on to: the index of the
 * field `left` or `right`, or 0 where root and base do not decide, which is rare. Small and without
 * calls, so that it becomes part of the loops of the database; the base as two words, which compare
 * in a cycle each.
 */
export function sideOf(
  words: Words,
  node: Node,
  root: number,
  baseHigh: number,
  baseLow: number,
): number {
  const nodeRoot = ROOTS[((words[node | TYPE] as number) >>> TYPE_SHIFT) & 0xff] as number;
  if (nodeRoot !== root) return root < nodeRoot ? LEFT : RIGHT;
  if (root !== MEMORY_ROOT) return 0;
  const nodeHigh = words[node | BASE_HIGH] as number;
  if (nodeHigh !== baseHigh) return baseHigh < nodeHigh ? LEFT : RIGHT;
  const nodeLow = words[node | BASE_LOW] as number;
  if (nodeLow !== baseLow) return baseLow < nodeLow ? LEFT : RIGHT;
  return 0;
}

/** Whether two nodes hold one object, memory; the usual case where `sideOf` does not decide. */
export function areCopies(words: Words, a: Node, b: Node): boolean {
  const type = typeAt(words, a);
  return (
    KINDS[type] === Extent.Memory &&
    typeAt(words, b) === type &&
    words[a | BASE_LOW] === words[b | BASE_LOW] &&
    words[a | BASE_HIGH] === words[b | BASE_HIGH] &&
    words[a | BYTES_LOW] === words[b | BYTES_LOW] &&
    words[a | BYTES_HIGH] === words[b | BYTES_HIGH]
  );
}

/** As `sideOf`, by all of the key; never 0. */
export function sideOfWhole(words: Words, node: Node, key: Key, link: Link): number {
  const order = compareToNode(words, key, node) || orderOf(key.slot, link * CTE_BYTES);
  return order <= 0 ? LEFT : RIGHT;
}

/**
 * Whether `child` descends from `parent`: same root, extent inside the parent's, type behind the
 * parent's where the extents are equal. Derivation in any number of steps; the one notion of
 * descent in the system (T1).
 */
export function isDescendantKey(child: Key, parent: Key): boolean {
  if (child.root !== parent.root || isLeafType(parent.type)) return false;
  if (!isInside(child.base, child.bytes, parent.base, parent.bytes)) return false;
  return child.bytes === parent.bytes ? child.type > parent.type : child.type >= parent.type;
}

/** Where an extent begins that is not one of addresses. */
function firstNumberAt(words: Words, node: Node, kind: number): number {
  switch (kind) {
    case Extent.Range:
      return arg0At(words, node);
    case Extent.Id:
      return arg0At(words, node) * 2 ** 32 + arg1At(words, node);
    default:
      return 0;
  }
}

/** Length of an extent that is not in the slot itself. */
function otherLengthAt(words: Words, node: Node, type: ObjType): number {
  switch (KINDS[type]) {
    case Extent.Mapping:
      // Which of several objects at one base was mapped: kept in a field that only tables use.
      return (HOST_BYTES[type] as number) || tableHeadAt(words, node) * BASE_PAGE_SIZE;
    case Extent.Endpoint:
      return HOST_BYTES[type] as number;
    case Extent.Range:
      return arg1At(words, node) - arg0At(words, node) + 1;
    case Extent.Id:
      return 1;
    default:
      return WHOLE_SPACE;
  }
}

/** `compareObject`, of a node. */
function compareToNode(words: Words, key: Key, node: Node): number {
  const type = typeAt(words, node);
  const root = rootOf(type);
  if (key.root !== root) return orderOf(key.root, root);
  const base = beginAt(words, node, type);
  if (key.base !== base) return orderOf(key.base, base);
  const bytes = lengthAt(words, node, type);
  if (key.bytes !== bytes) return orderOf(bytes, key.bytes);
  if (key.type !== type) return orderOf(key.type, type);
  return isLeafType(type) ? compareLeaf(words, key, node, type) : 0;
}

function compareLeaf(words: Words, key: Key, node: Node, type: ObjType): number {
  const table = KINDS[type] === Extent.Mapping ? bytesAt(words, node) : 0;
  if (key.extra0 !== table) return orderOf(key.extra0, table);
  const first = arg0At(words, node);
  if (key.extra1 !== first) return orderOf(key.extra1, first);
  return orderOf(key.extra2, arg1At(words, node));
}

/** Never their difference: between functions, a number that is no small integer costs memory. */
function orderOf(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

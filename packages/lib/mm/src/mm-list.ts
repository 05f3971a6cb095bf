/**
 * The readable store: one doubly linked list of nodes in address order, first fit. It is the model
 * that faster stores must agree with.
 *
 * Nodes tile every region exactly, and two free neighbours of one parent are always one node; so
 * what an undone operation leaves behind is the very list from before. Nodes are never merged
 * across parents: no capability covers both sides.
 * Source: the mmnode list of the ETH course "Advanced Operating Systems"; Barrelfish lib/mm for
 * the errors.
 */

import { assert, type Errval, isOk, OK, type Paddr, paddr } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { type MmNode, type MmRegion, type MmRequest, type MmStore, placeIn } from './mm-store.ts';

class ListNode<C> {
  base: Paddr;
  bytes: number;
  isFree: boolean;
  parent: MmRegion<C>;
  prev: ListNode<C> | undefined;
  next: ListNode<C> | undefined;

  constructor(base: Paddr, bytes: number, isFree: boolean, parent: MmRegion<C>) {
    this.base = base;
    this.bytes = bytes;
    this.isFree = isFree;
    this.parent = parent;
    this.prev = undefined;
    this.next = undefined;
  }
}

export class MmList<C> implements MmStore<C> {
  private head: ListNode<C> | undefined;
  private readonly parents: MmRegion<C>[];
  private used: number;
  private spare: number;
  private bytesFree: number;
  private bytesTotal: number;

  /** @param nodeLimit how many nodes there may be before `growNodes` */
  constructor(nodeLimit = Number.POSITIVE_INFINITY) {
    assert(nodeLimit >= 0, 'a node limit is not negative');
    this.head = undefined;
    this.parents = [];
    this.used = 0;
    this.spare = nodeLimit;
    this.bytesFree = 0;
    this.bytesTotal = 0;
  }

  freeBytes(): number {
    return this.bytesFree;
  }

  totalBytes(): number {
    return this.bytesTotal;
  }

  usedNodes(): number {
    return this.used;
  }

  spareNodes(): number {
    return this.spare;
  }

  growNodes(count: number): void {
    assert(count >= 0, 'a number of nodes is not negative');
    this.spare += count;
  }

  setAside(count: number): boolean {
    if (this.spare < count) return false;
    this.spare -= count;
    return true;
  }

  putBack(count: number): void {
    this.growNodes(count);
  }

  add(region: MmRegion<C>): Errval {
    const end = region.base + region.bytes;
    let before: ListNode<C> | undefined;
    let after = this.head;
    while (after !== undefined && after.base < region.base) {
      before = after;
      after = after.next;
    }
    if (before !== undefined && endOf(before) > region.base) return Err.MM_ERR_ALREADY_PRESENT;
    if (after !== undefined && after.base < end) return Err.MM_ERR_ALREADY_PRESENT;
    if (this.spare < 1) return Err.MM_ERR_NEW_NODE;
    const parent = { cap: region.cap, base: region.base, bytes: region.bytes };
    this.insertAfter(before, this.newNode(region.base, region.bytes, true, parent));
    this.parents.push(parent);
    this.bytesFree += region.bytes;
    this.bytesTotal += region.bytes;
    return OK;
  }

  take(request: MmRequest): number {
    for (let node = this.head; node !== undefined; node = node.next) {
      if (node.base >= request.to) break;
      if (!node.isFree) continue;
      const base = placeIn(node.base, node.bytes, request);
      if (base < 0) continue;
      const err = this.isolate(node, paddr(base), request.bytes);
      if (!isOk(err)) return -err;
      node.isFree = false;
      this.bytesFree -= node.bytes;
      return node.base;
    }
    return -Err.MM_ERR_NOT_FOUND;
  }

  parentOf(base: Paddr): MmRegion<C> | undefined {
    return this.parents.find((region) => base >= region.base && base < region.base + region.bytes);
  }

  nodesToGive(base: Paddr, bytes: number): number {
    const node = this.findAllocated(base, bytes);
    return node === undefined ? -Err.MM_ERR_NOT_ALLOCATED : nodesToIsolate(node, base, bytes);
  }

  give(base: Paddr, bytes: number): Errval {
    const node = this.findAllocated(base, bytes);
    if (node === undefined) return Err.MM_ERR_NOT_ALLOCATED;
    const err = this.isolate(node, base, bytes);
    if (!isOk(err)) return err;
    node.isFree = true;
    this.bytesFree += bytes;
    this.mergeWithNext(node);
    if (node.prev !== undefined) this.mergeWithNext(node.prev);
    return OK;
  }

  nodes(): readonly MmNode<C>[] {
    const copies: MmNode<C>[] = [];
    for (let node = this.head; node !== undefined; node = node.next) {
      const { base, bytes, isFree, parent } = node;
      copies.push({ base, bytes, state: isFree ? 'free' : 'allocated', parent });
    }
    return copies;
  }

  regions(): readonly MmRegion<C>[] {
    return [...this.parents];
  }

  checkStructure(): string[] {
    const wrong: string[] = [];
    let count = 0;
    let before: ListNode<C> | undefined;
    for (let node = this.head; node !== undefined; node = node.next) {
      if (node.prev !== before) wrong.push(`node ${count} does not point back to the one before`);
      before = node;
      count += 1;
      if (count > this.used) break;
    }
    if (count !== this.used) wrong.push(`${count} nodes are linked, ${this.used} are in use`);
    if (this.spare < 0) wrong.push('more nodes are in use than there may be');
    return wrong;
  }

  /**
   * Make [`base`, `base` + `bytes`) a node of its own: `node` shrinks to it, and new nodes of the
   * same parent and state take what is left over.
   */
  private isolate(node: ListNode<C>, base: Paddr, bytes: number): Errval {
    if (this.spare < nodesToIsolate(node, base, bytes)) return Err.MM_ERR_NEW_NODE;
    const { isFree, parent } = node;
    const padBytes = base - node.base;
    const restBytes = endOf(node) - (base + bytes);
    assert(padBytes >= 0, 'a split begins before its node');
    assert(restBytes >= 0, 'a split ends behind its node');
    if (padBytes > 0) {
      this.insertAfter(node.prev, this.newNode(node.base, padBytes, isFree, parent));
    }
    if (restBytes > 0) {
      this.insertAfter(node, this.newNode(paddr(base + bytes), restBytes, isFree, parent));
    }
    node.base = base;
    node.bytes = bytes;
    return OK;
  }

  private mergeWithNext(node: ListNode<C>): void {
    const { next } = node;
    if (next === undefined || !node.isFree || !next.isFree) return;
    if (next.parent !== node.parent) return;
    assert(endOf(node) === next.base, 'nodes of one region leave a gap');
    node.bytes += next.bytes;
    node.next = next.next;
    if (next.next !== undefined) next.next.prev = node;
    this.used -= 1;
    this.spare += 1;
  }

  private findAllocated(base: Paddr, bytes: number): ListNode<C> | undefined {
    for (let node = this.head; node !== undefined; node = node.next) {
      if (base >= endOf(node)) continue;
      const isIn = base >= node.base && base + bytes <= endOf(node);
      return isIn && !node.isFree ? node : undefined;
    }
    return undefined;
  }

  private newNode(base: Paddr, bytes: number, isFree: boolean, parent: MmRegion<C>): ListNode<C> {
    assert(this.spare > 0, 'a node beyond the limit');
    this.spare -= 1;
    this.used += 1;
    return new ListNode(base, bytes, isFree, parent);
  }

  /** Link `node` behind `before`; at the head of the list if that is undefined. */
  private insertAfter(before: ListNode<C> | undefined, node: ListNode<C>): void {
    const after = before === undefined ? this.head : before.next;
    node.prev = before;
    node.next = after;
    if (before === undefined) this.head = node;
    else before.next = node;
    if (after !== undefined) after.prev = node;
  }
}

function endOf<C>(node: ListNode<C>): number {
  return node.base + node.bytes;
}

function nodesToIsolate<C>(node: ListNode<C>, base: Paddr, bytes: number): number {
  return (base > node.base ? 1 : 0) + (base + bytes < endOf(node) ? 1 : 0);
}

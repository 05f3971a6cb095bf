/**
 * What a memory manager has to remember: which part of which region is free. A store knows no
 * capability operation, so it can be used, measured and replaced alone; the manager in mm.ts adds
 * slots, retype and refill. Implementations: `MmList` (mm-list.ts),
 * the readable one, and `MmIndex` (mm-index.ts), the fast one; they agree in every answer.
 *
 * Every range here is whole pages. A failing operation changes nothing.
 */

import type { Errval, Paddr } from '@barreleye/core';

/** A range of physical memory and the capability for it. */
export interface MmBlock<C> {
  readonly cap: C;
  readonly base: Paddr;
  /** Length, bytes. */
  readonly bytes: number;
}

/** A region as it was added. Its capability is the source of every retype inside it. */
export type MmRegion<C> = MmBlock<C>;

/** One node: a run of pages of one region, all free or all of one allocation. */
export interface MmNode<C> {
  readonly base: Paddr;
  readonly bytes: number;
  readonly state: 'free' | 'allocated';
  readonly parent: MmRegion<C>;
}

/**
 * What `take` looks for: `bytes` bytes inside [`from`, `to`) at a multiple of `alignBytes`, a power
 * of two of at least one page.
 */
export interface MmRequest {
  readonly bytes: number;
  readonly alignBytes: number;
  readonly from: number;
  readonly to: number;
}

/** Nodes that one split can cost: what is left over in front and behind. */
export const NODES_PER_SPLIT = 2;

/**
 * The record of a memory manager. Units are bytes; ranges are multiples of the base page. Where a
 * number is the answer, an error is returned as minus its code, so that no answer is an object.
 */
export interface MmStore<C> {
  freeBytes(): number;
  totalBytes(): number;
  /** Nodes in use, and how many more can be had. */
  usedNodes(): number;
  spareNodes(): number;
  /** Allow `count` more nodes. */
  growNodes(count: number): void;
  /**
   * Keep `count` spare nodes back for a `give` that must not fail; `putBack` ends that.
   * @returns whether there were so many
   */
  setAside(count: number): boolean;
  putBack(count: number): void;
  /**
   * Record a region; all of it is free.
   * @errors MM_ERR_ALREADY_PRESENT part of it is known; MM_ERR_NEW_NODE
   */
  add(region: MmRegion<C>): Errval;
  /**
   * Mark the first fitting range in address order as allocated.
   * @returns its base
   * @errors MM_ERR_NOT_FOUND nothing fits; MM_ERR_NEW_NODE
   */
  take(request: MmRequest): number;
  /** The region that `base` is in, if any: the parent of what was taken there. */
  parentOf(base: Paddr): MmRegion<C> | undefined;
  /**
   * How many nodes a `give` of this range would cost.
   * @errors MM_ERR_NOT_ALLOCATED the range is not wholly inside one allocation
   */
  nodesToGive(base: Paddr, bytes: number): number;
  /**
   * Mark a range free, all or part of one allocation, and merge it with free neighbours of the
   * same parent.
   * @errors MM_ERR_NOT_ALLOCATED as above; MM_ERR_NEW_NODE a partial free needs nodes
   */
  give(base: Paddr, bytes: number): Errval;
  /** Copies of all nodes in address order, and the regions in the order they were added. */
  nodes(): readonly MmNode<C>[];
  regions(): readonly MmRegion<C>[];
  /** Violated invariants of the data structure itself, in words. */
  checkStructure(): string[];
}

/** Lowest address in the free run [`base`, `base` + `bytes`) that `request` can have, or -1. */
export function placeIn(base: number, bytes: number, request: MmRequest): number {
  const from = Math.max(base, request.from);
  const place = Math.ceil(from / request.alignBytes) * request.alignBytes;
  return place + request.bytes <= Math.min(base + bytes, request.to) ? place : -1;
}

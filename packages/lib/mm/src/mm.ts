/**
 * The memory manager: hands out physical memory as capabilities, and takes it back.
 *
 * A region's capability is kept for ever; every allocation is a retype of it at an offset, into a
 * slot that the host provides. The host's calls may come back into `alloc` (a slot allocator needs
 * RAM for its next CNode). That is safe because no call of the host happens while the record is
 * half changed, and nothing read from the record before such a call is believed after it.
 *
 * The host keeps a reserve of slots, the manager one of nodes; `refill` runs before an outermost
 * operation would dig into either. What runs inside another operation uses the reserve and does
 * not refill, so a refill can itself allocate (T1-T3 of the user-level traps).
 * Source: Barrelfish lib/mm (errors, slot handling); the node list is the AOS course's.
 */

import {
  asPaddr,
  assert,
  BASE_PAGE_SIZE,
  type Errval,
  errPush,
  errval,
  fail,
  isOk,
  OK,
  PADDR_LIMIT,
  type Paddr,
  type Result,
  succeed,
} from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { MmIndex } from './mm-index.ts';
import {
  type MmBlock,
  type MmNode,
  type MmRegion,
  type MmRequest,
  type MmStore,
  NODES_PER_SPLIT,
} from './mm-store.ts';

/** Make `target` a capability for the `bytes` bytes at `offsetBytes` of `source`. */
export interface RetypeRequest<C> {
  readonly source: C;
  readonly offsetBytes: number;
  readonly bytes: number;
  readonly target: C;
}

/** What a manager asks of its surroundings. A call that fails has changed nothing. */
export interface MmHost<C> {
  retype(request: RetypeRequest<C>): Errval;
  /**
   * Delete `cap`, with every copy and descendant that would keep its range from being retyped
   * again, and give back its slot.
   */
  deleteCap(cap: C): Errval;
  /** An empty slot. */
  allocSlot(): Result<C>;
  /** Take back a slot of `allocSlot` that stayed empty. */
  freeSlot(slot: C): void;
  /** Whether the slots are down to the reserve that one refill needs. */
  isLow?: (() => boolean) | undefined;
  /** Get more slots and nodes (`growNodes`); may allocate from this very manager. */
  refill?: (() => Errval) | undefined;
}

export interface MmOptions<C> extends MmHost<C> {
  /** How many nodes there may be before `growNodes`; unlimited by default. */
  readonly nodeLimit?: number | undefined;
  /** Nodes that are left to what runs inside an operation, if there is a `refill`; default 8. */
  readonly nodeReserve?: number | undefined;
  /** The record to use instead of `MmIndex`; then `nodeLimit` is its own affair. */
  readonly store?: MmStore<C> | undefined;
}

/** A range that has been taken: retype `parent.cap` at offset `base - parent.base`. */
export interface MmTaken<C> {
  readonly parent: MmRegion<C>;
  readonly base: Paddr;
  readonly bytes: number;
}

/** Where an allocation may lie. */
export interface MmPlace {
  /** A power of two of at least one page, which is the default. */
  readonly alignBytes?: number | undefined;
  /** Lowest address. */
  readonly from?: number | undefined;
  /** First address behind. */
  readonly to?: number | undefined;
}

const DEFAULT_NODE_RESERVE = 8;
/** Deeper than any slot allocator that terminates: allocator, CNode, root CNode, its resize. */
const MAX_DEPTH = 16;

/** A manager without memory: give it some with `add`. */
export function createMm<C>(options: MmOptions<C>): Mm<C> {
  return new Mm(options);
}

export class Mm<C> {
  /** The record, for inspection and for callers that do the capability work themselves. */
  readonly store: MmStore<C>;
  private readonly host: MmHost<C>;
  private readonly nodeReserve: number;
  /** Operations under way; above 0 a refill is somebody else's business. */
  private depth: number;

  constructor(options: MmOptions<C>) {
    this.store = options.store ?? new MmIndex(options.nodeLimit);
    this.host = options;
    this.nodeReserve = options.nodeReserve ?? DEFAULT_NODE_RESERVE;
    this.depth = 0;
    assert(this.nodeReserve >= 0, 'a reserve is not negative');
  }

  /**
   * Take over a region. Its capability must stay, and its memory is used through this manager only.
   * @errors MM_ERR_INVALID_SIZE not a positive number of whole pages; MM_ERR_INVALID_ALIGNMENT does
   *   not begin at a page; MM_ERR_OUT_OF_BOUNDS not physical addresses; MM_ERR_ALREADY_PRESENT part
   *   of it is known; MM_ERR_NEW_NODE
   */
  add(region: MmRegion<C>): Errval {
    const { base, bytes } = region;
    if (!isSize(bytes) || bytes % BASE_PAGE_SIZE !== 0) return Err.MM_ERR_INVALID_SIZE;
    if (base % BASE_PAGE_SIZE !== 0) return Err.MM_ERR_INVALID_ALIGNMENT;
    if (base < 0 || base + bytes > PADDR_LIMIT) return Err.MM_ERR_OUT_OF_BOUNDS;
    return this.store.add(region);
  }

  /**
   * Allocate memory: the first range that fits, in address order.
   * @param bytes rounded up to whole pages
   * @returns a new capability, what it covers, in a slot of the host
   * @errors MM_ERR_INVALID_SIZE; MM_ERR_INVALID_ALIGNMENT; MM_ERR_OUT_OF_BOUNDS no region reaches
   *   into [from, to); MM_ERR_NOT_FOUND nothing free fits; MM_ERR_NEW_NODE and MM_ERR_SLOT_ALLOC,
   *   also on the error of a refill; MM_ERR_RETYPE on the error of the host
   * @post on failure all is as before
   */
  alloc(bytes: number, place: MmPlace = {}): Result<MmBlock<C>> {
    const request = planRequest(bytes, place);
    if (!request.ok) return request;
    const refilled = this.refillIf(this.areNodesLow() || this.areSlotsLow());
    if (!isOk(refilled)) return fail(refilled);
    return this.nested(() => this.allocNow(request.value));
  }

  /**
   * Take memory back: a block of `alloc`, or part of one.
   * @param block any capability for that range. It is deleted; no other may be left that overlaps
   *   the range (trap T7), so after a partial free the capability of the whole must be gone.
   * @errors MM_ERR_INVALID_SIZE; MM_ERR_NOT_ALLOCATED the range is not wholly in one allocation;
   *   MM_ERR_NEW_NODE a partial free needs nodes, also on the error of a refill; MM_ERR_DELETE on
   *   the error of the host
   * @post on failure all is as before
   */
  free(block: MmBlock<C>): Errval {
    const { cap, base, bytes } = block;
    let cost = this.costToGive(base, bytes);
    if (cost > 0) {
      const refilled = this.refillIf(this.areNodesLow());
      if (!isOk(refilled)) return refilled;
      cost = this.costToGive(base, bytes);
    }
    if (cost < 0) return errval(-cost);
    // What runs inside `deleteCap` may use nodes, but not these; and it cannot make us need more.
    if (!this.store.setAside(cost)) return Err.MM_ERR_NEW_NODE;
    const err = this.nested(() => this.host.deleteCap(cap));
    this.store.putBack(cost);
    if (!isOk(err)) return errPush(err, Err.MM_ERR_DELETE);
    return this.store.give(base, wholePages(bytes));
  }

  /**
   * `alloc` without capability, slot or refill, for a caller that retypes by itself (because that
   * blocks, say). It undoes this with `give`.
   * @errors as `alloc`
   */
  take(bytes: number, place: MmPlace = {}): Result<MmTaken<C>> {
    const request = planRequest(bytes, place);
    return request.ok ? this.takeNow(request.value) : request;
  }

  /** `free` without capability. Errors as there. */
  give(base: Paddr, bytes: number): Errval {
    const cost = this.costToGive(base, bytes);
    return cost >= 0 ? this.store.give(base, wholePages(bytes)) : errval(-cost);
  }

  /** Allow `count` more nodes. */
  growNodes(count: number): void {
    this.store.growNodes(count);
  }

  freeBytes(): number {
    return this.store.freeBytes();
  }

  totalBytes(): number {
    return this.store.totalBytes();
  }

  /** Every run of free or allocated pages, in address order. */
  nodes(): readonly MmNode<C>[] {
    return this.store.nodes();
  }

  /** The regions in the order they were added. */
  regions(): readonly MmRegion<C>[] {
    return this.store.regions();
  }

  /** The slot comes first: getting it may change the record, and failing then changes nothing. */
  private allocNow(request: MmRequest): Result<MmBlock<C>> {
    const slot = this.host.allocSlot();
    if (!slot.ok) return fail(errPush(slot.err, Err.MM_ERR_SLOT_ALLOC));
    const target = slot.value;
    const taken = this.takeNow(request);
    if (!taken.ok) {
      this.host.freeSlot(target);
      return taken;
    }
    const { parent, base, bytes } = taken.value;
    const offsetBytes = base - parent.base;
    const err = this.host.retype({ source: parent.cap, offsetBytes, bytes, target });
    if (isOk(err)) return succeed({ cap: target, base, bytes });
    const undone = this.store.give(base, bytes);
    assert(isOk(undone), 'an allocation that failed cannot be undone');
    this.host.freeSlot(target);
    return fail(errPush(err, Err.MM_ERR_RETYPE));
  }

  private takeNow(request: MmRequest): Result<MmTaken<C>> {
    const taken = this.store.take(request);
    if (taken < 0) return fail(this.whyNot(request, errval(-taken)));
    const base = asPaddr(taken);
    const parent = this.store.parentOf(base);
    assert(parent !== undefined, 'what was taken is in no region');
    return succeed({ parent, base, bytes: request.bytes });
  }

  /** The error of a request that the store refused with `err`. */
  private whyNot({ from, to }: MmRequest, err: Errval): Errval {
    if (err !== Err.MM_ERR_NOT_FOUND || (from <= 0 && to >= PADDR_LIMIT)) return err;
    const reachesIn = ({ base, bytes }: MmRegion<C>): boolean =>
      Math.max(base, from) < Math.min(base + bytes, to);
    return this.regions().some(reachesIn) ? err : Err.MM_ERR_OUT_OF_BOUNDS;
  }

  /** Nodes that freeing this range would cost, or minus what is wrong with it. */
  private costToGive(base: Paddr, bytes: number): number {
    if (!isSize(bytes)) return -Err.MM_ERR_INVALID_SIZE;
    if (base % BASE_PAGE_SIZE !== 0) return -Err.MM_ERR_NOT_ALLOCATED;
    return this.store.nodesToGive(base, wholePages(bytes));
  }

  private areNodesLow(): boolean {
    return this.store.spareNodes() < this.nodeReserve + NODES_PER_SPLIT;
  }

  private areSlotsLow(): boolean {
    return this.host.isLow?.() ?? false;
  }

  /** Refill, unless an operation is under way. When that fails, the reserve stays untouched. */
  private refillIf(isLow: boolean): Errval {
    if (!isLow || this.depth > 0 || this.host.refill === undefined) return OK;
    const cause = this.areNodesLow() ? Err.MM_ERR_NEW_NODE : Err.MM_ERR_SLOT_ALLOC;
    const err = this.nested(() => this.host.refill?.() ?? OK);
    return isOk(err) ? OK : errPush(err, cause);
  }

  /** Run `operation` with the guard up; it comes down on every path. */
  private nested<T>(operation: () => T): T {
    assert(this.depth < MAX_DEPTH, 'the slots of a memory manager need memory without end');
    this.depth += 1;
    try {
      return operation();
    } finally {
      this.depth -= 1;
    }
  }
}

function planRequest(bytes: number, place: MmPlace): Result<MmRequest> {
  const { alignBytes = BASE_PAGE_SIZE, from = 0, to = PADDR_LIMIT } = place;
  if (!isSize(bytes)) return fail(Err.MM_ERR_INVALID_SIZE);
  if (!isAlignment(alignBytes)) return fail(Err.MM_ERR_INVALID_ALIGNMENT);
  return succeed({ bytes: wholePages(bytes), alignBytes, from, to });
}

function isSize(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes > 0 && bytes <= PADDR_LIMIT;
}

function isAlignment(bytes: number): boolean {
  if (!isSize(bytes) || bytes % BASE_PAGE_SIZE !== 0) return false;
  let rest = bytes;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / BASE_PAGE_SIZE) * BASE_PAGE_SIZE;
}

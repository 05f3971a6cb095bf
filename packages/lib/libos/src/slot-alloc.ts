/**
 * Allocator of capability slots over any number of L2 CNodes of the domain's own CSpace. Which
 * slots are free is known to this library alone; the kernel only knows which are empty.
 */

import { assert, type Errval, fail, isOk, OK, type Result, succeed } from '@barreleye/core';
import { CPTR_ROOTCN, Err, L2_CNODE_SLOTS } from '@barreleye/spec';
import { type Capref, capref, placeOf, type Slot } from './capref.ts';

/** Free slots that are left to a refill: enough for one of everything. */
export const SLOT_RESERVE = 32;

interface SlotBlock {
  readonly l1Index: number;
  /** One byte a slot: 1 when it is taken. */
  readonly taken: Uint8Array;
  freeCount: number;
  /** No slot below this one is free. */
  firstFree: number;
}

export class SlotAllocator {
  /**
   * Called before slots are taken while fewer than `SLOT_RESERVE` are free; it may add CNodes, and
   * take slots itself from the reserve. What it fails of shows when the slots run out.
   */
  refill: (() => Errval) | undefined;
  private readonly blocks: SlotBlock[];
  /** Places in `blocks` by root slot. */
  private readonly places: Map<number, number>;
  /** No block before this place has a free slot. */
  private firstFree: number;
  private freeTotal: number;
  private isRefilling: boolean;

  constructor() {
    this.refill = undefined;
    this.blocks = [];
    this.places = new Map();
    this.firstFree = 0;
    this.freeTotal = 0;
    this.isRefilling = false;
  }

  /** Slots that are free now. */
  get freeCount(): number {
    return this.freeTotal;
  }

  /** Slots that this allocator hands out in all. */
  get totalCount(): number {
    return this.blocks.length * L2_CNODE_SLOTS;
  }

  /** Whether only the reserve is left. */
  isLow(): boolean {
    return this.freeTotal < SLOT_RESERVE;
  }

  /** Hand out the slots of the L2 CNode in root slot `l1Index` too; all of them are empty. */
  addCnode(l1Index: number): void {
    assert(!this.places.has(l1Index), 'a CNode may be added to a slot allocator only once');
    const taken = new Uint8Array(L2_CNODE_SLOTS);
    this.places.set(l1Index, this.blocks.length);
    this.blocks.push({ l1Index, taken, freeCount: L2_CNODE_SLOTS, firstFree: 0 });
    this.freeTotal += L2_CNODE_SLOTS;
  }

  /**
   * Have `make` put a capability into a free slot. When it fails, the slot is free again.
   * @errors LIB_ERR_SLOT_ALLOC_NO_SPACE; those of `make`
   */
  fill<T>(make: (slot: Slot) => Result<T>): Result<T> {
    const slot = this.alloc();
    if (!slot.ok) return slot;
    const made = make(slot.value);
    if (made.ok) return made;
    const err = this.free(slot.value);
    assert(isOk(err), 'a slot that was just allocated can be freed');
    return made;
  }

  /** One free slot. @errors LIB_ERR_SLOT_ALLOC_NO_SPACE */
  alloc(): Result<Slot> {
    return this.allocRun(1);
  }

  /** The first of `count` free slots in a row in one CNode. @errors LIB_ERR_SLOT_ALLOC_NO_SPACE */
  allocRun(count: number): Result<Slot> {
    assert(count >= 1, 'a run has at least one slot');
    this.refillIfLow();
    for (let at = this.firstFree; at < this.blocks.length; at++) {
      const block = this.blocks[at];
      if (block === undefined || block.freeCount < count) {
        if (block?.freeCount === 0 && at === this.firstFree) this.firstFree = at + 1;
        continue;
      }
      const first = findRun(block, count);
      if (first < 0) continue;
      block.taken.fill(1, first, first + count);
      block.freeCount -= count;
      if (first === block.firstFree) block.firstFree = first + count;
      this.freeTotal -= count;
      return succeed(capref(block.l1Index, first));
    }
    return fail(Err.LIB_ERR_SLOT_ALLOC_NO_SPACE);
  }

  /**
   * Give a slot back; what it held has been deleted before.
   * @errors LIB_ERR_SLOT_WRONG_CNODE, LIB_ERR_SLOT_UNALLOCATED (also when freed twice)
   */
  free(slot: Capref): Errval {
    const isOwn = slot.level === 2 && slot.croot === CPTR_ROOTCN;
    if (!isOwn) return Err.LIB_ERR_SLOT_WRONG_CNODE;
    const { cnode, slot: index } = placeOf(slot);
    const at = this.places.get(cnode >>> 8);
    const block = at === undefined ? undefined : this.blocks[at];
    if (at === undefined || block === undefined) return Err.LIB_ERR_SLOT_WRONG_CNODE;
    if (block.taken[index] !== 1) return Err.LIB_ERR_SLOT_UNALLOCATED;
    block.taken[index] = 0;
    block.freeCount += 1;
    block.firstFree = Math.min(block.firstFree, index);
    this.firstFree = Math.min(this.firstFree, at);
    this.freeTotal += 1;
    return OK;
  }

  private refillIfLow(): void {
    if (this.refill === undefined || this.isRefilling || !this.isLow()) return;
    this.isRefilling = true;
    this.refill();
    this.isRefilling = false;
  }
}

/** Index of the first of `count` free slots in a row, -1 when there is none. */
function findRun({ taken, firstFree }: SlotBlock, count: number): number {
  let runLength = 0;
  for (let i = firstFree; i < taken.length; i++) {
    runLength = taken[i] === 0 ? runLength + 1 : 0;
    if (runLength === count) return i - count + 1;
  }
  return -1;
}

/**
 * Allocator of capability slots over any number of L2 CNodes of the domain's own CSpace. Which
 * slots are free is known to this library alone; the kernel only knows which are empty.
 */

import { assert, type Errval, fail, OK, type Result, succeed } from '@barreleye/core';
import { CPTR_ROOTCN, Err, L2_CNODE_SLOTS } from '@barreleye/spec';
import { type Capref, capref, placeOf, type Slot } from './capref.ts';

interface SlotBlock {
  readonly l1Index: number;
  /** One byte a slot: 1 when it is taken. */
  readonly taken: Uint8Array;
  freeCount: number;
}

export class SlotAllocator {
  private readonly blocks: SlotBlock[] = [];

  /** Slots that are free now. */
  get freeCount(): number {
    return this.blocks.reduce((sum, block) => sum + block.freeCount, 0);
  }

  /** Slots that this allocator hands out in all. */
  get totalCount(): number {
    return this.blocks.length * L2_CNODE_SLOTS;
  }

  /** Hand out the slots of the L2 CNode in root slot `l1Index` too; all of them are empty. */
  addCnode(l1Index: number): void {
    const isNew = !this.blocks.some((block) => block.l1Index === l1Index);
    assert(isNew, 'a CNode may be added to a slot allocator only once');
    const taken = new Uint8Array(L2_CNODE_SLOTS);
    this.blocks.push({ l1Index, taken, freeCount: L2_CNODE_SLOTS });
  }

  /** One free slot. @errors LIB_ERR_SLOT_ALLOC_NO_SPACE */
  alloc(): Result<Slot> {
    return this.allocRun(1);
  }

  /** The first of `count` free slots in a row in one CNode. @errors LIB_ERR_SLOT_ALLOC_NO_SPACE */
  allocRun(count: number): Result<Slot> {
    assert(count >= 1, 'a run has at least one slot');
    for (const block of this.blocks) {
      if (block.freeCount < count) continue;
      const first = findRun(block.taken, count);
      if (first < 0) continue;
      block.taken.fill(1, first, first + count);
      block.freeCount -= count;
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
    const block = this.blocks.find((b) => b.l1Index === cnode >>> 8);
    if (block === undefined) return Err.LIB_ERR_SLOT_WRONG_CNODE;
    if (block.taken[index] !== 1) return Err.LIB_ERR_SLOT_UNALLOCATED;
    block.taken[index] = 0;
    block.freeCount += 1;
    return OK;
  }
}

/** Index of the first of `count` zero bytes in a row, -1 when there is none. */
function findRun(taken: Uint8Array, count: number): number {
  let runLength = 0;
  for (let i = 0; i < taken.length; i++) {
    runLength = taken[i] === 0 ? runLength + 1 : 0;
    if (runLength === count) return i - count + 1;
  }
  return -1;
}

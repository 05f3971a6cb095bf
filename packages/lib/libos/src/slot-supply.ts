/**
 * More slots for a running domain: another L2 CNode, and when the root CNode has no room for it, a
 * root of twice the size. Capability addresses never change.
 *
 * A refill needs slots itself (for the RAM, and for the old and the new root), so the allocator
 * asks for it while some are left.
 */

import { assert, type Errval, errPush, isOk, OK, type Result } from '@barreleye/core';
import { CTE_BYTES, Err, L2_CNODE_BYTES, RootSlot } from '@barreleye/spec';
import { type Capref, rootCapref } from './capref.ts';
import { capDelete, capResize, capRetype } from './caps.ts';
import type { SlotAllocator } from './slot-alloc.ts';
import type { Sys } from './sys.ts';

/** RAM and what it covers. */
export interface RamBlock {
  readonly cap: Capref<'RAM'>;
  readonly base: number;
  readonly bytes: number;
}

/** Where the memory of CNodes comes from. */
export interface RamSource {
  /** RAM of `bytes` bytes, aligned to `alignBytes`. */
  alloc(bytes: number, alignBytes: number): Result<RamBlock>;
  free(block: RamBlock): Errval;
}

export class SlotSupply {
  private readonly sys: Sys;
  private readonly slots: SlotAllocator;
  private readonly ram: RamSource;
  private nextRootSlot: number;
  private rootSlotCount: number;
  /** Memory of the root CNode, if this supply has allocated it. */
  private rootBlock: RamBlock | undefined;

  /** @param rootBytes size of the domain's root CNode now */
  constructor(sys: Sys, slots: SlotAllocator, ram: RamSource, rootBytes: number) {
    this.sys = sys;
    this.slots = slots;
    this.ram = ram;
    this.nextRootSlot = RootSlot.User;
    this.rootSlotCount = rootBytes / CTE_BYTES;
    this.rootBlock = undefined;
  }

  /**
   * Make 256 more slots.
   * @errors LIB_ERR_SLOT_ALLOC over what went wrong: no RAM, no slot, or the kernel's reason
   * @post on failure all is as before, except that the root may have grown
   */
  grow(): Errval {
    if (this.nextRootSlot === this.rootSlotCount) {
      const err = this.growRoot();
      if (!isOk(err)) return errPush(err, Err.LIB_ERR_SLOT_ALLOC);
    }
    const err = this.addCnode();
    return isOk(err) ? OK : errPush(err, Err.LIB_ERR_SLOT_ALLOC);
  }

  /** An L2 CNode in the next slot of the root. */
  private addCnode(): Errval {
    const block = this.ram.alloc(L2_CNODE_BYTES, L2_CNODE_BYTES);
    if (!block.ok) return block.err;
    const range = { offset: 0, objectBytes: L2_CNODE_BYTES, count: 1 };
    const slot = rootCapref<'Null'>(this.nextRootSlot);
    const made = capRetype(this.sys, slot, block.value.cap, 'L2CNode', range);
    if (!made.ok) {
      this.giveBack(block.value);
      return made.err;
    }
    this.slots.addCnode(this.nextRootSlot);
    this.nextRootSlot += 1;
    return OK;
  }

  /** A root of twice the size with the same contents; the old one and its memory are given back. */
  private growRoot(): Errval {
    const bytes = 2 * this.rootSlotCount * CTE_BYTES;
    const block = this.ram.alloc(bytes, L2_CNODE_BYTES);
    if (!block.ok) return block.err;
    const err = this.replaceRoot(block.value);
    if (!isOk(err)) {
      this.giveBack(block.value);
      return err;
    }
    if (this.rootBlock !== undefined) this.giveBack(this.rootBlock);
    this.rootBlock = block.value;
    this.rootSlotCount *= 2;
    return OK;
  }

  private replaceRoot(block: RamBlock): Errval {
    const newSlot = this.slots.alloc();
    if (!newSlot.ok) return newSlot.err;
    const range = { offset: 0, objectBytes: block.bytes, count: 1 };
    const newRoot = capRetype(this.sys, newSlot.value, block.cap, 'L1CNode', range);
    if (!newRoot.ok) {
      this.freeSlot(newSlot.value);
      return newRoot.err;
    }
    const oldSlot = this.slots.alloc();
    const err = oldSlot.ok ? capResize(this.sys, newRoot.value, oldSlot.value) : oldSlot.err;
    if (oldSlot.ok) this.drop(oldSlot.value, isOk(err));
    this.drop(newRoot.value, true);
    return err;
  }

  /** Empty a slot, if there is something in it, and give it back. */
  private drop(slot: Capref, isFull: boolean): void {
    const err = isFull ? capDelete(this.sys, slot) : OK;
    assert(isOk(err), 'a root CNode that is not in use can be deleted');
    this.freeSlot(slot);
  }

  private freeSlot(slot: Capref): void {
    const err = this.slots.free(slot);
    assert(isOk(err), 'a slot was freed twice or never allocated');
  }

  private giveBack(block: RamBlock): void {
    const err = this.ram.free(block);
    assert(isOk(err), 'RAM that nothing uses can be freed');
  }
}

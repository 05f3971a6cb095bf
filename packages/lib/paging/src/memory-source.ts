/** Where an address space gets memory and slots from: its domain's allocators. */

import {
  assert,
  BASE_PAGE_SIZE,
  type Errval,
  errPush,
  fail,
  isOk,
  OK,
  type Result,
} from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capRetype,
  type RamBlock,
  type RamSource,
  type Slot,
  type SlotAllocator,
  type Sys,
} from '@barreleye/libos';
import { Err } from '@barreleye/spec';

export interface MemorySource {
  /** RAM of `bytes` bytes, whole pages, aligned to its size; page tables are made of it. */
  allocRam(bytes: number): Result<RamBlock>;
  freeRam(block: RamBlock): Errval;
  /** A new frame of `bytes` bytes, whole pages, all zero. */
  allocFrame(bytes: number): Result<Capref<'Frame'>>;
  /** Delete a frame of `allocFrame`; whatever showed it shows it no more. */
  freeFrame(frame: Capref<'Frame'>): Errval;
  allocSlot(): Result<Slot>;
  /** Take back an empty slot. */
  freeSlot(slot: Capref): void;
}

/** The source of a domain that has RAM of its own. */
export function createMemorySource(sys: Sys, ram: RamSource, slots: SlotAllocator): MemorySource {
  return new OwnMemory(sys, ram, slots);
}

class OwnMemory implements MemorySource {
  private readonly sys: Sys;
  private readonly ram: RamSource;
  private readonly slots: SlotAllocator;
  /** The RAM of every frame that is out, by the capability address of the frame. */
  private readonly ramOfFrame: Map<number, RamBlock>;

  constructor(sys: Sys, ram: RamSource, slots: SlotAllocator) {
    this.sys = sys;
    this.ram = ram;
    this.slots = slots;
    this.ramOfFrame = new Map();
  }

  allocRam(bytes: number): Result<RamBlock> {
    return this.ram.alloc(bytes, bytes);
  }

  freeRam(block: RamBlock): Errval {
    return this.ram.free(block);
  }

  /** @errors LIB_ERR_FRAME_ALLOC over the reason */
  allocFrame(bytes: number): Result<Capref<'Frame'>> {
    const block = this.ram.alloc(bytes, BASE_PAGE_SIZE);
    if (!block.ok) return fail(errPush(block.err, Err.LIB_ERR_FRAME_ALLOC));
    const slot = this.slots.alloc();
    if (!slot.ok) return this.undoFrame(slot.err, block.value);
    const range = { offset: 0, objectBytes: block.value.bytes, count: 1 };
    const frame = capRetype(this.sys, slot.value, block.value.cap, 'Frame', range);
    if (frame.ok) {
      this.ramOfFrame.set(frame.value.cptr, block.value);
      return frame;
    }
    this.freeSlot(slot.value);
    return this.undoFrame(frame.err, block.value);
  }

  /** @errors LIB_ERR_CAP_DELETE over the kernel's reason; then nothing has changed */
  freeFrame(frame: Capref<'Frame'>): Errval {
    const block = this.ramOfFrame.get(frame.cptr);
    assert(block !== undefined, 'the frame was allocated here');
    const err = capDelete(this.sys, frame);
    if (!isOk(err)) return err;
    this.freeSlot(frame);
    this.ramOfFrame.delete(frame.cptr);
    const freed = this.ram.free(block);
    assert(isOk(freed), 'RAM that nobody uses can be freed');
    return OK;
  }

  allocSlot(): Result<Slot> {
    return this.slots.alloc();
  }

  freeSlot(slot: Capref): void {
    const err = this.slots.free(slot);
    assert(isOk(err), 'a slot was freed twice or never allocated');
  }

  private undoFrame(err: Errval, block: RamBlock): Result<never> {
    const freed = this.ram.free(block);
    assert(isOk(freed), 'RAM that was just allocated can be freed');
    return fail(errPush(err, Err.LIB_ERR_FRAME_ALLOC));
  }
}

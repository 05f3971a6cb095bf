/**
 * What a domain is made of, noted as it is made, so that all of it can go again in any state. Only
 * the RAM below the parts counts for that: the domain never sees it, and all that the domain has
 * made of the rest goes with it.
 */

import { assert, type Errval, isOk, OK, type Result } from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capRetypeAny,
  capRevoke,
  holds,
  type RamBlock,
  type Slot,
  type Sys,
} from '@barreleye/libos';
import type { MemorySource } from '@barreleye/paging';
import { type CapTypeName, capTypeInfo, ObjType } from '@barreleye/spec';

const PAGE_BYTES = 4096;

export class Parts implements MemorySource {
  private readonly sys: Sys;
  private readonly source: MemorySource;
  /** In the order in which they were allocated. */
  private readonly blocks: RamBlock[];
  /** By capability address. */
  private readonly slots: Map<number, Capref>;

  constructor(sys: Sys, source: MemorySource) {
    this.sys = sys;
    this.source = source;
    this.blocks = [];
    this.slots = new Map();
  }

  /** A new object in RAM of its own. `bytes` counts where the type has no size of its own. */
  make<T extends CapTypeName>(type: T, bytes = 0): Result<Capref<T>> {
    const objectBytes = capTypeInfo(ObjType[type]).bytes || bytes;
    const ram = this.allocRam(Math.max(PAGE_BYTES, objectBytes));
    if (!ram.ok) return ram;
    const slot = this.allocSlot();
    if (!slot.ok) return slot;
    const range = { offset: 0, objectBytes, count: 1 };
    const made = capRetypeAny(this.sys, slot.value, ram.value.cap, type, range);
    return made.ok ? { ok: true, value: holds<T>(made.value) } : made;
  }

  allocRam(bytes: number): Result<RamBlock> {
    const ram = this.source.allocRam(bytes);
    if (ram.ok) this.blocks.push(ram.value);
    return ram;
  }

  /** Make RAM a part that came from the source by another way. */
  adopt(block: RamBlock): void {
    this.blocks.push(block);
  }

  freeRam(block: RamBlock): Errval {
    const err = this.source.freeRam(block);
    if (isOk(err)) this.blocks.splice(this.blocks.indexOf(block), 1);
    return err;
  }

  allocFrame(bytes: number): Result<Capref<'Frame'>> {
    return this.make('Frame', bytes);
  }

  /** A frame is a part like any other: it goes with the rest. */
  freeFrame(): Errval {
    return OK;
  }

  allocSlot(): Result<Slot> {
    const slot = this.source.allocSlot();
    if (slot.ok) this.slots.set(slot.value.cptr, slot.value);
    return slot;
  }

  freeSlot(slot: Capref): void {
    this.source.freeSlot(slot);
    this.slots.delete(slot.cptr);
  }

  /**
   * Take everything back, the last made first.
   * @errors what the kernel said of the first RAM that it would not revoke; it can be tried again
   */
  undo(): Errval {
    for (const { cap } of this.blocks.toReversed()) {
      const err = capRevoke(this.sys, cap);
      if (!isOk(err)) return err;
    }
    for (const slot of this.slots.values()) {
      capDelete(this.sys, slot); // most have gone with their RAM
      this.source.freeSlot(slot);
    }
    this.slots.clear();
    for (let block = this.blocks.pop(); block !== undefined; block = this.blocks.pop()) {
      const err = this.source.freeRam(block);
      assert(isOk(err), 'RAM that nobody has anything of can be freed');
    }
    return OK;
  }
}

/** Panics when something that was just made cannot be taken back. */
export function mustUndo(parts: Parts): void {
  assert(isOk(parts.undo()), 'what was just made can be taken back');
}

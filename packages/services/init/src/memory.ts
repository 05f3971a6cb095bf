/**
 * init's memory: a manager over all RAM that the kernel handed out, slots that grow on demand, and
 * init's address space on top of both.
 */

import {
  asPaddr,
  assert,
  type Errval,
  errPush,
  isOk,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capRetype,
  holds,
  type Os,
  PAGE_ROOT,
  rootCapref,
  type Slot,
  type SlotAllocator,
  type Sys,
} from '@barreleye/libos';
import { createMm, type Mm } from '@barreleye/mm';
import { Vspace } from '@barreleye/paging';
import {
  Err,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  type Paging,
  RegionType,
  RootSlot,
} from '@barreleye/spec';
import { type BootView, ramCap } from './boot-info.ts';

/** Slots kept back: enough for one refill and everything it needs itself. */
const SLOT_RESERVE = 32;
/** Slots of the root CNode; it does not grow yet. */
const ROOT_SLOTS = L2_CNODE_SLOTS;

/** init's allocators. */
export interface Memory {
  readonly mm: Mm<Capref<'RAM'>>;
  readonly vspace: Vspace;
}

/** Take over all free RAM of the machine. */
export function createMemory(os: Os, boot: BootView, paging: Paging): Memory {
  const { sys, slots } = os;
  let nextRootSlot: number = RootSlot.User;
  const mm: Mm<Capref<'RAM'>> = createMm<Capref<'RAM'>>({
    retype: ({ source, offsetBytes, bytes, target }) => {
      const range = { offset: offsetBytes, objectBytes: bytes, count: 1 };
      const made = capRetype(sys, asSlot(target), source, 'RAM', range);
      return made.ok ? OK : made.err;
    },
    deleteCap: (cap) => deleteAndFree(sys, slots, cap),
    allocSlot: () => asRamSlot(slots.alloc()),
    freeSlot: (slot) => freeSlot(slots, slot),
    isLow: () => slots.freeCount < SLOT_RESERVE,
    refill: () => {
      if (nextRootSlot >= ROOT_SLOTS) return Err.LIB_ERR_SLOT_ALLOC_NO_SPACE;
      const err = addCnode(sys, slots, mm, nextRootSlot);
      if (isOk(err)) nextRootSlot += 1;
      return err;
    },
  });
  for (const region of boot.regions) {
    if (region.type !== RegionType.Empty) continue;
    const err = mm.add({ cap: ramCap(region), base: asPaddr(region.base), bytes: region.bytes });
    assert(isOk(err), 'the kernel reported overlapping RAM');
  }
  return { mm, vspace: createVspace(os, mm, paging) };
}

function createVspace(os: Os, mm: Mm<Capref<'RAM'>>, paging: Paging): Vspace {
  const { arch, slots, sys } = os;
  return new Vspace({
    sys,
    paging,
    root: PAGE_ROOT,
    from: arch.heapBase,
    to: arch.userLimit,
    source: {
      allocRam: (bytes) => mm.alloc(bytes, { alignBytes: bytes }),
      freeRam: ({ cap, base, bytes }) => mm.free({ cap, base: asPaddr(base), bytes }),
      allocSlot: () => slots.alloc(),
      freeSlot: (slot) => freeSlot(slots, slot),
    },
  });
}

/** Hand a new L2 CNode in root slot `rootSlot` to the slot allocator. */
function addCnode(sys: Sys, slots: SlotAllocator, mm: Mm<Capref<'RAM'>>, rootSlot: number): Errval {
  const ram = mm.alloc(L2_CNODE_BYTES, { alignBytes: L2_CNODE_BYTES });
  if (!ram.ok) return errPush(ram.err, Err.LIB_ERR_SLOT_ALLOC);
  const range = { offset: 0, objectBytes: L2_CNODE_BYTES, count: 1 };
  const made = capRetype(sys, rootCapref(rootSlot), ram.value.cap, 'L2CNode', range);
  if (made.ok) {
    slots.addCnode(rootSlot);
    return OK;
  }
  const freed = mm.free(ram.value);
  assert(isOk(freed), 'RAM that was just allocated can be freed');
  return errPush(made.err, Err.LIB_ERR_SLOT_ALLOC);
}

function deleteAndFree(sys: Sys, slots: SlotAllocator, cap: Capref): Errval {
  const err = capDelete(sys, cap);
  if (!isOk(err)) return err;
  freeSlot(slots, cap);
  return OK;
}

function freeSlot(slots: SlotAllocator, slot: Capref): void {
  const err = slots.free(slot);
  assert(isOk(err), 'a slot was freed twice or never allocated');
}

function asRamSlot(slot: Result<Slot>): Result<Capref<'RAM'>> {
  return slot.ok ? succeed(holds<'RAM'>(slot.value)) : slot;
}

function asSlot(cap: Capref<'RAM'>): Slot {
  return holds<'Null'>(cap);
}

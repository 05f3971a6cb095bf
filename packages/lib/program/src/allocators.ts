/**
 * The allocators of a domain that has RAM: a manager over it, slots that grow on demand, and an
 * address space on top of both. All of them are plain calls.
 */

import { asPaddr, assert, type Errval, isOk, OK, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capIdentify,
  capRetype,
  holds,
  type Os,
  PAGE_ROOT,
  type RamSource,
  type SlotAllocator,
  SlotSupply,
  type Sys,
  TASK_ROOT_CN,
  unwrap,
} from '@barreleye/libos';
import { createMm, type Mm } from '@barreleye/mm';
import { createMemorySource, type MemorySource, type TableShape, Vspace } from '@barreleye/paging';

export interface Allocators {
  readonly mm: Mm<Capref<'RAM'>>;
  readonly vspace: Vspace;
  /** The manager and the slots, as address spaces want them. */
  readonly source: MemorySource;
}

/** Make them; the manager has no memory yet. */
export function createAllocators(os: Os, paging: TableShape): Allocators {
  const { sys, slots } = os;
  const rootBytes = unwrap(capIdentify(sys, TASK_ROOT_CN)).bytes;
  const ram: RamSource = {
    alloc: (bytes, alignBytes) => mm.alloc(bytes, { alignBytes }),
    free: ({ cap, base, bytes }) => mm.free({ cap, base: asPaddr(base), bytes }),
  };
  const supply = new SlotSupply(sys, slots, ram, rootBytes);
  const mm: Mm<Capref<'RAM'>> = createMm<Capref<'RAM'>>({
    retype: ({ source, offsetBytes, bytes, target }) => {
      const range = { offset: offsetBytes, objectBytes: bytes, count: 1 };
      const made = capRetype(sys, holds<'Null'>(target), source, 'RAM', range);
      return made.ok ? OK : made.err;
    },
    deleteCap: (cap) => deleteAndFree(sys, slots, cap),
    allocSlot: () => asRamSlot(slots.alloc()),
    freeSlot: (slot) => freeSlot(slots, slot),
  });
  slots.refill = () => supply.grow();
  const source = createMemorySource(sys, ram, slots);
  const vspace = new Vspace({
    sys,
    paging,
    root: PAGE_ROOT,
    from: os.arch.heapBase,
    to: os.arch.userLimit,
    source,
  });
  return { mm, vspace, source };
}

/** Delete a capability and give its slot back. */
export function deleteAndFree(sys: Sys, slots: SlotAllocator, cap: Capref): Errval {
  const err = capDelete(sys, cap);
  if (!isOk(err)) return err;
  freeSlot(slots, cap);
  return OK;
}

function freeSlot(slots: SlotAllocator, slot: Capref): void {
  const err = slots.free(slot);
  assert(isOk(err), 'a slot was freed twice or never allocated');
}

function asRamSlot(slot: Result<Capref>): Result<Capref<'RAM'>> {
  return slot.ok ? succeed(holds<'RAM'>(slot.value)) : slot;
}

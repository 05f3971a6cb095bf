/**
 * init's memory: a manager over all RAM that the kernel handed out, slots that grow on demand, and
 * init's address space on top of both.
 */

import { asPaddr, assert, type Errval, isOk, OK, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  capDelete,
  capIdentify,
  capRetype,
  holds,
  KernelCap,
  type Os,
  PAGE_ROOT,
  type RamSource,
  type Slot,
  type SlotAllocator,
  SlotSupply,
  type Sys,
  TASK_KERNEL,
  TASK_ROOT_CN,
  unwrap,
} from '@barreleye/libos';
import { createMm, type Mm } from '@barreleye/mm';
import { createMemorySource, type MemorySource, Vspace } from '@barreleye/paging';
import { type Paging, RegionType } from '@barreleye/spec';
import { type BootView, ramCap } from './boot-info.ts';

/** init's allocators. */
export interface Memory {
  readonly mm: Mm<Capref<'RAM'>>;
  readonly vspace: Vspace;
  /** The manager and the slots, as address spaces want them. */
  readonly source: MemorySource;
  /** Take over RAM that nobody holds any more, such as that of the first root CNode. */
  readonly collect: () => void;
}

/** Take over all free RAM of the machine. */
export function createMemory(os: Os, boot: BootView, paging: Paging): Memory {
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
      const made = capRetype(sys, asSlot(target), source, 'RAM', range);
      return made.ok ? OK : made.err;
    },
    deleteCap: (cap) => deleteAndFree(sys, slots, cap),
    allocSlot: () => asRamSlot(slots.alloc()),
    freeSlot: (slot) => freeSlot(slots, slot),
  });
  slots.refill = () => supply.grow();
  for (const region of boot.regions) {
    if (region.type !== RegionType.Empty) continue;
    const err = mm.add({ cap: ramCap(region), base: asPaddr(region.base), bytes: region.bytes });
    assert(isOk(err), 'the kernel reported overlapping RAM');
  }
  const source = createMemorySource(sys, ram, slots);
  const vspace = new Vspace({
    sys,
    paging,
    root: PAGE_ROOT,
    from: os.arch.heapBase,
    to: os.arch.userLimit,
    source,
  });
  // biome-ignore lint/correctness/useYield: init's own memory never keeps it waiting
  os.onPageFault(function* ({ address, access }) {
    return vspace.serveFault(address, access);
  });
  return { mm, vspace, source, collect: () => collectRam(sys, slots, mm) };
}

/** What cannot be taken over now goes back to the kernel, and is there next time. */
function collectRam(sys: Sys, slots: SlotAllocator, mm: Mm<Capref<'RAM'>>): void {
  const kernel = new KernelCap(sys, TASK_KERNEL);
  for (;;) {
    const slot = slots.alloc();
    if (!slot.ok) return;
    const ram = kernel.reclaimRam(slot.value);
    if (!ram.ok) {
      freeSlot(slots, slot.value);
      return;
    }
    const { base, bytes } = unwrap(capIdentify(sys, ram.value));
    const added = mm.add({ cap: ram.value, base: asPaddr(base), bytes });
    if (!isOk(added)) {
      const err = deleteAndFree(sys, slots, ram.value);
      assert(isOk(err), 'nobody else holds RAM that was just collected');
      return;
    }
  }
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

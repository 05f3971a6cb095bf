/** init's memory: the allocators of a domain, over all RAM that the kernel handed out. */

import { asPaddr, assert, type Errval, isOk } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  KernelCap,
  type Os,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import type { Mm } from '@barreleye/mm';
import { type BootView, ramCap } from '@barreleye/monitor';
import type { TableShape } from '@barreleye/paging';
import { type Allocators, createAllocators, deleteAndFree } from '@barreleye/program';
import { RegionType, Rights } from '@barreleye/spec';

export interface Memory extends Allocators {
  /** Take over RAM that another core has given this one. @errors no slot; SYS_ERR_*; those of mm */
  readonly add: (base: number, bytes: number) => Errval;
  /** Take over RAM that nobody holds any more, such as that of the first root CNode. */
  readonly collect: () => void;
}

/** Take over all free RAM of the machine. */
export function createMemory(os: Os, boot: BootView, paging: TableShape): Memory {
  const allocators = createAllocators(os, paging);
  const { mm, vspace } = allocators;
  for (const region of boot.regions) {
    if (region.type !== RegionType.Empty) continue;
    const err = mm.add({ cap: ramCap(region), base: asPaddr(region.base), bytes: region.bytes });
    assert(isOk(err), 'the kernel reported overlapping RAM');
  }
  // biome-ignore lint/correctness/useYield: init's own memory never keeps it waiting
  os.onPageFault(function* ({ address, access }) {
    return vspace.serveFault(address, access);
  });
  return {
    ...allocators,
    add: (base, bytes) => addRam(os, mm, base, bytes),
    collect: () => collectRam(os, mm),
  };
}

function addRam(os: Os, mm: Mm<Capref<'RAM'>>, base: number, bytes: number): Errval {
  const kernel = new KernelCap(os.sys, TASK_KERNEL);
  const words = { rights: Rights.All, iftype: 0, owner: os.coreId, arg0: 0, arg1: 0 };
  const identity = { ...words, type: 'RAM', base, bytes } as const;
  const ram = os.slots.fill((slot) => kernel.create(slot, identity));
  if (!ram.ok) return ram.err;
  const err = mm.add({ cap: ram.value, base: asPaddr(base), bytes });
  if (!isOk(err)) os.drop(ram.value);
  return err;
}

/** What cannot be taken over now goes back to the kernel, and is there next time. */
function collectRam({ sys, slots }: Os, mm: Mm<Capref<'RAM'>>): void {
  const kernel = new KernelCap(sys, TASK_KERNEL);
  for (;;) {
    const ram = slots.fill((slot) => kernel.reclaimRam(slot));
    if (!ram.ok) return;
    const { base, bytes } = unwrap(capIdentify(sys, ram.value));
    const added = mm.add({ cap: ram.value, base: asPaddr(base), bytes });
    if (!isOk(added)) {
      const err = deleteAndFree(sys, slots, ram.value);
      assert(isOk(err), 'nobody else holds RAM that was just collected');
      return;
    }
  }
}

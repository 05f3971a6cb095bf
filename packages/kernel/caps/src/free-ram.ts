/**
 * RAM that no capability covers any more, until somebody collects it. The regions are a list whose
 * head is in the kernel control block and whose links are in the regions themselves, so however
 * many there are none is lost (T20), and each is handed out once (I19, I21). Regions are whole
 * pages: what is smaller returns with the last object in its page (ram.ts).
 * Source: Barrelfish kernel/cap_delete.c `caps_reclaim_ram`; @differs four regions there.
 */

import { asPtr, type Errval, OK, type Paddr } from '@barreleye/core';
import { Err, FreeRam, Kcb, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { createCap } from './create.ts';
import { locateEmptySlots } from './cspace.ts';
import { errorOf, isError, type Slot, slotOf } from './slot.ts';

/** A region of RAM, bytes. */
export interface RamRegion {
  readonly base: Paddr;
  readonly bytes: number;
}

/** Keep whole pages that nobody holds. */
export function keepRam(caps: Caps, base: Paddr, bytes: number): void {
  const { mem, kcb, hooks } = caps;
  const region = asPtr<'FreeRam'>(base);
  mem.zero(base, FreeRam.$bytes);
  FreeRam.next.set(mem, region, Kcb.freeRam.get(mem, kcb));
  FreeRam.bytes.set(mem, region, bytes);
  Kcb.freeRam.set(mem, kcb, base);
  Kcb.freeRamBytes.set(mem, kcb, Kcb.freeRamBytes.get(mem, kcb) + bytes);
  hooks.ramFreed(base, bytes);
}

/**
 * Make a RAM capability of the region that was freed last, in slot `slotIndex` of the CNode
 * capability in `cnode`.
 * @errors those of `locateEmptySlots`; SYS_ERR_CAP_NOT_FOUND no RAM waits
 */
export function reclaimRam(caps: Caps, cnode: Slot, slotIndex: number): Errval {
  const { mem, kcb } = caps;
  const found = locateEmptySlots(caps, cnode, slotIndex, 1, ObjType.RAM);
  if (isError(found)) return errorOf(found);
  const base = Kcb.freeRam.get(mem, kcb);
  if (base === 0) return Err.SYS_ERR_CAP_NOT_FOUND;

  const region = asPtr<'FreeRam'>(base);
  const bytes = FreeRam.bytes.get(mem, region);
  Kcb.freeRam.set(mem, kcb, FreeRam.next.get(mem, region));
  Kcb.freeRamBytes.set(mem, kcb, Kcb.freeRamBytes.get(mem, kcb) - bytes);
  mem.zero(base, FreeRam.$bytes);
  createCap(caps, slotOf(found), ObjType.RAM, { base, bytes });
  return OK;
}

/** Whether some of [`base`, `base` + `bytes`) waits. Linear in the number of regions. */
export function isAnyFree(caps: Caps, base: Paddr, bytes: number): boolean {
  for (const region of eachFreeRam(caps)) {
    if (region.base < base + bytes && base < region.base + region.bytes) return true;
  }
  return false;
}

/** The regions that wait, the next to be collected first. */
export function* eachFreeRam(caps: Caps): Generator<RamRegion> {
  const { mem, kcb } = caps;
  for (let base = Kcb.freeRam.get(mem, kcb); base !== 0; ) {
    const region = asPtr<'FreeRam'>(base);
    yield { base, bytes: FreeRam.bytes.get(mem, region) };
    base = FreeRam.next.get(mem, region);
  }
}

/** All copies of an object on this core, one after the other: they are neighbours (I28). */

import type { Caps } from './caps.ts';
import { successor } from './mdb.ts';
import { firstCopy, isCopy } from './relations.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** Visit every capability of the object in `slot`, that one too. */
export function forEachCopy(caps: Caps, slot: Slot, visit: (copy: Slot) => void): void {
  for (let copy = firstCopy(caps, slot); isOneOf(caps, copy, slot); copy = successor(caps, copy)) {
    visit(copy);
  }
}

/** Whether some capability of the object in `slot` lies outside [`base`, `base` + `bytes`). */
export function hasCopyOutside(caps: Caps, slot: Slot, base: number, bytes: number): boolean {
  for (let copy = firstCopy(caps, slot); isOneOf(caps, copy, slot); copy = successor(caps, copy)) {
    if (copy < base || copy >= base + bytes) return true;
  }
  return false;
}

function isOneOf(caps: Caps, copy: Slot, slot: Slot): boolean {
  return copy !== NO_SLOT && isCopy(caps, copy, slot);
}

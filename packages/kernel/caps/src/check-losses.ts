/** I34, I36, I37: what deletions take along, told from the state before them. */

import { hex } from '@barreleye/core';
import { DCB_BYTES, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { type Entry, hangsOn, isMadeFrom, isSameObject } from './check-entry.ts';
import type { Slot } from './slot.ts';

/** The entries of `before` that go when those in `first` do: they, and what they take along. */
export function lossesOf(
  caps: Caps,
  before: readonly Entry[],
  first: readonly Entry[],
): ReadonlySet<Slot> {
  const lost = new Set<Slot>();
  const pending = [...first];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const ended = entry;
    if (lost.has(ended.slot)) continue;
    const isLast = !before.some((other) => {
      return other !== ended && !lost.has(other.slot) && isSameObject(other, ended);
    });
    // The block that this very kernel lives in stays.
    if (isLast && ended.type === ObjType.KernelControlBlock && ended.base === caps.kcb) continue;
    lost.add(ended.slot);
    if (isLast) pending.push(...before.filter((other) => follows(other, ended)));
  }
  return lost;
}

/** Whether `entry` ends with the object of `ended`: it hangs on it, or is in it. */
function follows(entry: Entry, ended: Entry): boolean {
  if (hangsOn(entry, ended)) return true;
  const isInTable = entry.info.mapping && entry.table === ended.base;
  if (isInTable && entry.iftype === ended.type) return true;
  return !ended.isForeign && isInObject(entry.slot, ended);
}

function isInObject(slot: Slot, { type, base, end }: Entry): boolean {
  switch (type) {
    case ObjType.L1CNode:
    case ObjType.L2CNode:
      return slot >= base && slot < end;
    case ObjType.Dispatcher:
      return slot >= base && slot < base + DCB_BYTES;
    default:
      return false;
  }
}

/** The entries that a revoke of `target` ends before all others. */
export function victimsOf(before: readonly Entry[], target: Entry): Entry[] {
  return before.filter(
    (other) => other !== target && (isSameObject(other, target) || isMadeFrom(other, target)),
  );
}

/** Compare what is gone with what had to go. */
export function compareLosses(
  id: 'I34' | 'I36' | 'I37',
  lost: ReadonlySet<Slot>,
  expected: ReadonlySet<Slot>,
  problems: string[],
): void {
  for (const slot of lost) {
    if (!expected.has(slot)) problems.push(`I37 the capability in ${hex(slot)} was not to go`);
  }
  for (const slot of expected) {
    if (!lost.has(slot)) problems.push(`${id} the capability in ${hex(slot)} should be gone`);
  }
}

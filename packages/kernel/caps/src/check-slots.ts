/** I4, I9, I25: every slot of this core, seen from the objects that hold slots. */

import { hex } from '@barreleye/core';
import { CTE_BYTES, Cte, capTypeName, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { isContainer } from './container.ts';
import { isAllowedInRoot } from './cspace.ts';
import { isDying, isForeign } from './guard.ts';
import { isEmpty, type Slot } from './slot.ts';
import { eachKcbSlot, eachSlot } from './walk.ts';

/** Check the slots of the KCB and of every container among `entries`, the whole database. */
export function checkSlots(caps: Caps, entries: readonly Slot[], problems: string[]): void {
  const { mem } = caps;
  const missing = new Set(entries);
  const visited = new Set<number>();
  const visit = (slot: Slot): void => {
    if (isEmpty(mem, slot)) {
      if (!mem.isZero(slot, CTE_BYTES)) problems.push(`I9 the empty slot ${hex(slot)} is not zero`);
    } else if (!missing.delete(slot)) {
      problems.push(`I25 the full slot ${hex(slot)} is not in the database`);
    }
  };
  for (const slot of eachKcbSlot(caps.kcb)) visit(slot);
  for (const holder of entries) {
    const base = Cte.base.get(mem, holder);
    if (!isContainer(mem, holder) || isForeign(caps, holder) || visited.has(base)) continue;
    visited.add(base);
    const isRoot = Cte.type.get(mem, holder) === ObjType.L1CNode;
    for (const slot of eachSlot(mem, holder)) {
      visit(slot);
      if (isRoot && !isFitForRoot(caps, slot)) {
        const name = capTypeName(Cte.type.get(mem, slot));
        problems.push(`I4 slot ${hex(slot)} of an L1 CNode holds a ${name}`);
      }
    }
  }
  for (const slot of missing) {
    problems.push(`I25 slot ${hex(slot)} is in the database, but in no CNode`);
  }
}

/** A dying L1 CNode lies in its own first slot, and what it held may lie in the others. */
function isFitForRoot(caps: Caps, slot: Slot): boolean {
  const type = Cte.type.get(caps.mem, slot);
  return type === ObjType.Null || isAllowedInRoot(type) || isDying(caps, slot);
}

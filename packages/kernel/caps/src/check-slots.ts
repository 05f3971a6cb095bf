/** I4, I9, I25: every slot of this core, seen from the objects that hold slots. */

import { hex } from '@barreleye/core';
import { CTE_BYTES, Cte, capTypeName, Kcb, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { innerSlot, innerSlotCount, isContainer } from './container.ts';
import { isAllowedInRoot, isCNode } from './cspace.ts';
import { isDying, isForeign } from './guard.ts';
import { isEmpty, type Slot, slotAfter } from './slot.ts';
import { eachKcbSlot } from './walk.ts';

/** Check the slots of the KCB and of every container among `entries`, the whole database. */
export function checkSlots(caps: Caps, entries: readonly Slot[], problems: string[]): void {
  const { mem } = caps;
  const missing = new Set(entries);
  const visited = new Set<number>();
  const lines = Kcb.irqEndpoint.at(caps.kcb);
  const areLinesEmpty = mem.isZero(lines, Kcb.irqEndpoint.count * CTE_BYTES);
  for (const slot of eachKcbSlot(caps.kcb)) {
    if (areLinesEmpty && slot >= lines) break;
    if (!mem.isZero(slot, CTE_BYTES)) checkFullSlot(caps, slot, missing, problems);
  }
  for (const holder of entries) {
    const base = Cte.base.get(mem, holder);
    if (!isContainer(mem, holder) || isForeign(caps, holder) || visited.has(base)) continue;
    visited.add(base);
    const isRoot = Cte.type.get(mem, holder) === ObjType.L1CNode;
    const isInRow = isCNode(mem, holder);
    const first = innerSlot(mem, holder, 0);
    const count = innerSlotCount(mem, holder);
    if (isInRow && mem.isZero(first, count * CTE_BYTES)) continue;
    for (let i = 0; i < count; i++) {
      const slot = isInRow ? slotAfter(first, i) : innerSlot(mem, holder, i);
      if (mem.isZero(slot, CTE_BYTES)) continue;
      checkFullSlot(caps, slot, missing, problems);
      if (isRoot) checkRootSlot(caps, slot, problems);
    }
  }
  for (const slot of missing) {
    problems.push(`I25 slot ${hex(slot)} is in the database, but in no CNode`);
  }
}

/** Strike a slot that is not zero off the entries of the database that were not met yet. */
function checkFullSlot(caps: Caps, slot: Slot, missing: Set<Slot>, problems: string[]): void {
  if (isEmpty(caps.mem, slot)) {
    problems.push(`I9 the empty slot ${hex(slot)} is not zero`);
  } else if (!missing.delete(slot)) {
    problems.push(`I25 the full slot ${hex(slot)} is not in the database`);
  }
}

/** A dying L1 CNode lies in its own first slot, and what it held may lie in the others. */
function checkRootSlot(caps: Caps, slot: Slot, problems: string[]): void {
  const type = Cte.type.get(caps.mem, slot);
  if (isAllowedInRoot(type) || isDying(caps, slot)) return;
  problems.push(`I4 slot ${hex(slot)} of an L1 CNode holds a ${capTypeName(type)}`);
}

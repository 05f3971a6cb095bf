/** Iteration, for printers, checkers and tests. Nothing may change while a walk is under way. */

import type { PhysMem, Ptr } from '@barreleye/core';
import { Kcb } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { innerSlot, innerSlotCount } from './container.ts';
import { firstEntry, successor } from './mdb.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** Every capability in the mapping database of this core, in its order. */
export function* eachCap(caps: Caps): Generator<Slot> {
  for (let slot = firstEntry(caps); slot !== NO_SLOT; slot = successor(caps, slot)) yield slot;
}

/** Every slot, full or empty, of the CNode or dispatcher that the capability in `slot` names. */
export function* eachSlot(mem: PhysMem, slot: Slot): Generator<Slot> {
  const count = innerSlotCount(mem, slot);
  for (let i = 0; i < count; i++) yield innerSlot(mem, slot, i);
}

/** Every slot, full or empty, in a kernel control block. */
export function* eachKcbSlot(kcb: Ptr<'Kcb'>): Generator<Slot> {
  yield Kcb.rootCn.at(kcb);
  yield Kcb.monitorEp.at(kcb);
  for (let i = 0; i < Kcb.irqEndpoint.count; i++) yield Kcb.irqEndpoint.at(kcb, i);
}

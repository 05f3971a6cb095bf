/**
 * The life of a slot: filled, entered into the mapping database, moved, taken out, cleared. Every
 * other file changes slots through here, so a slot is full if and only if it is in the database
 * (I25), and an empty slot is all zero (I9).
 */

import { assert, offset } from '@barreleye/core';
import {
  type CapTypeInfo,
  CTE_BYTES,
  Cte,
  CteFlag,
  capTypeInfo,
  type ObjType,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { linkMapping, unlinkMapping } from './mappings.ts';
import { mdbInsert, mdbRemove } from './mdb.ts';
import { firstCopy, otherCopy } from './relations.ts';
import { isEmpty, NO_SLOT, type Slot } from './slot.ts';

/** The first bytes of a slot: what the capability says, its owner and its relations. */
const SAYING_BYTES = Cte.left.offset;
const TRAVELLING_FLAGS =
  CteFlag.RemoteCopies | CteFlag.RemoteAncestors | CteFlag.RemoteDescendants | CteFlag.Locked;

/** Begin a capability in the empty slot `slot`: type, rights, and this core as owner (T12). */
export function startCap(caps: Caps, slot: Slot, type: ObjType, rights: number): void {
  const { mem } = caps;
  assert(isEmpty(mem, slot), 'a full slot is never overwritten (I9)');
  Cte.type.set(mem, slot, type);
  Cte.rights.set(mem, slot, rights);
  Cte.owner.set(mem, slot, caps.coreId);
}

/** Begin a capability in the empty slot `target` that says what `source` says. */
export function startCopy(caps: Caps, source: Slot, target: Slot): void {
  const { mem } = caps;
  assert(isEmpty(mem, target), 'a full slot is never overwritten (I9)');
  assert(!isEmpty(mem, source), 'there is something to copy');
  assert(!typeOf(caps, source).single, 'one capability of each object of the type');
  mem.copyWords(target, source, SAYING_BYTES);
  Cte.flags.set(mem, target, Cte.flags.get(mem, source) & TRAVELLING_FLAGS);
  Cte.level.set(mem, target, 0);
  Cte.endRoot.set(mem, target, 0);
}

/** Enter a capability, begun by one of the above and complete, into the database. */
export function enter(caps: Caps, slot: Slot): void {
  mdbInsert(caps, slot);
  const info = typeOf(caps, slot);
  if (info.mapping) linkMapping(caps, slot);
  if (info.vnode) passTableHead(caps, otherCopy(caps, slot), firstCopy(caps, slot));
}

/** Give `slot` the owner and the relations that other copies of its object have (I29). */
export function adoptRelations(caps: Caps, slot: Slot): void {
  const { mem } = caps;
  const copy = otherCopy(caps, slot);
  if (copy === NO_SLOT) return;
  Cte.owner.set(mem, slot, Cte.owner.get(mem, copy));
  Cte.flags.set(mem, slot, Cte.flags.get(mem, copy) & TRAVELLING_FLAGS);
}

/** Take the capability in `slot` out of the database and empty the slot. */
export function leave(caps: Caps, slot: Slot): void {
  const { mem } = caps;
  const info = typeOf(caps, slot);
  if (info.mapping) unlinkMapping(caps, slot);
  if (info.vnode) passTableHead(caps, slot, otherCopy(caps, slot));
  mdbRemove(caps, slot);
  mem.zero(slot, CTE_BYTES);
}

/** Move the capability in `source` to the empty slot `target`; `source` is empty afterwards. */
export function moveToSlot(caps: Caps, source: Slot, target: Slot): void {
  const { mem } = caps;
  assert(isEmpty(mem, target), 'a full slot is never overwritten (I9)');
  const info = typeOf(caps, source);
  if (info.mapping) unlinkMapping(caps, source);
  const keeper = info.vnode ? firstCopy(caps, source) : NO_SLOT;
  mdbRemove(caps, source);
  mem.copyWords(target, source, CTE_BYTES);
  mem.zero(source, CTE_BYTES);
  mdbInsert(caps, target);
  if (info.mapping) linkMapping(caps, target);
  if (info.vnode) passTableHead(caps, keeper === source ? target : keeper, firstCopy(caps, target));
}

/**
 * Exchange what two slots hold, each the last copy of its object and no mapping. The list that a
 * slot is on goes by slots, so `next` stays where it is.
 */
export function exchangeSlots(caps: Caps, a: Slot, b: Slot): void {
  const { mem } = caps;
  assert(!typeOf(caps, a).mapping && !typeOf(caps, b).mapping, 'mappings are not exchanged');
  mdbRemove(caps, a);
  mdbRemove(caps, b);
  for (let at = 0; at < CTE_BYTES; at += 4) {
    if (at === Cte.next.offset) continue;
    const word = mem.load32(offset(a, at));
    mem.store32(offset(a, at), mem.load32(offset(b, at)));
    mem.store32(offset(b, at), word);
  }
  mdbInsert(caps, a);
  mdbInsert(caps, b);
}

function typeOf(caps: Caps, slot: Slot): CapTypeInfo {
  return capTypeInfo(Cte.type.get(caps.mem, slot));
}

/** The list of what is mapped in a table hangs on one of its capabilities: from one to another. */
function passTableHead(caps: Caps, from: Slot, to: Slot): void {
  const { mem } = caps;
  if (from === NO_SLOT || from === to) return;
  const head = Cte.tableHead.get(mem, from);
  if (head === 0) return;
  assert(to !== NO_SLOT, 'a page table with mappings keeps a capability');
  Cte.tableHead.set(mem, from, 0);
  Cte.tableHead.set(mem, to, head);
}

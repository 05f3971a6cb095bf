/**
 * The two lists of objects that are being deleted, linked through the slots, their ends in the KCB.
 * The delete list is first in, first out: objects whose contents or mappings must go first. The
 * clear list is a stack: containers that are empty. A slot on either list has the InDelete flag,
 * and no other slot has it (I30).
 */

import { assert } from '@barreleye/core';
import { Cte, CteFlag, Kcb } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { linkOf, NO_SLOT, type Slot, slotOfLink } from './slot.ts';

/** The slot to delete next, `NO_SLOT` for none. */
export function deleteHead(caps: Caps): Slot {
  return slotOfLink(Kcb.deleteHead.get(caps.mem, caps.kcb));
}

/** The slot to clear next, `NO_SLOT` for none. */
export function clearHead(caps: Caps): Slot {
  return slotOfLink(Kcb.clearHead.get(caps.mem, caps.kcb));
}

/** Mark the capability in `slot` as being deleted: from now on it is good for nothing else. */
export function mark(caps: Caps, slot: Slot): void {
  const { mem } = caps;
  const flags = Cte.flags.get(mem, slot);
  assert((flags & CteFlag.InDelete) === 0, 'a slot is on one list only');
  Cte.flags.set(mem, slot, flags | CteFlag.InDelete);
  append(caps, slot);
}

/** Take the first slot off the delete list. */
export function dropDeleteHead(caps: Caps): void {
  const { mem, kcb } = caps;
  const head = deleteHead(caps);
  assert(head !== NO_SLOT, 'there is something to delete');
  const next = Cte.next.get(mem, head);
  Cte.next.set(mem, head, 0);
  Kcb.deleteHead.set(mem, kcb, next);
  if (next === 0) Kcb.deleteTail.set(mem, kcb, 0);
}

/** Move the first slot of the delete list to its end. */
export function rotateDeleteList(caps: Caps): void {
  const head = deleteHead(caps);
  dropDeleteHead(caps);
  append(caps, head);
}

/** The first capability of the delete list has moved from `from` to `to`, its link with it. */
export function replaceDeleteHead(caps: Caps, from: Slot, to: Slot): void {
  const { mem, kcb } = caps;
  assert(deleteHead(caps) === from, 'it was the first');
  Kcb.deleteHead.set(mem, kcb, linkOf(to));
  if (Kcb.deleteTail.get(mem, kcb) === linkOf(from)) Kcb.deleteTail.set(mem, kcb, linkOf(to));
}

/** Put a slot that has left the delete list on the clear list. */
export function pushClear(caps: Caps, slot: Slot): void {
  const { mem, kcb } = caps;
  assert(Cte.next.get(mem, slot) === 0, 'a slot is on one list only');
  Cte.next.set(mem, slot, Kcb.clearHead.get(mem, kcb));
  Kcb.clearHead.set(mem, kcb, linkOf(slot));
}

/** Take the first slot off the clear list. */
export function dropClearHead(caps: Caps): void {
  const { mem, kcb } = caps;
  const head = clearHead(caps);
  assert(head !== NO_SLOT, 'there is something to clear');
  Kcb.clearHead.set(mem, kcb, Cte.next.get(mem, head));
  Cte.next.set(mem, head, 0);
}

function append(caps: Caps, slot: Slot): void {
  const { mem, kcb } = caps;
  const tail = slotOfLink(Kcb.deleteTail.get(mem, kcb));
  assert(Cte.next.get(mem, slot) === 0, 'a slot is on one list only');
  if (tail === NO_SLOT) Kcb.deleteHead.set(mem, kcb, linkOf(slot));
  else Cte.next.set(mem, tail, linkOf(slot));
  Kcb.deleteTail.set(mem, kcb, linkOf(slot));
}

/**
 * Mappings: which page-table entries map which object. A mapping is keyed by objects, not by slots
 * (T11): its extent is the mapped object's, so it stands right behind that object in the mapping
 * database, and it names its table by type and address. The way back is a list on the table: the
 * first copy of a table in the order holds the head, and every mapping made in it is a member.
 *
 * So the death of what is mapped and the death of a table find their mappings alike.
 */

import { asPaddr, assert, type Paddr } from '@barreleye/core';
import { Cte, capTypeInfo } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { findObject, firstCopy } from './relations.ts';
import { linkOf, NO_SLOT, type Slot, slotOfLink } from './slot.ts';

/** The first mapping made in the page table of which `table` is a capability. */
export function firstMappingIn(caps: Caps, table: Slot): Slot {
  return slotOfLink(Cte.tableHead.get(caps.mem, firstCopy(caps, table)));
}

/** The mapping behind `mapping` in the list of its table, `NO_SLOT` at the end. */
export function nextMappingIn(caps: Caps, mapping: Slot): Slot {
  return slotOfLink(Cte.tableNext.get(caps.mem, mapping));
}

/** Put the mapping in `slot` on the list of its table. */
export function linkMapping(caps: Caps, slot: Slot): void {
  const { mem } = caps;
  const table = tableOf(caps, slot);
  const next = Cte.tableHead.get(mem, table);
  Cte.tableNext.set(mem, slot, next);
  Cte.tablePrev.set(mem, slot, 0);
  if (next !== 0) Cte.tablePrev.set(mem, slotOfLink(next), linkOf(slot));
  Cte.tableHead.set(mem, table, linkOf(slot));
}

/** Take the mapping in `slot` off the list of its table. */
export function unlinkMapping(caps: Caps, slot: Slot): void {
  const { mem } = caps;
  const next = Cte.tableNext.get(mem, slot);
  const prev = Cte.tablePrev.get(mem, slot);
  if (next !== 0) Cte.tablePrev.set(mem, slotOfLink(next), prev);
  if (prev !== 0) Cte.tableNext.set(mem, slotOfLink(prev), next);
  else Cte.tableHead.set(mem, tableOf(caps, slot), next);
  Cte.tableNext.set(mem, slot, 0);
  Cte.tablePrev.set(mem, slot, 0);
}

/** Clear the entries that the mapping in `slot`, the last copy of it, stands for. */
export function clearEntries(caps: Caps, slot: Slot): void {
  const { mem, hooks } = caps;
  hooks.unmapEntries(
    Cte.iftype.get(mem, slot),
    tableBase(caps, slot),
    Cte.arg0.get(mem, slot),
    Cte.arg1.get(mem, slot),
  );
}

function tableBase(caps: Caps, slot: Slot): Paddr {
  return asPaddr(Cte.bytes.get(caps.mem, slot));
}

/** The capability of the page table of a mapping that holds the head of its list. */
function tableOf(caps: Caps, slot: Slot): Slot {
  const type = Cte.iftype.get(caps.mem, slot);
  const table = findObject(caps, type, tableBase(caps, slot), capTypeInfo(type).bytes);
  assert(table !== NO_SLOT, 'a mapping does not outlive its page table');
  return table;
}

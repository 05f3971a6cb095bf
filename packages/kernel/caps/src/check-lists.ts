/** I30, I47, I48: the delete and clear lists, and the mappings of objects and in tables. */

import { hex } from '@barreleye/core';
import { Cte, capTypeInfo } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { isDying } from './guard.ts';
import { baseOf, bytesOf, isLeafType } from './key.ts';
import { clearHead, deleteHead } from './lists.ts';
import { findObject, firstCopy } from './relations.ts';
import { NO_SLOT, type Slot, slotOfLink } from './slot.ts';

/** Check the lists against `entries`, the whole database. */
export function checkLists(caps: Caps, entries: readonly Slot[], problems: string[]): void {
  const listed = new Set<Slot>();
  for (const head of [deleteHead(caps), clearHead(caps)]) {
    for (let slot = head; slot !== NO_SLOT; slot = slotOfLink(Cte.next.get(caps.mem, slot))) {
      if (listed.has(slot)) {
        problems.push(`I30 slot ${hex(slot)} is on a list twice`);
        break;
      }
      listed.add(slot);
    }
  }
  for (const slot of entries) {
    if (listed.delete(slot) === isDying(caps, slot)) continue;
    problems.push(`I30 slot ${hex(slot)} is on a list without its flag, or the reverse`);
  }
  for (const slot of listed) problems.push(`I30 slot ${hex(slot)} is on a list, but not full`);
  checkLeaves(caps, entries, problems);
}

function checkLeaves(caps: Caps, entries: readonly Slot[], problems: string[]): void {
  const { mem } = caps;
  const mapped = new Set<Slot>();
  for (const slot of entries) {
    const type = Cte.type.get(mem, slot);
    const info = capTypeInfo(type);
    if (info.mapping) mapped.add(slot);
    if (!isLeafType(type)) continue;
    const [host = 0] = info.parents;
    const object = findObject(caps, host, baseOf(mem, slot, type), bytesOf(mem, slot, type));
    if (object === NO_SLOT) problems.push(`I47 ${info.name} in ${hex(slot)} outlives its object`);
  }
  for (const table of entries) {
    if (!capTypeInfo(Cte.type.get(mem, table)).vnode) continue;
    const isFirst = firstCopy(caps, table) === table;
    const head = slotOfLink(Cte.tableHead.get(mem, table));
    if (!isFirst && head !== NO_SLOT) problems.push(`I48 ${hex(table)} holds a second list`);
    for (let slot = head; slot !== NO_SLOT; slot = slotOfLink(Cte.tableNext.get(mem, slot))) {
      const isMember = mapped.delete(slot) && Cte.bytes.get(mem, slot) === Cte.base.get(mem, table);
      if (isMember) continue;
      problems.push(`I48 slot ${hex(slot)} does not belong on the list of ${hex(table)}`);
      break;
    }
  }
  for (const slot of mapped) problems.push(`I48 the mapping in ${hex(slot)} outlives its table`);
}

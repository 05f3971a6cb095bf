/** I10, I13 to I15, I28, I29: what capabilities say about objects fits together. */

import { hex } from '@barreleye/core';
import {
  CAP_TYPE_INFO,
  Cte,
  CteFlag,
  capTypeInfo,
  capTypeName,
  isRetypeEdge,
  type ObjType,
} from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { compareObject, createKey, isLeafType, readKey, rootOf } from './key.ts';
import { endOf } from './mdb.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** Types that can be made from a type in one or more steps. */
const DESCENDANT_TYPES: readonly ReadonlySet<ObjType>[] = CAP_TYPE_INFO.map(({ type }) => {
  const found = new Set<ObjType>();
  const visit = (source: ObjType): void => {
    for (const target of CAP_TYPE_INFO) {
      if (!isRetypeEdge(source, target.type) || found.has(target.type)) continue;
      found.add(target.type);
      visit(target.type);
    }
  };
  visit(type);
  return found;
});

/** Check `entries`, which are in order. */
export function checkObjects(caps: Caps, entries: readonly Slot[], problems: string[]): void {
  for (const slot of entries) checkGranule(caps, slot, problems);
  checkCopies(caps, entries, problems);
  checkNesting(caps, entries, problems);
}

function checkGranule({ mem }: Caps, slot: Slot, problems: string[]): void {
  const info = capTypeInfo(Cte.type.get(mem, slot));
  if (info.granule === 1) return;
  const isBaseValid = Cte.base.get(mem, slot) % info.granule === 0;
  const bytes = Cte.bytes.get(mem, slot);
  const isSizeValid =
    bytes > 0 && (info.bytes === 0 ? bytes % info.granule === 0 : bytes === info.bytes);
  if (isBaseValid && isSizeValid) return;
  problems.push(`I10 the ${info.name} in ${hex(slot)} has a base or size that its type forbids`);
}

/** Copies are neighbours and agree on who owns the object and who else knows it. */
function checkCopies({ mem }: Caps, entries: readonly Slot[], problems: string[]): void {
  const key = createKey();
  const places = new Map<string, number>();
  for (const [index, slot] of entries.entries()) {
    readKey(mem, slot, key);
    const { slot: _, ...object } = key;
    const name = JSON.stringify(object);
    const before = places.get(name);
    places.set(name, index);
    if (before === undefined) continue;
    const other = entries[index - 1] ?? NO_SLOT;
    if (before !== index - 1 || compareObject(mem, key, other) !== 0) {
      problems.push(`I28 copies of the object in ${hex(slot)} are apart`);
      continue;
    }
    const difference = Cte.flags.get(mem, slot) ^ Cte.flags.get(mem, other);
    const isAgreed = Cte.owner.get(mem, slot) === Cte.owner.get(mem, other);
    if (!isAgreed || (difference & ~CteFlag.InDelete) !== 0) {
      problems.push(`I29 the copies in ${hex(other)} and ${hex(slot)} do not agree`);
    }
  }
}

/** Objects in memory are disjoint, or one contains the other and was its origin. */
function checkNesting({ mem }: Caps, entries: readonly Slot[], problems: string[]): void {
  const around: Slot[] = []; // the objects that contain the present place, outermost first
  for (const slot of entries) {
    const type = Cte.type.get(mem, slot);
    if (isLeafType(type) || capTypeInfo(type).granule === 1) continue;
    const base = Cte.base.get(mem, slot);
    while (around.length > 0) {
      const top = around[around.length - 1] as Slot;
      const isPast = rootOf(Cte.type.get(mem, top)) !== rootOf(type) || endOf(mem, top) <= base;
      if (!isPast) break;
      around.pop();
    }
    const outer = around[around.length - 1];
    around.push(slot);
    if (outer === undefined) continue;
    const outerType = Cte.type.get(mem, outer);
    const outerName = `${capTypeName(outerType)} in ${hex(outer)}`;
    const names = `${outerName} and ${capTypeName(type)} in ${hex(slot)}`;
    if (endOf(mem, slot) > endOf(mem, outer)) problems.push(`I13 ${names} overlap`);
    const isCopy =
      outerType === type &&
      Cte.base.get(mem, outer) === base &&
      endOf(mem, outer) === endOf(mem, slot);
    const isDerived = isCopy || (DESCENDANT_TYPES[outerType] as ReadonlySet<ObjType>).has(type);
    if (!isDerived) problems.push(`I14 ${names} nest, but the one is not made from the other`);
  }
}

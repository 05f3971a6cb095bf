/** I10, I13 to I15, I28, I29: what capabilities say about objects fits together. */

import { hex } from '@barreleye/core';
import { Cte, CteFlag, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { type Entry, isMadeFrom, isSameObject } from './check-entry.ts';

/** Check `entries`, which are in order. */
export function checkObjects(caps: Caps, entries: readonly Entry[], problems: string[]): void {
  for (const entry of entries) checkGranule(caps, entry, problems);
  checkCopies(caps, entries, problems);
  checkNesting(entries, problems);
}

function checkGranule({ mem }: Caps, { slot, info }: Entry, problems: string[]): void {
  if (info.granule === 1) return;
  const isBaseValid = Cte.base.get(mem, slot) % info.granule === 0;
  const bytes = Cte.bytes.get(mem, slot);
  const isSizeValid =
    bytes > 0 && (info.bytes === 0 ? bytes % info.granule === 0 : bytes === info.bytes);
  if (isBaseValid && isSizeValid) return;
  problems.push(`I10 the ${info.name} in ${hex(slot)} has a base or size that its type forbids`);
}

/** Copies are neighbours and agree on who owns the object and who else knows it. */
function checkCopies({ mem }: Caps, entries: readonly Entry[], problems: string[]): void {
  const places = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const { type, base, end, isLeaf, table, arg0, arg1, slot } = entry;
    const name = `${type} ${base} ${end} ${isLeaf ? `${table} ${arg0} ${arg1}` : ''}`;
    const before = places.get(name);
    places.set(name, index);
    if (before === undefined) continue;
    const other = entries[index - 1] as Entry;
    if (!isSameObject(entry, other)) {
      problems.push(`I28 copies of the object in ${hex(slot)} are apart`);
      continue;
    }
    const difference = entry.flags ^ other.flags;
    const isAgreed = Cte.owner.get(mem, slot) === Cte.owner.get(mem, other.slot);
    if (!isAgreed || (difference & ~CteFlag.InDelete) !== 0) {
      problems.push(`I29 the copies in ${hex(other.slot)} and ${hex(slot)} do not agree`);
    }
  }
}

/** Objects in memory are disjoint, or one contains the other and was its origin. */
function checkNesting(entries: readonly Entry[], problems: string[]): void {
  const around: Entry[] = []; // the objects that contain the present place, outermost first
  for (const entry of entries) {
    if (entry.isLeaf || entry.info.granule === 1) continue;
    while (around.length > 0) {
      const top = around[around.length - 1] as Entry;
      if (top.info.root === entry.info.root && top.end > entry.base) break;
      around.pop();
    }
    const outer = around[around.length - 1];
    around.push(entry);
    if (outer !== undefined) checkPair(entry, outer, problems);
  }
}

/** `entry` begins inside `outer`. */
function checkPair(entry: Entry, outer: Entry, problems: string[]): void {
  const nameOf = ({ info, slot }: Entry): string => `${info.name} in ${hex(slot)}`;
  const names = `${nameOf(outer)} and ${nameOf(entry)}`;
  if (entry.end > outer.end) problems.push(`I13 ${names} overlap`);
  if (isSameObject(entry, outer) || isMadeFrom(entry, outer)) return;
  const areFinal = isFinal(outer.type) && isFinal(entry.type) && outer.type !== entry.type;
  if (areFinal) problems.push(`I15 ${names} claim the same memory`);
  if (entry.end <= outer.end) {
    problems.push(`I14 ${names} nest, but the one is not made from the other`);
  }
}

/** Whether memory of this type is in use as what it is: user mode or the kernel reads it. */
function isFinal(type: ObjType): boolean {
  return type !== ObjType.PhysAddr && type !== ObjType.RAM;
}

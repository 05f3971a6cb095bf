/** I2, I3, I6, I17, I31: where the capabilities that a step has made come from. */

import { asPaddr, hex } from '@barreleye/core';
import { type CapTypeInfo, isRetypeEdge, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { type Entry, hangsOn, isBusyEntry, isSameObject, isWithin } from './check-entry.ts';
import type { Step } from './check-step.ts';
import type { RamRegion } from './free-ram.ts';

/** How many bytes at the start of a new object of a type must be zero. */
export type ZeroBytes = (info: CapTypeInfo, bytes: number) => number;

/** What there was before a step. */
export interface Origins {
  readonly entries: readonly Entry[];
  /** RAM that waited to be collected. */
  readonly freeRam: readonly RamRegion[];
}

/** Check the entries `made`, each with another in its slot before, or none. */
export function checkOrigins(
  caps: Caps,
  { entries: before, freeRam }: Origins,
  made: readonly Entry[],
  step: Step,
  zeroBytes: ZeroBytes,
  problems: string[],
): void {
  let mappingCount = 0;
  for (const entry of made) {
    const copies = before.filter((other) => isSameObject(other, entry));
    const sources = before.filter((other) => isSource(other, entry));
    const isNew = copies.length === 0;
    if (entry.info.mapping && isNew) mappingCount += 1;
    const isCollected = step.kind === 'reclaim' && isAmong(entry, freeRam);
    if (!isCollected) checkAuthority(entry, copies, sources, step, problems);
    if (isNew) checkZeroed(caps, entry, sources, zeroBytes, problems);
  }
  if (mappingCount > (step.kind === 'map' ? 1 : 0)) {
    problems.push(`I3 a step of kind ${step.kind} has made ${mappingCount} mappings`);
  }
}

/** Whether `entry` is RAM for exactly one of these regions. */
function isAmong({ type, base, end }: Entry, regions: readonly RamRegion[]): boolean {
  return type === ObjType.RAM && regions.some((r) => r.base === base && r.base + r.bytes === end);
}

/** Whether one operation on `source` makes what `entry` names. */
function isSource(source: Entry, entry: Entry): boolean {
  if (entry.isLeaf) return hangsOn(entry, source);
  if (entry.type === ObjType.IRQDest && source.type === ObjType.IRQTable) return true;
  const isEdge = isRetypeEdge(source.type, entry.type);
  const isNarrowed = entry.type === source.type && entry.info.identity === 'range';
  return (isEdge || isNarrowed) && isWithin(entry, source);
}

function checkAuthority(
  entry: Entry,
  copies: readonly Entry[],
  sources: readonly Entry[],
  step: Step,
  problems: string[],
): void {
  const what = `the ${entry.info.name} in ${hex(entry.slot)}`;
  const isIdentifier = entry.type === ObjType.ID && step.kind === 'create';
  if (isIdentifier) return;
  if (copies.length === 0 && sources.length === 0) {
    problems.push(`I2 ${what} comes from nothing`);
    return;
  }
  // An object of another type starts with all rights; the same type has what its source has.
  const giver = [...copies, ...sources].filter(
    ({ type, rights }) =>
      (type !== entry.type && !entry.info.mapping) || (entry.rights & ~rights) === 0,
  );
  if (giver.length === 0) problems.push(`I6 ${what} has more rights than it was made from`);
  else if (giver.every(isBusyEntry)) problems.push(`I31 ${what} comes from something busy`);
}

function checkZeroed(
  { mem }: Caps,
  entry: Entry,
  sources: readonly Entry[],
  zeroBytes: ZeroBytes,
  problems: string[],
): void {
  const { info, base, end, slot } = entry;
  // Part of a frame keeps what is in it (T19).
  if (!info.zeroed || sources.some(({ type }) => type === entry.type)) return;
  const bytes = zeroBytes(info, end - base);
  if (mem.contains(base, bytes) && mem.isZero(asPaddr(base), bytes)) return;
  problems.push(`I17 the memory of the ${info.name} in ${hex(slot)} is not zero`);
}

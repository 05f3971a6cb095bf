/**
 * I5, I23, I32, I33: what lookups and queries answer is what a search through all slots and all
 * entries answers. The searches are quadratic, so of many entries some are asked about.
 */

import { hex } from '@barreleye/core';
import { CTE_BYTES, Cte, Err, L2_CNODE_BITS, L2_CNODE_SLOTS, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { type Entry, isMadeFrom, isSameObject, readEntry } from './check-entry.ts';
import { lookupSlot } from './cspace.ts';
import { createRangeAnswer, findRange, RangeClass } from './mdb-range.ts';
import { hasCopies, hasDescendants } from './relations.ts';
import { errorOf, isError, slotOf } from './slot.ts';

/** So many entries are asked about: all of a test's, some of a whole system's. */
const MAX_ASKED = 40;

/** Check queries against `entries`, the whole database. */
export function checkQueries(caps: Caps, entries: readonly Entry[], problems: string[]): void {
  const stride = Math.max(1, Math.ceil(entries.length / MAX_ASKED));
  for (let i = 0; i < entries.length; i += stride) {
    const entry = entries[i] as Entry;
    checkRelatives(caps, entries, entry, problems);
    if (entry.isLeaf) continue;
    const { base, end } = entry;
    const middle = base + Math.floor((end - base) / 2);
    checkRange(caps, entries, entry, base, end, problems);
    checkRange(caps, entries, entry, middle, end + 1, problems);
    checkRange(caps, entries, entry, Math.max(0, base - 1), middle, problems);
    if (entry.info.identity === 'region') checkGaps(caps, entries, entry, problems);
    if (entry.type === ObjType.L1CNode) checkLookups(caps, entry, problems);
  }
}

function checkRelatives(
  caps: Caps,
  entries: readonly Entry[],
  entry: Entry,
  problems: string[],
): void {
  const { slot, info, type, base, end } = entry;
  const isParent = entries.some((other) => isMadeFrom(other, entry));
  if (hasDescendants(caps, slot) !== isParent) {
    problems.push(`I32 the ${info.name} in ${hex(slot)} has descendants: ${isParent}`);
  }
  if (entry.isLeaf) return;
  const isShared = entries.some(
    (other) => other !== entry && other.type === type && other.base === base && other.end === end,
  );
  if (hasCopies(caps, slot) !== isShared) {
    problems.push(`I33 the ${info.name} in ${hex(slot)} has copies: ${isShared}`);
  }
}

/** Compare a range query with a search. */
function checkRange(
  caps: Caps,
  entries: readonly Entry[],
  { type, info }: Entry,
  from: number,
  end: number,
  problems: string[],
): void {
  if (from >= end) return;
  let expected: RangeClass = RangeClass.NotFound;
  for (const other of entries) {
    if (other.isLeaf || other.info.root !== info.root) continue;
    if (other.end <= from || other.base >= end) continue;
    const covers = other.base <= from && other.end >= end;
    const isInner = other.base >= from && other.end <= end;
    const found = covers ? RangeClass.Surrounding : isInner ? RangeClass.Inner : RangeClass.Partial;
    if (found > expected) expected = found;
  }
  const answer = createRangeAnswer();
  findRange(caps, type, from, end - from, answer);
  if (answer.kind === expected) return;
  const range = `[${hex(from)}, ${hex(end)}) of ${info.name}`;
  problems.push(`I33 the range ${range} is of class ${expected}, the answer is ${answer.kind}`);
}

/** What no child of a region covers can be retyped: to a query, only the region covers it. */
function checkGaps(caps: Caps, entries: readonly Entry[], entry: Entry, problems: string[]): void {
  const answer = createRangeAnswer();
  let free = entry.base;
  const checkGap = (end: number): void => {
    if (end <= free) return;
    findRange(caps, entry.type, free, end - free, answer);
    const isSurrounded = answer.kind === RangeClass.Surrounding;
    if (isSurrounded && isSameObject(readEntry(caps, answer.slot), entry)) return;
    problems.push(`I23 [${hex(free)}, ${hex(end)}) of ${hex(entry.slot)} is free, but seems taken`);
  };
  for (const child of entries) {
    if (child.isLeaf || !isMadeFrom(child, entry)) continue;
    checkGap(child.base);
    free = Math.max(free, child.end);
  }
  checkGap(entry.end);
}

/** The first address beyond an L1 CNode leads nowhere, the last leads into the right CNode. */
function checkLookups(caps: Caps, entry: Entry, problems: string[]): void {
  const { slot } = entry;
  const count = (entry.end - entry.base) / CTE_BYTES;
  for (const level of [1, 2]) {
    const beyond = lookupSlot(caps, slot, (count << L2_CNODE_BITS) >>> 0, level, 0);
    if (!isError(beyond) || errorOf(beyond) !== Err.SYS_ERR_L1_CNODE_INDEX) {
      problems.push(`I5 a lookup goes on beyond the end of the CNode in ${hex(slot)}`);
    }
  }
  for (let i = 0; i < count; i++) {
    const found = lookupSlot(caps, slot, i << L2_CNODE_BITS, 1, 0);
    if (isError(found)) continue;
    const inner = slotOf(found);
    if (inner !== entry.base + i * CTE_BYTES) problems.push(`I5 a lookup leaves ${hex(slot)}`);
    if (Cte.type.get(caps.mem, inner) !== ObjType.L2CNode) continue;
    const last = lookupSlot(caps, slot, ((i + 1) << L2_CNODE_BITS) - 1, 2, 0);
    const place = Cte.base.get(caps.mem, inner) + (L2_CNODE_SLOTS - 1) * CTE_BYTES;
    if (!isError(last) && last !== place) problems.push(`I5 a lookup leaves ${hex(inner)}`);
  }
}

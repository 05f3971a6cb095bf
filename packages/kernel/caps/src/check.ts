/**
 * The invariants of a core's capabilities, as code. Every line that comes back starts with the
 * number of the invariant that is broken and says where. For tests and `explore`: it walks all.
 *
 * I4 what an L1 CNode holds; I9 empty slots are zero; I10 granules; I13 to I15 objects nest as they
 * derive; I25 a slot is full if and only if it is in the database; I26 order, levels and ends;
 * I28 copies are neighbours; I29 and agree; I30 the lists; I47, I48 mappings live no longer than
 * what they map and their table.
 */

import type { Caps } from './caps.ts';
import { checkLists } from './check-lists.ts';
import { checkObjects } from './check-objects.ts';
import { checkSlots } from './check-slots.ts';
import { checkTree } from './check-tree.ts';

/** Violated invariants of this core's capabilities; empty when all is well. */
export function checkMdb(caps: Caps): string[] {
  const problems: string[] = [];
  const entries = checkTree(caps, problems);
  // With a broken tree the rest would only repeat it, if it came to an end at all.
  if (problems.length > 0) return problems;
  checkObjects(caps, entries, problems);
  checkSlots(caps, entries, problems);
  checkLists(caps, entries, problems);
  return problems;
}

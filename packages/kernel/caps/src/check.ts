/**
 * The invariants of a core's capabilities, as code. Every line that comes back starts with the
 * number of the invariant that is broken and says where. For tests and `explore`: it walks all.
 * What an operation may make of the state before it is in check-step.ts.
 */

import { CAP_TYPE_INFO } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { readEntry } from './check-entry.ts';
import { checkLists } from './check-lists.ts';
import { checkObjects } from './check-objects.ts';
import { checkQueries } from './check-queries.ts';
import { checkSlots } from './check-slots.ts';
import { checkTree } from './check-tree.ts';
import { checkTypes } from './check-types.ts';

/** Invariants that `checkCaps` looks at. */
export const MDB_INVARIANTS = [
  ...['I1', 'I3', 'I18'], // check-types.ts
  ...['I26'], // check-tree.ts
  ...['I10', 'I13', 'I14', 'I15', 'I28', 'I29'], // check-objects.ts
  ...['I4', 'I9', 'I25'], // check-slots.ts
  ...['I30', 'I47', 'I48'], // check-lists.ts
  ...['I5', 'I23', 'I32', 'I33'], // check-queries.ts
] as const;

/** Violated invariants of this core's capabilities; empty when all is well. */
export function checkCaps(caps: Caps): string[] {
  const problems: string[] = [];
  checkTypes(CAP_TYPE_INFO, problems);
  const slots = checkTree(caps, problems);
  // With a broken tree the rest would only repeat it, if it came to an end at all.
  if (problems.length > 0) return problems;
  const entries = slots.map((slot) => readEntry(caps, slot));
  checkObjects(caps, entries, problems);
  checkSlots(caps, slots, problems);
  checkLists(caps, slots, problems);
  // Queries over objects that do not fit together may answer anything.
  if (problems.length === 0) checkQueries(caps, entries, problems);
  return problems;
}

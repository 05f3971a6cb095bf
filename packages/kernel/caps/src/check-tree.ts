/** I26: the tree is in order, balanced, and knows how far its extents reach. */

import { hex } from '@barreleye/core';
import { Cte, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { compareToSlot, createKey, readKey, rootOf } from './key.ts';
import { endOf, leftOf, mdbRoot, rightOf } from './mdb.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** All entries in order. Problems are added to `problems`; after the first, entries may lack. */
export function checkTree(caps: Caps, problems: string[]): Slot[] {
  const entries: Slot[] = [];
  collect(caps, mdbRoot(caps), entries, new Set(), problems);
  if (problems.length > 0) return entries;
  checkOrder(caps, entries, problems);
  for (const slot of entries) checkLevels(caps, slot, problems);
  checkEnds(caps, mdbRoot(caps), problems);
  return entries;
}

function collect(
  caps: Caps,
  node: Slot,
  entries: Slot[],
  seen: Set<Slot>,
  problems: string[],
): void {
  if (node === NO_SLOT) return;
  const isEmpty = Cte.type.get(caps.mem, node) === ObjType.Null;
  if (isEmpty) problems.push(`I25 the empty slot ${hex(node)} is in the tree`);
  if (seen.has(node)) problems.push(`I26 slot ${hex(node)} is in the tree twice`);
  if (isEmpty || seen.has(node)) return;
  seen.add(node);
  collect(caps, leftOf(caps.mem, node), entries, seen, problems);
  entries.push(node);
  collect(caps, rightOf(caps.mem, node), entries, seen, problems);
}

function checkOrder(caps: Caps, entries: readonly Slot[], problems: string[]): void {
  const key = createKey();
  let before = NO_SLOT;
  for (const slot of entries) {
    if (before !== NO_SLOT) {
      readKey(caps.mem, before, key);
      if (compareToSlot(caps.mem, key, slot) >= 0) {
        problems.push(`I26 slot ${hex(before)} does not stand before ${hex(slot)}`);
      }
    }
    before = slot;
  }
}

/** The level rules of an AA tree. */
function checkLevels({ mem }: Caps, node: Slot, problems: string[]): void {
  const level = Cte.level.get(mem, node);
  const left = leftOf(mem, node);
  const right = rightOf(mem, node);
  const levelOf = (slot: Slot): number => (slot === NO_SLOT ? -1 : Cte.level.get(mem, slot));
  const rules = [
    [levelOf(left) === level - 1, 'its left child is not one level lower'],
    [levelOf(right) === level || levelOf(right) === level - 1, 'its right child has a wrong level'],
    [right === NO_SLOT || levelOf(rightOf(mem, right)) < level, 'three nodes share a level'],
  ] as const;
  for (const [holds, what] of rules) if (!holds) problems.push(`I26 slot ${hex(node)}: ${what}`);
}

/** Recompute the furthest end of the last root below every node. */
function checkEnds(caps: Caps, node: Slot, problems: string[]): { root: number; end: number } {
  if (node === NO_SLOT) return { root: -1, end: 0 };
  const { mem } = caps;
  const candidates = [
    checkEnds(caps, leftOf(mem, node), problems),
    { root: rootOf(Cte.type.get(mem, node)), end: endOf(mem, node) },
    checkEnds(caps, rightOf(mem, node), problems),
  ];
  const root = Math.max(...candidates.map((c) => c.root));
  const end = Math.max(...candidates.filter((c) => c.root === root).map((c) => c.end));
  if (Cte.endRoot.get(mem, node) !== root || Cte.end.get(mem, node) !== end) {
    problems.push(`I26 slot ${hex(node)}: the end below it is ${hex(end)} of root ${root}`);
  }
  return { root, end };
}

/**
 * The mapping database beside two ways of keeping things in order that need no tree of ours: a
 * sorted array, and the B+ tree of the npm package sorted-btree. Both hold capabilities as objects
 * and compare them as the database does.
 */
import sortedBtree from 'sorted-btree';
import type { Bench, Trial } from '../bench.ts';
import { CapSpace } from '../cap-space.ts';
import { lookup, move } from '../operations.ts';
import { label } from '../sizes.ts';
import { type CapKey, compareKeys, keyOf, SortedArray } from '../sorted-caps.ts';

const { default: BTree } = sortedBtree;

const CAPABILITIES = 1e5;
const CALLS = 256;

/** What both can do. */
interface Structure {
  get(key: CapKey): CapKey | undefined;
  insert(key: CapKey): void;
  remove(key: CapKey): void;
}

const STRUCTURES = [
  { name: 'sorted array', create: (keys: readonly CapKey[]) => new SortedArray(keys) },
  { name: 'sorted-btree', create: createBTree },
] as const;

export const benches: readonly Bench[] = STRUCTURES.flatMap(({ name, create }): Bench[] => [
  {
    name: `mdb lookup at ${label(CAPABILITIES)}, ${name}`,
    unit: 'ns/op',
    baselineName: name,
    setup: () => setupLookup(create),
  },
  {
    name: `mdb delete+insert at ${label(CAPABILITIES)}, ${name}`,
    unit: 'ns/op',
    baselineName: name,
    setup: () => setupMove(create),
  },
]);

function createBTree(keys: readonly CapKey[]): Structure {
  const tree = new BTree<CapKey, CapKey>(undefined, compareKeys);
  for (const key of keys) tree.set(key, key);
  return {
    get: (key) => tree.get(key),
    insert: (key) => void tree.set(key, key),
    remove: (key) => void tree.delete(key),
  };
}

function setupLookup(create: (keys: readonly CapKey[]) => Structure): Trial {
  const space = new CapSpace(CAPABILITIES);
  const structure = create(keysOf(space).keys);
  const wanted = keyOf(space, 0);
  const sums = new Float64Array(1);
  return {
    operations: CALLS,
    subject: lookup(space, CALLS),
    baseline: () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) {
        const page = space.draw();
        wanted.base = space.baseOf(page);
        wanted.bytes = space.bytesOf(page);
        wanted.slot = space.slotOf(page);
        sum += structure.get(wanted)?.slot ?? 0;
      }
      sums[0] = sum;
    },
  };
}

function setupMove(create: (keys: readonly CapKey[]) => Structure): Trial {
  const space = new CapSpace(CAPABILITIES);
  const { keys, indexOf } = keysOf(space);
  const structure = create(keys);
  let empty: number = space.emptySlot(0, 0);
  return {
    operations: CALLS,
    subject: move(space, CALLS),
    baseline: () => {
      for (let i = 0; i < CALLS; i++) {
        const key = keys[indexOf[space.draw()] as number] as CapKey;
        structure.remove(key);
        const slot = key.slot;
        key.slot = empty;
        empty = slot;
        structure.insert(key);
      }
    },
  };
}

/** Capabilities, made in the order in which the space made them, and where each page is. */
function keysOf(space: CapSpace): { keys: CapKey[]; indexOf: Uint32Array } {
  const pages = Uint32Array.from({ length: space.count }, (_, page) => page);
  pages.sort((a, b) => space.slotOf(a) - space.slotOf(b));
  const keys = Array.from(pages, (page) => keyOf(space, page));
  const indexOf = new Uint32Array(space.count);
  for (const [index, page] of pages.entries()) indexOf[page] = index;
  return { keys, indexOf };
}

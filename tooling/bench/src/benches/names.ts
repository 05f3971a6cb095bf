/**
 * Names of the name service beside the same names in the B+ tree of the npm package sorted-btree:
 * looked up, registered and freed, and listed by a prefix.
 */
import { Prng } from '@barreleye/core';
import { Registry } from '@barreleye/nameservice';
import sortedBtree from 'sorted-btree';
import type { Bench, Trial } from '../bench.ts';
import { label } from '../sizes.ts';

const { default: BTree } = sortedBtree;

const SIZES = [100, 1000, 10_000];
const CALLS = 256;
/** Names that a listing shows: those with one prefix. */
const LISTED = 10;
const OWNER = 'owner';
const BASELINE = 'sorted-btree';

/** Some names, and who has them: the registry, and the tree. */
interface Names {
  readonly names: readonly string[];
  readonly registry: Registry<string, number>;
  readonly tree: InstanceType<typeof BTree<string, number>>;
  /** A name that is taken, or one that is not. */
  readonly any: () => string;
}

export const benches: readonly Bench[] = SIZES.flatMap((size): Bench[] => [
  row('lookup', size, setupLookup),
  row('register+deregister', size, setupRegister),
  row(`list of ${LISTED}`, size, setupList),
]);

function row(operation: string, size: number, setup: (names: Names) => Trial): Bench {
  return {
    name: `names ${operation} at ${label(size)}`,
    unit: 'ns/op',
    baselineName: BASELINE,
    family: `names ${operation}`,
    size,
    setup: () => setup(createNames(size)),
  };
}

function createNames(size: number): Names {
  const prng = new Prng(1);
  const registry = new Registry<string, number>(Number.POSITIVE_INFINITY);
  const tree = new BTree<string, number>();
  const names = Array.from({ length: size }, (_, i) => nameOf(i));
  for (const at of shuffled(size, prng)) {
    registry.register(OWNER, nameOf(at), at);
    tree.set(nameOf(at), at);
  }
  return { names, registry, tree, any: () => names[prng.below(size)] as string };
}

/** `service/00012/3`: ten names to a prefix. */
function nameOf(i: number): string {
  return `service/${String(Math.floor(i / LISTED)).padStart(5, '0')}/${i % LISTED}`;
}

function shuffled(count: number, prng: Prng): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const at = prng.below(i + 1);
    [order[i], order[at]] = [order[at] as number, order[i] as number];
  }
  return order;
}

function setupLookup({ registry, tree, any }: Names): Trial {
  const sums = new Float64Array(2);
  return {
    operations: CALLS,
    subject: () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) {
        const found = registry.lookup(any());
        if (found.ok) sum += found.value.entry;
      }
      sums[0] = sum;
    },
    baseline: () => {
      let sum = 0;
      for (let i = 0; i < CALLS; i++) sum += tree.get(any()) ?? 0;
      sums[1] = sum;
    },
  };
}

function setupRegister({ registry, tree, any }: Names): Trial {
  return {
    operations: CALLS,
    subject: () => {
      for (let i = 0; i < CALLS; i++) {
        const name = any();
        registry.deregister(OWNER, name);
        registry.register(OWNER, name, i);
      }
    },
    baseline: () => {
      for (let i = 0; i < CALLS; i++) {
        const name = any();
        tree.delete(name);
        tree.set(name, i);
      }
    },
  };
}

function setupList({ registry, tree, any }: Names): Trial {
  const counts = new Float64Array(2);
  return {
    operations: CALLS,
    subject: () => {
      let count = 0;
      for (let i = 0; i < CALLS; i++) count += registry.list({ prefix: any().slice(0, -1) }).length;
      counts[0] = count;
    },
    baseline: () => {
      let count = 0;
      for (let i = 0; i < CALLS; i++) {
        const prefix = any().slice(0, -1);
        const listed: number[] = [];
        tree.forRange(prefix, `${prefix}\uffff`, false, (_, value) => void listed.push(value));
        count += listed.length;
      }
      counts[1] = count;
    },
  };
}

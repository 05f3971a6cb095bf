/**
 * The record of the memory manager, without capabilities: blocks of 1 to 16 pages replaced at
 * random while 1e3 to 1e6 of them are held, so an operation is an allocation or a release.
 *
 * `mm mixed` is a map of pages, which does the same work as what stands beside it: a best-fit
 * allocator with a red-black tree in C, and three allocators of npm. `mm store` is the whole record
 * over such a map, with regions, 52-bit addresses and a limit of nodes; it is then asked in other
 * manners. At last what capabilities add to it.
 */
import type { Bench, Trial } from '../bench.ts';
import { CProgram } from '../c-program.ts';
import { CapSpace, SEED } from '../cap-space.ts';
import { createBuddy, createMalloc, createThing } from '../npm-allocators.ts';
import { retypeAndDelete } from '../operations.ts';
import {
  type BlockKeeper,
  IndexKeeper,
  type Manner,
  MapKeeper,
  PageBlocks,
} from '../page-blocks.ts';
import { label, SIZES } from '../sizes.ts';

const CALLS = 256;
/** Memory is cut up before anything is measured, by at least so many replacements. */
const AGEING = 1e5;

/** The time of @thi.ng/malloc is linear in the blocks, so it can only be made a little older. */
const NPM = [
  { name: 'npm malloc', create: createMalloc, ageing: 1e5 },
  { name: 'npm alloc', create: createBuddy, ageing: 1e5 },
  { name: '@thi.ng/malloc', create: createThing, ageing: 1e3 },
] as const;

const MANNERS: readonly Manner[] = ['aligned', 'in a range', 'in parts'];

export const benches: readonly Bench[] = [
  ...SIZES.map(
    (size): Bench => ({
      name: `mm mixed at ${label(size)}`,
      unit: 'ns/op',
      baselineName: 'best fit in C',
      family: 'mm mixed',
      size,
      setup: () => setupBesideC(size),
    }),
  ),
  ...NPM.map(
    ({ name, create, ageing }): Bench => ({
      name: `mm mixed at 1e5, ${name}`,
      unit: 'ns/op',
      baselineName: name,
      nodeFlags: ['--no-deprecation'],
      setup: () => ({
        operations: 2 * CALLS,
        subject: replacing(1e5, new MapKeeper(1e5)),
        baseline: replacing(1e5, create(1e5), ageing),
      }),
    }),
  ),
  ...SIZES.map(
    (size): Bench => ({
      name: `mm store at ${label(size)}`,
      unit: 'ns/op',
      baselineName: 'mm mixed',
      family: 'mm store',
      size,
      setup: () => ({
        operations: 2 * CALLS,
        subject: replacing(size, new IndexKeeper(size)),
        baseline: replacing(size, new MapKeeper(size)),
      }),
    }),
  ),
  ...MANNERS.flatMap((manner) =>
    SIZES.map(
      (size): Bench => ({
        name: `mm ${manner} at ${label(size)}`,
        unit: 'ns/op',
        baselineName: 'mm store',
        family: `mm ${manner}`,
        size,
        setup: () => ({
          operations: 2 * CALLS,
          subject: replacing(size, new IndexKeeper(size, manner)),
          baseline: replacing(size, new IndexKeeper(size)),
        }),
      }),
    ),
  ),
  {
    name: 'mm capabilities at 1e5',
    unit: 'ns/op',
    baselineName: 'mm store',
    setup: () => ({
      // A pair of operations of the record belongs to one retype and one delete.
      operations: CALLS,
      subject: retypeAndDelete(new CapSpace(1e5), CALLS),
      baseline: replacing(1e5, new IndexKeeper(1e5)),
    }),
  },
];

function setupBesideC(size: number): Trial | string {
  const program = CProgram.start(['best-fit.c'], [size, SEED]);
  if (typeof program === 'string') return program;
  return {
    operations: 2 * CALLS,
    subject: replacing(size, new MapKeeper(size)),
    baseline: program.gauge('mixed'),
    teardown: () => program.stop(),
  };
}

/** Replaces `CALLS` blocks of the `size` that `keeper` holds. */
function replacing(size: number, keeper: BlockKeeper, ageing = Math.max(size, AGEING)): () => void {
  const blocks = new PageBlocks(size);
  blocks.fill(keeper, ageing);
  return () => blocks.replace(keeper, CALLS);
}

/**
 * The index of the memory manager, without capabilities: blocks of 1 to 16 pages replaced at
 * random while 1e3 to 1e6 of them are held, so an operation is an allocation or a release. Beside
 * it a best-fit allocator with a red-black tree in C, and three allocators of npm. Then the index
 * asked in its other manners, beside itself; and what capabilities add to it.
 *
 * @thi.ng/malloc is measured at 1e3 only: its time is linear in the blocks, and at 1e5 the filling
 * alone would take minutes.
 */
import type { Bench, Trial } from '../bench.ts';
import { CProgram } from '../c-program.ts';
import { CapSpace, SEED } from '../cap-space.ts';
import { createBuddy, createMalloc, createThing } from '../npm-allocators.ts';
import { retypeAndDelete } from '../operations.ts';
import { type BlockKeeper, IndexKeeper, type Manner, PageBlocks } from '../page-blocks.ts';
import { label, SIZES } from '../sizes.ts';

const CALLS = 256;
/** Memory is cut up before anything is measured, by at least so many replacements. */
const AGEING = 1e5;

const NPM = [
  { name: 'npm malloc', size: 1e5, create: createMalloc },
  { name: 'npm alloc', size: 1e5, create: createBuddy },
  { name: '@thi.ng/malloc', size: 1e3, create: createThing },
] as const;

/** Not yet logarithmic: at 1e5 a round would take seconds. */
const ALIGNED_SIZES = SIZES.filter((size) => size <= 1e4);

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
    ({ name, size, create }): Bench => ({
      name: `mm mixed at ${label(size)}, ${name}`,
      unit: 'ns/op',
      baselineName: name,
      nodeFlags: ['--no-deprecation'],
      setup: () => ({
        operations: 2 * CALLS,
        subject: replacing(size, new IndexKeeper(size)),
        baseline: replacing(size, create(size), size),
      }),
    }),
  ),
  ...MANNERS.flatMap((manner) =>
    (manner === 'aligned' ? ALIGNED_SIZES : SIZES).map(
      (size): Bench => ({
        name: `mm ${manner} at ${label(size)}`,
        unit: 'ns/op',
        baselineName: 'mm mixed',
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
    baselineName: 'mm mixed',
    setup: () => ({
      // A pair of operations of the index belongs to one retype and one delete.
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
    subject: replacing(size, new IndexKeeper(size)),
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

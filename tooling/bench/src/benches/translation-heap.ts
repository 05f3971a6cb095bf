/**
 * What a million translations cost the JavaScript heap, which should be nothing: hits of the TLB,
 * and misses, each of which walks and fills. Beside it, a loop that makes one small object each.
 */
import { Mmu } from '@barreleye/machine';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { Access } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { MappedMemory } from '../mapped-memory.ts';
import { allocating } from '../sides.ts';

const OPERATIONS = 1e6;
const CALLS = 1000;
const BASE = 0x80_0000_0000;
const SEED = 1;
const { Read } = Access;

export const benches: readonly Bench[] = [
  // So many that fit the TLB, and so many that they push each other out of it in every round.
  bench('heap churn of a TLB hit', 256),
  bench('heap churn of a TLB miss', 2048),
];

function bench(name: string, pageCount: number): Bench {
  const unit = 'B/op';
  return { name, unit, baselineName: 'an object each', setup: () => setup(pageCount) };
}

function setup(pageCount: number): Trial {
  const { mem, root } = new MappedMemory(pagingX86_64, BASE, pageCount, SEED);
  const mmu = new Mmu(mem, pagingX86_64);
  mmu.root = root;
  const sums = new Float64Array(1);
  const state = { page: 0 };
  const last: { object: object } = { object: {} };
  const times = OPERATIONS / CALLS;
  return {
    operations: CALLS,
    rounds: 3,
    subject: allocating({
      call: () => {
        let { page } = state;
        let sum = 0;
        for (let i = 0; i < CALLS; i++) {
          page = (page + 1) % pageCount;
          sum += mmu.translate(BASE + page * 4096, Read);
        }
        sums[0] = sum;
        state.page = page;
      },
      operations: CALLS,
      times,
    }),
    baseline: allocating({
      call: () => {
        for (let i = 0; i < CALLS; i++) last.object = { i };
      },
      operations: CALLS,
      times,
    }),
  };
}

/**
 * A walk of page tables of four levels that finds a page with nothing to mark, against the same
 * walk in C over as many pages.
 */
import { createWalker, pagingX86_64 } from '@barreleye/paging-x86-64';
import { Access } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { CProgram } from '../c-program.ts';
import { MappedMemory } from '../mapped-memory.ts';

const PAGE_COUNT = 4096;
const BASE = 0x80_0000_0000;
const SEED = 1;

export const benches: readonly Bench[] = [
  { name: 'page walk, four levels', unit: 'ns/op', baselineName: 'the walk in C', setup },
];

function setup(): Trial | string {
  const program = CProgram.start(['walk.c'], [PAGE_COUNT]);
  if (typeof program === 'string') return program;
  const { mem, root } = new MappedMemory(pagingX86_64, BASE, PAGE_COUNT, SEED);
  const walker = createWalker(mem);
  const access = Access.Read | Access.User;
  const high = BASE / 2 ** 32;
  const sums = new Int32Array(1);
  return {
    operations: PAGE_COUNT,
    subject: () => {
      let sum = 0;
      for (let page = 0; page < PAGE_COUNT; page++) {
        walker.walkWords(root, high, (page * 4096 + 8) | 0, access);
        sum = (sum + walker.paLow) | 0;
      }
      sums[0] = sum;
    },
    baseline: program.gauge('walk'),
    teardown: () => program.stop(),
  };
}

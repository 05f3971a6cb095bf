/**
 * A load through the MMU of a core when the TLB has the page, against the same load from a typed
 * array that needs no translation, in the same loop.
 */
import { Mmu } from '@barreleye/machine';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import { Access, type Paging } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { MappedMemory } from '../mapped-memory.ts';

/** Fewer than the TLB has entries, so that after the first round all are there. */
const PAGE_COUNT = 256;
/** From page to page and from line to line, so that all stay in the first-level cache. */
const STEP = 4096 + 64;
const SEED = 1;
const { Read } = Access;

export const benches: readonly Bench[] = [
  bench('translated load, 48 bits', pagingX86_64, 0x80_0000_0000),
  bench('translated load, 32 bits', pagingArmv7, 0x1000_0000),
];

function bench(name: string, paging: Paging, base: number): Bench {
  const setupHere = (): Trial => setup(paging, base);
  return { name, unit: 'ns/op', baselineName: 'typed-array load', setup: setupHere };
}

function setup(paging: Paging, base: number): Trial {
  const { mem, root } = new MappedMemory(paging, base, PAGE_COUNT, SEED);
  const mmu = new Mmu(mem, paging);
  mmu.root = root;
  mmu.tag = 1;
  const { words } = mem;
  const high = Math.floor(base / 2 ** 32);
  const low = base | 0;
  const bytes = PAGE_COUNT * 4096;
  const firstWord = (mem.bytes - bytes) / 4;
  // Sums are kept where the compiler cannot prove that nobody reads them.
  const sums = new Uint32Array(2);
  for (let page = 0; page < PAGE_COUNT; page++) mmu.translate(base + page * 4096, Read);
  return {
    operations: Math.ceil(bytes / STEP),
    subject: () => {
      let sum = 0;
      for (let at = 0; at < bytes; at += STEP) {
        const index = mmu.ramIndex(high, (low + at) | 0, Read);
        if (index < 0) throw new Error('the TLB has lost a page');
        sum = (sum + words[index]!) | 0;
      }
      sums[0] = sum;
    },
    baseline: () => {
      let sum = 0;
      for (let at = 0; at < bytes; at += STEP) sum = (sum + words[firstWord + (at >>> 2)]!) | 0;
      sums[1] = sum;
    },
  };
}

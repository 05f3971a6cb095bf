/**
 * The two ways to read a word of shared memory: the floor under everything that reads kernel
 * memory, and what the range check and explicit byte order of a `DataView` cost.
 */
import type { Bench, Trial } from '../bench.ts';

const WORDS = 16 * 1024;

export const benches: readonly Bench[] = [
  { name: 'typed-array load', unit: 'ns/op', baselineName: 'DataView load', setup },
];

function setup(): Trial {
  const memory = new SharedArrayBuffer(4 * WORDS);
  const words = new Uint32Array(memory); // zeros: their values do not matter to a load
  const view = new DataView(memory);
  // Sums are kept where the compiler cannot prove that nobody reads them.
  const sums = new Uint32Array(2);
  return {
    operations: WORDS,
    subject: () => {
      let sum = 0;
      for (let index = 0; index < WORDS; index += 1) sum = (sum + words[index]!) | 0;
      sums[0] = sum;
    },
    baseline: () => {
      let sum = 0;
      for (let at = 0; at < 4 * WORDS; at += 4) sum = (sum + view.getUint32(at, true)) | 0;
      sums[1] = sum;
    },
  };
}

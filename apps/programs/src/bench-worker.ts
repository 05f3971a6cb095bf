/** Answers the calls of `bench`, which starts one on each core. */

import { program } from '@barreleye/program';
import { BenchCalls } from './bench-calls.ts';
import { work } from './workers.ts';

export const benchWorker = program('bench-worker', function* (os) {
  return yield* work(os, BenchCalls, { null: () => ({}), body: () => ({}) });
});

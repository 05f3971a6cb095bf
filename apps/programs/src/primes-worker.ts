/** Counts primes for `primes`, which starts one on each core. */

import type { Wait } from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { PrimeCount } from './prime-count.ts';
import { work } from './workers.ts';

export const primesWorker = program('primes-worker', function* (os) {
  return yield* work(os, PrimeCount, {
    *count({ first, last }) {
      let found = 0;
      for (let n = first; n <= last; n++) if (yield* isPrime(os, n)) found += 1;
      return { found };
    },
  });
});

/** By trying; each try takes time, and others may have the core in between. */
function* isPrime(os: ProgramOs, n: number): Wait<boolean> {
  for (let divisor = 2; divisor * divisor <= n; divisor++) {
    yield* os.preempt();
    if (n % divisor === 0) return false;
  }
  return n > 1;
}

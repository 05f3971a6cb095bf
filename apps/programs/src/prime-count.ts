/** What `primes` asks of its workers. */

import { call, defineInterface, u32 } from '@barreleye/rpc';

export const PrimeCount = defineInterface('primeCount', {
  /** How many primes there are from `first` to `last`. */
  count: call({ first: u32, last: u32 }, { found: u32 }),
});

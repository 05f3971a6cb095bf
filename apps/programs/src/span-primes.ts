/**
 * Counts primes on all cores at once: one domain, with a dispatcher on each core that runs. What is
 * done on other cores has a name, and its arguments and its value are numbers. The memory is the
 * same: each core writes into its word of one page.
 */

import type { Os, Wait } from '@barreleye/libos';
import { type FarFunctions, program } from '@barreleye/program';
import { numberFrom } from './number-from.ts';

const READ_WRITE = 3; // PageFlag
const PAGE = 4096;

/** Count the primes in [`from`, `to`), and leave the number at `at`. */
function* count(os: Os, from: number, to: number, at: number): Wait<void> {
  let found = 0;
  for (let n = Math.max(from, 2); n < to; n++) {
    if (isPrime(n)) found += 1;
    yield* os.preempt(); // others may want the core
  }
  yield* os.store32(at, found);
}

const far: FarFunctions = {
  count: (os, [from = 0, to = 0, at = 0]) => count(os, from, to, at),
};

export const spanPrimes = program(
  'span-primes',
  function* (os) {
    const end = numberFrom(os.args[1], 10_000);
    const { cores } = yield* os.system.cores({});
    const others = cores.filter((c) => c.state === 'running' && c.core !== os.coreId);
    const share = Math.ceil(end / (others.length + 1));
    const region = os.memory.vspace.reserve({ bytes: PAGE, flags: READ_WRITE });
    const { base } = yield* os.take(region);

    const threads = [];
    for (const [i, { core }] of others.entries()) {
      yield* os.spanning.open(core);
      const from = (i + 1) * share;
      const args = [from, Math.min(from + share, end), base + 4 * core];
      threads.push(yield* os.spanning.start(core, 'count', args));
    }
    yield* count(os, 0, Math.min(share, end), base + 4 * os.coreId);
    for (const thread of threads) yield* os.spanning.join(thread);

    let total = 0;
    for (const core of [os.coreId, ...others.map((other) => other.core)]) {
      total += yield* os.load32(base + 4 * core);
    }
    const where = others.length === 0 ? 'one core' : `${others.length + 1} cores`;
    yield* os.printLine(`${total} primes below ${end}, counted on ${where}`);
  },
  { far },
);

function isPrime(n: number): boolean {
  for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) return false;
  return true;
}

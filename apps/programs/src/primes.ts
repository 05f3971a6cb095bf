/**
 * Counts the primes up to a limit on several cores: `primes 20000 3`. Each core has a worker, which
 * is asked for a block of numbers, and for the next when it has answered.
 */

import type { Wait } from '@barreleye/libos';
import { program } from '@barreleye/program';
import { numberFrom } from './number-from.ts';
import { PrimeCount } from './prime-count.ts';
import { runningCores, startWorker, type Worker } from './workers.ts';

const BLOCK = 500;

export const primes = program('primes', function* (os) {
  const limit = numberFrom(os.args[1], 20_000);
  const running = yield* runningCores(os);
  const others = Math.max(running.length - 1, 1); // this core has enough to do with handing out
  const cores = running.slice(0, numberFrom(os.args[2], others));

  const workers: Worker<(typeof PrimeCount)['methods']>[] = [];
  for (const core of cores) {
    workers.push(yield* startWorker(os, core, 'primes-worker', PrimeCount));
  }

  let next = 1;
  let total = 0;
  function* keepBusy({ client }: (typeof workers)[number]): Wait<void> {
    while (next <= limit) {
      const first = next;
      next += BLOCK;
      const last = Math.min(first + BLOCK - 1, limit);
      const { found } = yield* client.count({ first, last });
      total += found; // no other thread runs between two `yield*`
    }
  }

  const start = os.now(); // cycles
  const threads = workers.map((worker, i) => os.spawnThread(`asks ${i}`, keepBusy(worker)));
  for (const thread of threads) yield* os.join(thread);
  const cycles = os.now() - start;
  for (const worker of workers) yield* worker.end();

  const { frequency } = yield* os.system.machine({}); // cycles of a second
  const ms = (cycles / frequency) * 1000;
  const by = cores.length === 1 ? '1 core' : `${cores.length} cores`;
  yield* os.printLine(`${total} primes up to ${limit}, counted by ${by} in ${ms.toFixed(2)} ms`);
});

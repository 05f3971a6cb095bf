/** Bare workers in a ring that wake each other with `Atomics.notify`, and sleep at once. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const CODE = `
const { parentPort, workerData } = require('node:worker_threads');
const { cells, place, count, laps } = workerData;
const next = 16 * ((place + 1) % count);
let start = 0;
for (let lap = 0; lap <= laps; lap++) {
  while (Atomics.load(cells, 16 * place) <= lap) Atomics.wait(cells, 16 * place, lap);
  if (lap === 0) start = performance.now();
  if (place === 0 && lap === laps) break;
  Atomics.add(cells, next, 1);
  Atomics.notify(cells, next);
}
parentPort.postMessage(((performance.now() - start) * 1e6) / (laps * count));
`;

/** Send a token round `laps` times. @returns nanoseconds for one hop */
export async function waitingRing(count: number, laps: number): Promise<number> {
  const cells = new Int32Array(new SharedArrayBuffer(64 * count));
  const workers = Array.from(
    { length: count },
    (_, place) => new Worker(CODE, { eval: true, workerData: { cells, place, count, laps } }),
  );
  const [first] = workers;
  if (first === undefined) throw new Error('a ring has workers');
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  Atomics.add(cells, 0, 1);
  Atomics.notify(cells, 0);
  const [hop] = await once(first, 'message');
  await Promise.all(workers.map((worker) => worker.terminate()));
  return hop as number;
}

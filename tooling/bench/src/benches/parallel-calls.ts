/**
 * Calls, and the lives of domains, in a whole system whose cores are threads; beside them what the
 * host has: a round trip between two workers, and a worker that starts and ends. With twice as many
 * cores as processors all of them are busy.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Bench, Trial } from '../bench.ts';
import { ParallelCalls, type RoundName } from '../parallel-calls.ts';

const PORT_ROUND_TRIPS = 500;
const ECHO = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (message) => parentPort.postMessage(message));
`;

const WORKER: Baseline = { round: runWorker, close: () => undefined };

/** A core that is given another driver, or is stopped and started with all that is on it. */
const changes: readonly Bench[] = (['replacement', 'restart'] as const).map((name) => ({
  name: `${name} of another core, threads`,
  unit: 'us/op',
  baselineName: 'Worker: start to exit',
  setup: () => beside(2, name, WORKER),
}));

const calls: readonly Bench[] = [2, 4].flatMap((coreCount) => {
  const where = `${coreCount} threads`;
  const call = { unit: 'us/op', baselineName: 'MessagePort between workers' } as const;
  const life = { unit: 'us/op', baselineName: 'Worker: start to exit' } as const;
  return [
    { ...call, name: `null call, ${where}`, setup: () => beside(coreCount, 'near call', ports()) },
    {
      ...call,
      name: `null call to another core, ${where}`,
      setup: () => beside(coreCount, 'far call', ports()),
    },
    {
      ...life,
      name: `domain elsewhere: spawn to reaped, ${where}`,
      setup: () => beside(coreCount, 'far life', WORKER),
    },
    {
      unit: 'us/op' as const,
      baselineName: 'on the own core',
      name: `domain elsewhere: spawn to reaped, beside its own core, ${where}`,
      setup: () => nearAndFar(coreCount),
    },
  ];
});

export const benches: readonly Bench[] = [...calls, ...changes];

interface Baseline {
  round(): Promise<number>;
  close(): void;
}

function beside(coreCount: number, name: RoundName, baseline: Baseline): Trial {
  const system = new ParallelCalls(coreCount);
  return {
    operations: 1,
    rounds: 15,
    subject: { round: () => system.round(name) },
    baseline: { round: () => baseline.round() },
    teardown: () => {
      system.close();
      baseline.close();
    },
  };
}

function nearAndFar(coreCount: number): Trial {
  const system = new ParallelCalls(coreCount);
  return {
    operations: 1,
    rounds: 15,
    subject: { round: () => system.round('far life') },
    baseline: { round: () => system.round('near life') },
    teardown: () => system.close(),
  };
}

/** Round trips between two workers: the main thread takes no part. */
function ports(): Baseline {
  const pinger = new Worker(PINGER, { eval: true });
  return {
    round: async () => {
      pinger.postMessage(PORT_ROUND_TRIPS);
      const [took] = (await once(pinger, 'message')) as [number];
      return took / PORT_ROUND_TRIPS;
    },
    close: () => void pinger.terminate(),
  };
}

/** Makes a worker that echoes, and measures as many round trips as it is told to. */
const PINGER = `
const { parentPort, Worker } = require('node:worker_threads');
const echo = new Worker(${JSON.stringify(ECHO)}, { eval: true });
let [left, start] = [0, 0];
parentPort.on('message', (wanted) => {
  left = wanted;
  start = performance.now();
  echo.postMessage(0);
});
echo.on('message', () => {
  left -= 1;
  if (left > 0) echo.postMessage(left);
  else parentPort.postMessage((performance.now() - start) * 1e6);
});
`;

/** @returns nanoseconds */
async function runWorker(): Promise<number> {
  const start = performance.now();
  await once(new Worker('', { eval: true }), 'exit');
  return (performance.now() - start) * 1e6;
}

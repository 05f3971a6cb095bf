/**
 * The parallel host: booting a system to its prompt, and starting one core, beside the bare threads
 * that it takes. Threads load some three hundred source files each; that is nearly all of a boot.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { bootParallel, parseMenu } from '@barreleye/boot';
import { targetX86_64 as target } from '@barreleye/boot-x86-64';
import { type CoreThread, nodeThread, ParallelMachine } from '@barreleye/machine-threads';
import { BARE_NS_AT, BARE_PAGE, type BareChoice } from '../bare-kernels.ts';
import type { Bench, Trial } from '../bench.ts';
import { waitingRing } from '../waiting-ring.ts';

const RAM_BYTES = 64 * 2 ** 20;
const PROMPT = 'barreleye> ';
const LAPS = 5000;
/** Cores of a ring, as many as there are processors and twice as many. */
const CROWDS = [1, 2].map((times) => times * Math.max(availableParallelism(), 2));

export const benches: readonly Bench[] = [
  ...[1, 4].map(
    (coreCount): Bench => ({
      name: `boot to the prompt, ${coreCount} ${coreCount === 1 ? 'thread' : 'threads'}`,
      unit: 'ms/op',
      baselineName: coreCount === 1 ? 'a bare Worker' : `${coreCount} bare Workers`,
      family: 'boot to the prompt',
      size: coreCount,
      setup: () =>
        trial(
          5,
          () => bootToPrompt(coreCount),
          () => startWorkers(coreCount),
        ),
    }),
  ),
  {
    name: 'start of a core, threads',
    unit: 'us/op',
    baselineName: 'a bare Worker',
    setup: () =>
      trial(
        10,
        () => runBare({ coreCount: 2, laps: 0 }),
        () => startWorkers(1),
      ),
  },
  ...CROWDS.map(
    (coreCount): Bench => ({
      name: `interrupt among ${coreCount} cores, threads`,
      unit: 'us/op',
      baselineName: 'workers, sleeping at once',
      family: 'interrupt, threads',
      size: coreCount,
      setup: () =>
        trial(
          5,
          () => runBare({ coreCount, laps: LAPS }),
          () => waitingRing(coreCount, LAPS),
        ),
    }),
  ),
];

function trial(
  rounds: number,
  subject: () => Promise<number>,
  baseline: () => Promise<number>,
): Trial {
  return { operations: 1, rounds, subject: { round: subject }, baseline: { round: baseline } };
}

function createThread(): CoreThread {
  return nodeThread(new Worker(new URL('../parallel-core-worker.ts', import.meta.url)));
}

/** @returns nanoseconds */
async function bootToPrompt(coreCount: number): Promise<number> {
  const parsed = parseMenu(target.menu, 'menu.lst');
  if (!parsed.ok) throw new Error(parsed.message);
  const request = { target, menu: parsed.menu, coreCount, ramBytes: RAM_BYTES, seed: 1 };
  const start = performance.now();
  const booted = bootParallel({ ...request, createThread });
  if (!booted.ok) throw new Error(booted.message);
  const { machine } = booted.system;
  await new Promise<void>((resolve) => {
    let screen = '';
    machine.transmit = (bytes) => {
      screen += new TextDecoder().decode(bytes);
      if (screen.endsWith(PROMPT)) resolve();
    };
  });
  const took = performance.now() - start;
  await machine.stop();
  return took * 1e6;
}

/** What bare kernels have measured. @returns nanoseconds */
async function runBare(app: BareChoice): Promise<number> {
  const { board } = target;
  const { coreCount } = app;
  const machine = new ParallelMachine({
    ...{ board, ramBytes: board.minRamBytes, coreCount, createThread, app },
  });
  machine.start(BARE_PAGE);
  const end = await machine.ended;
  if (end.kind !== 'off') throw new Error(`the machine has ${end.kind}`);
  return machine.mem.load32(BARE_NS_AT);
}

/** Until all of them have said a word. @returns nanoseconds */
async function startWorkers(count: number): Promise<number> {
  const code = "require('node:worker_threads').parentPort.postMessage('here')";
  const start = performance.now();
  const workers = Array.from({ length: count }, () => new Worker(code, { eval: true }));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const took = performance.now() - start;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return took * 1e6;
}

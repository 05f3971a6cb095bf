/** A stress test on the parallel host: what its main thread does. */

import { Worker } from 'node:worker_threads';
import { bootParallel, parseMenu } from '@barreleye/boot';
import { nodeThread } from '@barreleye/machine-threads';
import { TARGETS } from '../../src/boot.ts';
import { FAILED, PASSED, type StressPlan, type StressSystem, stressSystem } from './whole.ts';

/** What the threads of all cores are told. */
export interface ParallelPlan extends StressPlan {
  /** Number of the target. */
  readonly target: number;
}

/** The same system in every thread. */
export function planned(plan: ParallelPlan): StressSystem {
  const found = TARGETS[plan.target];
  if (found === undefined) throw new Error(`there is no target ${plan.target}`);
  return stressSystem(found.target, plan);
}

/** Run it, and what it shows, until it is over or `patienceMs` are. */
export async function runParallel(
  plan: ParallelPlan,
  ramBytes: number,
  patienceMs: number,
): Promise<string> {
  const { target } = planned(plan);
  const parsed = parseMenu(target.menu, 'menu.lst');
  if (!parsed.ok) throw new Error(parsed.message);
  const { coreCount } = plan;
  const booted = bootParallel({
    ...{ target, menu: parsed.menu, coreCount, ramBytes, seed: 1, app: plan },
    createThread: () => nodeThread(new Worker(new URL('./core-worker.ts', import.meta.url))),
  });
  if (!booted.ok) throw new Error(booted.message);
  const { machine } = booted.system;
  const decoder = new TextDecoder();
  let shown = '';
  const isOver = new Promise<void>((resolve) => {
    machine.transmit = (bytes) => {
      shown += decoder.decode(bytes, { stream: true }).replaceAll('\r', '');
      if (shown.includes(PASSED) || shown.includes(FAILED)) resolve();
    };
    setTimeout(resolve, patienceMs).unref();
  });
  await Promise.race([isOver, machine.ended]);
  const end = await machine.stop();
  if (end.kind === 'failed') throw end.failure;
  const lost = machine.lostCores.map(({ message }) => message);
  return [shown, ...lost, `the machine was ${end.kind}`].join('\n');
}

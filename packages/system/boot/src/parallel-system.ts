/** The same system in parallel: each core in a thread of its own. */

import {
  type CoreSetup,
  type CoreThread,
  MAX_PARALLEL_CORES,
  ParallelMachine,
} from '@barreleye/machine-threads';
import { Err } from '@barreleye/spec';
import type { BootOptions, BootRequest, Target } from './boot-options.ts';
import { loadBoot, planBoot, programsOf } from './boot-plan.ts';
import { type BootFailure, bootFailure } from './failure.ts';
import { isBootPage, replaceDriver, startDriver } from './firmware.ts';
import type { MemoryPlan } from './loader.ts';

export interface ParallelBootOptions extends BootRequest {
  /** Makes the thread of a core, which is to call `runCore` with the `coreSetup` of the target. */
  readonly createThread: () => CoreThread;
  /** Tells these threads which target that is: anything that can be cloned. */
  readonly app?: unknown;
}

/** A machine with a system on it that is running. */
export interface ParallelSystem {
  readonly machine: ParallelMachine;
  readonly plan: MemoryPlan;
}

/** A system, or why there is none. */
export type ParallelBootResult =
  | { readonly ok: true; readonly system: ParallelSystem }
  | BootFailure;

/**
 * Build the machine, load the modules, and have the bootstrap core powered on in its thread. Throws
 * where threads cannot share memory.
 * @errors those of `planBoot`
 */
export function bootParallel(options: ParallelBootOptions): ParallelBootResult {
  const planned = planBoot(options);
  if (!planned.ok) return planned;
  const { target, coreCount, ramBytes, createThread, app } = options;
  if (coreCount > MAX_PARALLEL_CORES) {
    const why = `a machine in parallel has 1 to ${MAX_PARALLEL_CORES} cores, not ${coreCount}`;
    return bootFailure(Err.LIB_ERR_BAD_INPUT, why);
  }
  const { board } = target;
  const machine = new ParallelMachine({ board, ramBytes, coreCount, createThread, app });
  loadBoot(machine.mem, options, planned.plan);
  const { memory: plan } = planned.plan;
  machine.start(plan.bootInfo);
  return { ok: true, system: { machine, plan } };
}

/**
 * What the cores of a target are like, for `runCore` in their threads.
 * @param wrapDriver as for `bootSystem`
 */
export function coreSetup(target: Target, wrapDriver?: BootOptions['wrapDriver']): CoreSetup {
  const options = wrapDriver === undefined ? { target } : { target, wrapDriver };
  return {
    board: target.board,
    paging: target.paging,
    programs: programsOf(target),
    accepts: isBootPage,
    firmware: (core, page) => startDriver(options, core, page) !== undefined,
    loadDriver(core, kcb) {
      replaceDriver(options, core, kcb);
      return true;
    },
  };
}

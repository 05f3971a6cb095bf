/**
 * A running system out of its parts: board, page tables, boot menu and programs. Nothing here knows
 * an architecture; an app passes one in.
 */

import { assert } from '@barreleye/core';
import type { CpuDriver } from '@barreleye/cpu-driver';
import { Machine } from '@barreleye/machine';
import type { BootOptions } from './boot-options.ts';
import { loadBoot, planBoot, programsOf } from './boot-plan.ts';
import type { BootFailure } from './failure.ts';
import { replaceDriver, startDriver } from './firmware.ts';
import type { MemoryPlan } from './loader.ts';

/** A machine with a system on it, ready to `run`. */
export interface System {
  readonly machine: Machine;
  readonly plan: MemoryPlan;
  /** Of the bootstrap core, the first that it had. */
  readonly driver: CpuDriver;
  /** Of all cores that have been started, by number: the last that each had. */
  readonly drivers: ReadonlyMap<number, CpuDriver>;
}

/** A system, or why there is none. */
export type BootResult = { readonly ok: true; readonly system: System } | BootFailure;

/**
 * Build the machine, load the modules, and power the bootstrap core on.
 * @errors those of `planBoot`
 */
export function bootSystem(options: BootOptions): BootResult {
  const planned = planBoot(options);
  if (!planned.ok) return planned;
  const { target, coreCount, ramBytes, seed, topology } = options;
  const { board, paging } = target;
  const programs = programsOf(target);
  const parts = { board, paging, programs };
  const machine = new Machine({ ...parts, ramBytes, coreCount, seed, topology });
  loadBoot(machine.mem, options, planned.plan);
  const drivers = new Map<number, CpuDriver>();
  machine.firmware = (core, page) => {
    const driver = startDriver(options, core, page);
    if (driver !== undefined) drivers.set(core.coreId, driver);
    return driver !== undefined;
  };
  machine.loadDriver = (core, kcb) => {
    drivers.set(core.coreId, replaceDriver(options, core, kcb));
    return true;
  };
  const { memory: plan } = planned.plan;
  const isStarted = machine.firmware(machine.bsp, plan.bootInfo);
  const driver = drivers.get(machine.bsp.coreId);
  assert(isStarted && driver !== undefined, 'the boot information was just written');
  return { ok: true, system: { machine, plan, driver, drivers } };
}

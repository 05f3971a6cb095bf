/**
 * The kernel command line: what a menu says behind the path of the CPU driver, `name=value` with
 * spaces between.
 */

import { Err, SCHEDULER_NAMES, Scheduler } from '@barreleye/spec';
import { type BootFailure, bootFailure } from './failure.ts';
import type { Menu } from './menu.ts';

/** Schedulers by the name that menus and command lines give them. */
export const SCHEDULERS: { readonly [name: string]: Scheduler | undefined } = Object.fromEntries(
  SCHEDULER_NAMES.map((name, number) => [name, number as Scheduler]),
);

/** What a CPU driver can be told. */
export interface KernelArgs {
  readonly scheduler: Scheduler;
}

/** The arguments of the CPU driver of a menu, or what is wrong with them. */
export type KernelArgsResult = { readonly ok: true; readonly args: KernelArgs } | BootFailure;

/**
 * Parse the arguments of the CPU driver. The last of equal names counts.
 * @errors BOOT_ERR_MENU
 */
export function parseKernelArgs({ file, cpuDriver }: Menu): KernelArgsResult {
  let scheduler: Scheduler = Scheduler.RoundRobin;
  const bad = (why: string): BootFailure =>
    bootFailure(Err.BOOT_ERR_MENU, `${file}:${cpuDriver.line}: ${why}`);
  for (const word of cpuDriver.args.split(/\s+/).filter((each) => each !== '')) {
    const [name, value = ''] = word.split('=', 2);
    if (name !== 'scheduler') {
      return bad(`the CPU driver has no argument '${name}' (there is scheduler)`);
    }
    const chosen = Object.hasOwn(SCHEDULERS, value) ? SCHEDULERS[value] : undefined;
    if (chosen === undefined) {
      return bad(`no scheduler '${value}' (there is ${Object.keys(SCHEDULERS).join(', ')})`);
    }
    scheduler = chosen;
  }
  return { ok: true, args: { scheduler } };
}

/** What a core does first: make a CPU driver over what its boot information says. */

import { asPtr, type CoreId, type Paddr, type PhysMem } from '@barreleye/core';
import { CpuDriver } from '@barreleye/cpu-driver';
import type { Core } from '@barreleye/machine';
import { BOOTINFO_MAGIC, BootInfo, Kcb } from '@barreleye/spec';
import type { BootOptions } from './boot-options.ts';

/** Time slice of the scheduler: 10 ms. */
const SLICES_PER_SECOND = 100;

/** Whether the page at `page` is boot information for `core`. */
export function isBootPage(mem: PhysMem, core: CoreId, page: Paddr): boolean {
  const info = asPtr<'BootInfo'>(page);
  const isInfo = BootInfo.magic.get(mem, info) === BOOTINFO_MAGIC;
  return isInfo && BootInfo.coreId.get(mem, info) === core;
}

/** Power a core on with a CPU driver over what the page at `page` says; undefined: nothing. */
export function startDriver(
  { target, wrapDriver }: Pick<BootOptions, 'target' | 'wrapDriver'>,
  core: Core,
  page: Paddr,
): CpuDriver | undefined {
  const { mem } = core;
  if (!isBootPage(mem, core.coreId, page)) return undefined;
  const info = asPtr<'BootInfo'>(page);
  const kcb = BootInfo.kcb.get(mem, info);
  Kcb.coreId.set(mem, kcb, core.coreId);
  const driver = new CpuDriver(core, kcb, target.foreignFormats);
  const handler = wrapDriver?.(driver, core) ?? driver;
  core.powerOn(handler, () =>
    driver.start({
      bootInfo: page,
      arena: BootInfo.arena.get(mem, info),
      scheduler: BootInfo.scheduler.get(mem, info),
      timeslice: target.board.frequency / SLICES_PER_SECOND,
    }),
  );
  return driver;
}

/** What a core does first: make a CPU driver over what its boot information says. */

import {
  asPtr,
  BASE_PAGE_BITS,
  type CoreId,
  isAligned,
  type Paddr,
  type PhysMem,
  type Ptr,
} from '@barreleye/core';
import { CpuDriver } from '@barreleye/cpu-driver';
import type { Core, TrapHandler } from '@barreleye/machine';
import { BOOTINFO_MAGIC, BootInfo, KCB_BYTES, KCB_MAGIC, Kcb } from '@barreleye/spec';
import type { BootOptions } from './boot-options.ts';

/** What makes a CPU driver. */
type Maker = Pick<BootOptions, 'target' | 'wrapDriver'>;

/** Time slice of the scheduler: 10 ms. */
const SLICES_PER_SECOND = 100;

/**
 * Whether the page at `page` is boot information for `core`. Whoever has written it may name any
 * memory: the control block that it names must be one, and in nobody's use.
 */
export function isBootPage(mem: PhysMem, core: CoreId, page: Paddr): boolean {
  const info = asPtr<'BootInfo'>(page);
  const isInfo = BootInfo.magic.get(mem, info) === BOOTINFO_MAGIC;
  if (!isInfo || BootInfo.coreId.get(mem, info) !== core) return false;
  const kcb = BootInfo.kcb.get(mem, info);
  const isBlock = isAligned(kcb, BASE_PAGE_BITS) && mem.contains(kcb, KCB_BYTES);
  return isBlock && Kcb.magic.get(mem, kcb) !== KCB_MAGIC;
}

/** Power a core on with a CPU driver over what the page at `page` says; undefined: nothing. */
export function startDriver(maker: Maker, core: Core, page: Paddr): CpuDriver | undefined {
  const { mem } = core;
  if (!isBootPage(mem, core.coreId, page)) return undefined;
  const info = asPtr<'BootInfo'>(page);
  const kcb = BootInfo.kcb.get(mem, info);
  Kcb.coreId.set(mem, kcb, core.coreId);
  const { driver, handler } = createDriver(maker, core, kcb);
  core.powerOn(handler, () =>
    driver.start({
      bootInfo: page,
      arena: BootInfo.arena.get(mem, info),
      scheduler: BootInfo.scheduler.get(mem, info),
      timeslice: maker.target.board.frequency / SLICES_PER_SECOND,
    }),
  );
  return driver;
}

/** Put a new CPU driver on a running core, over its control block. */
export function replaceDriver(maker: Maker, core: Core, kcb: Ptr<'Kcb'>): CpuDriver {
  const { driver, handler } = createDriver(maker, core, kcb);
  core.handler = handler;
  return driver;
}

function createDriver(
  { target, wrapDriver }: Maker,
  core: Core,
  kcb: Ptr<'Kcb'>,
): { readonly driver: CpuDriver; readonly handler: TrapHandler } {
  const driver = new CpuDriver(core, kcb, target.foreignFormats);
  return { driver, handler: wrapDriver?.(driver, core) ?? driver };
}

/**
 * Kernels of which core 0 starts the others and measures: until the last of them says that it is
 * there, or how long an interrupt takes on its way round all of them, while the rest sleep.
 */
import { asPaddr, coreId, paddr } from '@barreleye/core';
import { boardPc64 as board, type Core, IrqLine } from '@barreleye/machine';
import type { CoreSetup } from '@barreleye/machine-threads';
import { pagingX86_64 as paging } from '@barreleye/paging-x86-64';
import { DeviceClass } from '@barreleye/spec';

/** Where the nanoseconds are in the end, and where the cores begin. */
export const BARE_NS_AT = paddr(0x10_1000);
export const BARE_PAGE = paddr(0x10_0000);

/** What is measured. */
export interface BareChoice {
  readonly coreCount: number;
  /** Times round all cores, the first of which is not measured; 0: until they are there. */
  readonly laps: number;
}

const POWER = board.devices.find((device) => device.class === DeviceClass.Power)?.base ?? 0;

export function bareSetup(choice: BareChoice): CoreSetup {
  const firmware = (core: Core): boolean => {
    powerOn(core, choice);
    return true;
  };
  const loadDriver = (): boolean => false;
  return { board, paging, programs: [], loadDriver, accepts: () => true, firmware };
}

function powerOn(core: Core, { coreCount, laps }: BareChoice): void {
  const next = coreId((core.coreId + 1) % coreCount);
  let start = 0;
  let lap = 0;
  const finish = (operations: number): void => {
    const ns = ((performance.now() - start) * 1e6) / operations;
    core.mem.storeRelease32(BARE_NS_AT, Math.round(ns));
    core.bus.store(asPaddr(POWER), 0, 4);
  };
  const onTrap = (): void => {
    core.takeInterrupt();
    if (core.coreId === 0) {
      if (lap === 0 && laps > 0) start = performance.now();
      if (lap === laps) {
        finish(Math.max(laps * coreCount, 1));
        return;
      }
      lap += 1;
    }
    core.raiseOn(next, IrqLine.FirstNotify);
    core.idle();
  };
  core.powerOn({ onTrap }, () => {
    start = performance.now();
    // Each starts the next; the last one interrupts the first.
    if (next === 0) core.raiseOn(next, IrqLine.FirstNotify);
    else core.startCore(next, BARE_PAGE);
    core.idle();
  });
}

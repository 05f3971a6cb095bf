/** Two kernels: the first starts the other core and measures until that says that it is there. */
import { asPaddr, coreId, paddr } from '@barreleye/core';
import { boardPc64 as board, type Core, IrqLine } from '@barreleye/machine';
import type { CoreSetup } from '@barreleye/machine-threads';
import { pagingX86_64 as paging } from '@barreleye/paging-x86-64';
import { DeviceClass } from '@barreleye/spec';

/** Where the nanoseconds are in the end. */
export const START_NS_AT = paddr(0x10_1000);
export const START_PAGE = paddr(0x10_0000);

export function startSetup(): CoreSetup {
  const power = board.devices.find((device) => device.class === DeviceClass.Power)?.base ?? 0;
  const firmware = (core: Core): boolean => {
    let start = 0;
    const onTrap = (): void => {
      core.takeInterrupt();
      core.mem.storeRelease32(START_NS_AT, Math.round((performance.now() - start) * 1e6));
      core.bus.store(asPaddr(power), 0, 4);
    };
    core.powerOn({ onTrap }, () => {
      start = performance.now();
      if (core.coreId === 0) core.startCore(coreId(1), START_PAGE);
      else core.raiseOn(coreId(0), IrqLine.FirstNotify);
      core.idle();
    });
    return true;
  };
  const loadDriver = (): boolean => false;
  return { board, paging, programs: [], loadDriver, accepts: () => true, firmware };
}

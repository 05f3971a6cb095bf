/**
 * What the capability system asks and tells the rest of the CPU driver: the hooks that it calls,
 * most of them about the birth and death of kernel objects.
 */

import type { CapHooks } from '@barreleye/caps';
import { asPaddr, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb, NO_DCB } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { removeFromQueue } from './schedule.ts';
import { formatOf } from './table-format.ts';
import { dropTask } from './task.ts';
import { cancelWakeup } from './wakeup.ts';

/** The hooks of `k`, which need not be complete before the first of them is called. */
export function createCapHooks(k: Kernel): CapHooks {
  return {
    isRam: (base, bytes) => k.hal.isRam(base, bytes),
    dispatcherDied(dcb) {
      stopDispatcher(k, dcb);
    },
    unmapEntries(tableType, table, first, entryCount) {
      const format = formatOf(k, tableType);
      if (format === undefined) return;
      const level = format.levelOf(tableType);
      for (let i = first; i < first + entryCount; i++) format.clearEntry(k.mem, level, table, i);
      // Which addresses translate through the table is not recorded: forget them all.
      k.hal.invalidateAll();
    },
    vnodeCreated(type, base) {
      const format = formatOf(k, type);
      if (format?.rootType === type) format.initRoot(k.mem, base);
    },
    vnodeDied(_type, base) {
      const { hal } = k;
      if (hal.currentRoot() === base) hal.loadRoot(asPaddr(0), 0);
      hal.invalidateAll();
    },
    ramFreed() {
      // It waits for `KernelCmd.ReclaimRam`; there is nobody to tell yet.
    },
  };
}

/** Never run `dcb` again. If it has the core, nobody has it now. */
export function stopDispatcher(k: Kernel, dcb: Ptr<'Dcb'>): void {
  cancelWakeup(k, dcb);
  removeFromQueue(k, dcb);
  dropTask(k, dcb);
  Dcb.state.set(k.mem, dcb, DcbState.Dead);
  if (currentDcb(k) === dcb) Kcb.current.set(k.mem, k.kcb, NO_DCB);
}

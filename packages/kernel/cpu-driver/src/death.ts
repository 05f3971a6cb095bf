/**
 * What the capability system asks and tells the rest of the CPU driver: the hooks that it calls,
 * most of them about the birth and death of kernel objects.
 */

import type { CapHooks } from '@barreleye/caps';
import { asPaddr } from '@barreleye/core';
import { DeathReason } from '@barreleye/spec';
import { die, forgetDeath, stopDispatcher } from './deaths.ts';
import { NO_FAULT } from './fault.ts';
import type { Kernel } from './kernel.ts';
import { formatOf } from './table-format.ts';

/** The hooks of `k`, which need not be complete before the first of them is called. */
export function createCapHooks(k: Kernel): CapHooks {
  return {
    isRam: (base, bytes) => k.hal.isRam(base, bytes),
    dispatcherDied(dcb) {
      stopDispatcher(k, dcb);
      forgetDeath(k, dcb);
    },
    dispatcherDismantled(dcb) {
      die(k, dcb, DeathReason.Dismantled, NO_FAULT);
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

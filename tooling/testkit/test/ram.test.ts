/** RAM that comes back: nothing is lost, however objects end (T20). */

import { capDelete, KernelCap, rootCapref, TASK_KERNEL, unwrap } from '@barreleye/libos';
import { COUNTERS, errNames, L2_CNODE_BYTES, RootSlot } from '@barreleye/spec';
import { expect, test } from 'vitest';
import { runFirstDomain, TARGETS } from '../src/index.ts';

const WAITING = COUNTERS.findIndex(({ field }) => field === 'freeRamBytes');

test.each(TARGETS)(
  '$name: memory of the kernel that nobody holds becomes memory of init',
  (target) => {
    runFirstDomain(target, function* ({ os, memory }) {
      const { mm, collect } = memory;
      const kernel = new KernelCap(os.sys, TASK_KERNEL);
      collect();
      const before = mm.totalBytes();
      expect(capDelete(os.sys, rootCapref(RootSlot.ModuleCn))).toBe(0);
      expect(unwrap(kernel.counter(WAITING))).toBe(L2_CNODE_BYTES);
      collect();
      expect(mm.totalBytes()).toBe(before + L2_CNODE_BYTES);
      expect(unwrap(kernel.counter(WAITING))).toBe(0);
      const none = kernel.reclaimRam(os.allocSlot());
      expect(none.ok ? [] : errNames(none.err)).toEqual([
        'LIB_ERR_KERNEL_CAP',
        'SYS_ERR_CAP_NOT_FOUND',
      ]);
      yield* os.preempt();
    });
  },
);

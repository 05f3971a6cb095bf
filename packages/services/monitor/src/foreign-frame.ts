/** Frames that another core has made, and described to this one. */

import type { Result } from '@barreleye/core';
import { type Capref, KernelCap, type Os, TASK_KERNEL } from '@barreleye/libos';
import { Rights } from '@barreleye/spec';

/** Where the frame is, and which core decides about it. */
export interface ForeignFrame {
  readonly owner: number;
  readonly base: number;
  readonly bytes: number;
}

/** A capability of the frame, for this core. @errors no slot; LIB_ERR_KERNEL_CAP */
export function createForeignFrame(os: Os, described: ForeignFrame): Result<Capref<'Frame'>> {
  const kernel = new KernelCap(os.sys, TASK_KERNEL);
  const words = { rights: Rights.All, iftype: 0, arg0: 0, arg1: 0 };
  return os.slots.fill((slot) => kernel.create(slot, { ...words, ...described, type: 'Frame' }));
}

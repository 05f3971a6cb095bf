/** Dispatchers as the rest of the driver asks about them: who has the core, where its frame is. */

import type { Ptr } from '@barreleye/core';
import { Dcb, Kcb } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** The dispatcher that has the core, `NO_DCB` when idle. */
export function currentDcb(k: Kernel): Ptr<'Dcb'> {
  return Kcb.current.get(k.mem, k.kcb);
}

/** The frame that `dcb` shares with its user half. */
export function frameOf(k: Kernel, dcb: Ptr<'Dcb'>): Ptr<'DispatcherFrame'> {
  return Dcb.frameBase.get(k.mem, dcb);
}

/** Dispatchers as the rest of the driver asks about them: who has the core, where its frame is. */

import { asPtr, type Ptr } from '@barreleye/core';
import { Dcb, Kcb } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** The dispatcher that has the core, 0 when idle. */
export function currentDcb(k: Kernel): Ptr<'Dcb'> {
  return asPtr<'Dcb'>(Kcb.current.get(k.mem, k.kcb));
}

/** The frame that `dcb` shares with its user half. */
export function frameOf(k: Kernel, dcb: Ptr<'Dcb'>): Ptr<'DispatcherFrame'> {
  return asPtr<'DispatcherFrame'>(Dcb.disp.get(k.mem, dcb));
}

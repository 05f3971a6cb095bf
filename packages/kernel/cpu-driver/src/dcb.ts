/** Dispatchers as the rest of the driver asks about them: who has the core, where its frame is. */

import type { Slot } from '@barreleye/caps';
import { asPtr, type Ptr } from '@barreleye/core';
import { Cte, Dcb, Kcb } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** The dispatcher that has the core, `NO_DCB` when idle. */
export function currentDcb(k: Kernel): Ptr<'Dcb'> {
  return Kcb.current.get(k.mem, k.kcb);
}

/** The frame that `dcb` shares with its user half. */
export function frameOf(k: Kernel, dcb: Ptr<'Dcb'>): Ptr<'DispatcherFrame'> {
  return Dcb.frameBase.get(k.mem, dcb);
}

/** The dispatcher that a Dispatcher or an endpoint of this core stands for. */
export function dcbOf(k: Kernel, cap: Slot): Ptr<'Dcb'> {
  return asPtr<'Dcb'>(Cte.base.get(k.mem, cap));
}

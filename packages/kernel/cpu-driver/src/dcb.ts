/** Dispatchers as the rest of the driver asks about them: who runs, where its frame is, its health. */

import { asPtr, type PhysMem, type Ptr } from '@barreleye/core';
import { Cte, CteFlag, Dcb, Kcb, ObjType } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** The dispatcher that has the core, 0 when idle. */
export function currentDcb(k: Kernel): Ptr<'Dcb'> {
  return asPtr<'Dcb'>(Kcb.current.get(k.mem, k.kcb));
}

/** The frame that `dcb` shares with its user half. */
export function frameOf(k: Kernel, dcb: Ptr<'Dcb'>): Ptr<'DispatcherFrame'> {
  return asPtr<'DispatcherFrame'>(Dcb.disp.get(k.mem, dcb));
}

/**
 * Whether `dcb` still holds what it lives by: CSpace, VSpace and frame. Its copies of them die with
 * a revoke like any other, and the addresses beside them are good for nothing then (T14, T15).
 */
export function isWhole(k: Kernel, dcb: Ptr<'Dcb'>): boolean {
  const { mem } = k;
  return (
    isHeld(mem, Dcb.cspace.at(dcb)) &&
    isHeld(mem, Dcb.vspace.at(dcb)) &&
    isHeld(mem, Dcb.frame.at(dcb))
  );
}

function isHeld(mem: PhysMem, slot: Ptr<'Cte'>): boolean {
  const isDying = (Cte.flags.get(mem, slot) & CteFlag.InDelete) !== 0;
  return Cte.type.get(mem, slot) !== ObjType.Null && !isDying;
}

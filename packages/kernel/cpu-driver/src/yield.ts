/** `Syscall.Yield`: a dispatcher gives the core back, or to another dispatcher. */

import { checkOwned, isError, lookupSlot, slotOf } from '@barreleye/caps';
import { type Errval, isOk, OK, type Ptr } from '@barreleye/core';
import { Cte, Dcb, DispatcherFrame, Err, NO_DCB, ObjType, Rights } from '@barreleye/spec';
import { currentDcb, dcbOf, frameOf } from './dcb.ts';
import {
  canRun,
  dispatch,
  dispatchNext,
  hasRunEntry,
  isDisabled,
  readUserWord64,
} from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import { endTurn, removeFromQueue } from './schedule.ts';
import { setWakeup, wake } from './wakeup.ts';

/**
 * Yield the core. The caller is not resumed: it is entered at Run when its turn comes.
 * @param target capability address of a dispatcher or LMP endpoint to run next, 0 for nobody; it
 *   gets the rest of the caller's time slice
 * @returns OK when the kernel has been left; else the caller goes on
 * @errors SYS_ERR_CALLER_ENABLED; SYS_ERR_INVALID_YIELD_TARGET no such dispatcher, or it is not
 *   ready to run: it is dead, stopped, was never started, or has nowhere to be entered
 */
export function handleYield(k: Kernel, target: number): Errval {
  const { mem } = k;
  const dcb = currentDcb(k);
  if (!isDisabled(k, dcb)) return Err.SYS_ERR_CALLER_ENABLED;
  const next = target === 0 ? NO_DCB : yieldTarget(k, dcb, target);
  if (target !== 0 && next === NO_DCB) return Err.SYS_ERR_INVALID_YIELD_TARGET;
  Dcb.disabled.set(mem, dcb, 0);
  Dcb.faultsTaken.set(mem, dcb, 0);
  const sleeps = !hasWork(k, dcb) && sleep(k, dcb);
  if (next === NO_DCB) {
    if (!sleeps) endTurn(k, dcb);
    dispatchNext(k);
    return OK;
  }
  wake(k, next);
  dispatch(k, next);
  return OK;
}

/** Whether the dispatcher wants the core again although it yields. */
function hasWork(k: Kernel, dcb: Ptr<'Dcb'>): boolean {
  const { mem } = k;
  const frame = frameOf(k, dcb);
  if (DispatcherFrame.haswork.get(mem, frame) !== 0) return true;
  const seen = DispatcherFrame.lmpSeen.get(mem, frame);
  return seen !== DispatcherFrame.lmpDelivered.get(mem, frame);
}

/** Block the dispatcher until a message or its wake-up time; whether that is still to come. */
function sleep(k: Kernel, dcb: Ptr<'Dcb'>): boolean {
  const wakeup = readUserWord64(k, frameOf(k, dcb) + DispatcherFrame.wakeup.offset);
  if (wakeup !== 0 && wakeup <= k.hal.now()) return false;
  removeFromQueue(k, dcb);
  if (wakeup !== 0) setWakeup(k, dcb, wakeup);
  return true;
}

/** The dispatcher that a capability stands for; `NO_DCB` for none that can run here. */
function yieldTarget(k: Kernel, dcb: Ptr<'Dcb'>, target: number): Ptr<'Dcb'> {
  const { mem } = k;
  const found = lookupSlot(k.caps, Dcb.cspace.at(dcb), target, 2, Rights.Read);
  if (isError(found)) return NO_DCB;
  const cap = slotOf(found);
  const type = Cte.type.get(mem, cap);
  if (type !== ObjType.Dispatcher && type !== ObjType.EndPointLMP) return NO_DCB;
  if (!isOk(checkOwned(k.caps, cap))) return NO_DCB;
  const next = dcbOf(k, cap);
  // The caller itself would be entered at Run: a yield ends its being disabled.
  const isReady = next === dcb ? hasRunEntry(k, dcb) : canRun(k, next);
  return isReady ? next : NO_DCB;
}

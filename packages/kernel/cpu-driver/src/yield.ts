/** `Syscall.Yield`: a dispatcher gives the core back, or to another dispatcher. */

import { isError, lookupSlot, slotOf } from '@barreleye/caps';
import { asPtr, type Errval, OK, type Ptr } from '@barreleye/core';
import { Cte, Dcb, DispatcherFrame, Err, ObjType, Rights } from '@barreleye/spec';
import { currentDcb, dispatch, dispatchNext, frameOf, readUserWord64 } from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import { makeRunnable, removeFromQueue } from './schedule.ts';
import { setWakeup } from './wakeup.ts';

/**
 * Yield the core. The caller is not resumed: it is entered at Run when its turn comes.
 * @param target capability address of a dispatcher or LMP endpoint to run next, 0 for nobody
 * @returns OK when the kernel has been left; else the caller goes on
 * @errors SYS_ERR_CALLER_ENABLED; SYS_ERR_INVALID_YIELD_TARGET
 */
export function handleYield(k: Kernel, target: number): Errval {
  const { mem } = k;
  const dcb = currentDcb(k);
  const frame = frameOf(k, dcb);
  if (DispatcherFrame.disabled.get(mem, frame) === 0) return Err.SYS_ERR_CALLER_ENABLED;
  const next = target === 0 ? asPtr<'Dcb'>(0) : yieldTarget(k, dcb, target);
  if (target !== 0 && next === 0) return Err.SYS_ERR_INVALID_YIELD_TARGET;
  Dcb.disabled.set(mem, dcb, 0);
  Dcb.faultsTaken.set(mem, dcb, 0);
  if (!hasWork(k, frame)) sleep(k, dcb, frame);
  if (next === 0) {
    dispatchNext(k);
    return OK;
  }
  makeRunnable(k, next);
  dispatch(k, next);
  return OK;
}

/** Whether the dispatcher wants the core again although it yields. */
function hasWork(k: Kernel, frame: Ptr<'DispatcherFrame'>): boolean {
  const { mem } = k;
  if (DispatcherFrame.haswork.get(mem, frame) !== 0) return true;
  const seen = DispatcherFrame.lmpSeen.get(mem, frame);
  return seen !== DispatcherFrame.lmpDelivered.get(mem, frame);
}

/** Take the dispatcher off the run queue until a message or its wake-up time. */
function sleep(k: Kernel, dcb: Ptr<'Dcb'>, frame: Ptr<'DispatcherFrame'>): void {
  const wakeup = readUserWord64(k, frame + DispatcherFrame.wakeup.offset);
  if (wakeup !== 0 && wakeup <= k.hal.now()) return;
  removeFromQueue(k, dcb);
  if (wakeup !== 0) setWakeup(k, dcb, wakeup);
}

/** The dispatcher that a capability stands for, 0 when it stands for none that can run. */
function yieldTarget(k: Kernel, dcb: Ptr<'Dcb'>, target: number): Ptr<'Dcb'> {
  const found = lookupSlot(k.caps, Dcb.cspace.at(dcb), target, 2, Rights.Read);
  if (isError(found)) return asPtr(0);
  const type = Cte.type.get(k.mem, slotOf(found));
  const isTarget = type === ObjType.Dispatcher || type === ObjType.EndPointLMP;
  return asPtr(isTarget ? Cte.base.get(k.mem, slotOf(found)) : 0);
}

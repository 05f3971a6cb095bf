/**
 * `DispatcherCmd.Stop` and `Resume`: a dispatcher that is stopped never has the core, whoever wants
 * to give it to it. All else goes on: messages and interrupts arrive in its endpoints, its wake-up
 * time passes. Whom that makes runnable runs when it is resumed, where its registers were saved.
 *
 * It is a flag beside the state, so a new dispatcher can be stopped too: one that is set up to run
 * then does not, until it is resumed. Barrelfish has no such commands.
 */

import type { Slot } from '@barreleye/caps';
import { type Errval, OK } from '@barreleye/core';
import { Dcb, DcbState, Err, Kcb, NO_DCB } from '@barreleye/spec';
import { currentDcb, dcbOf } from './dcb.ts';
import { preempt } from './dispatch.ts';
import type { Kernel } from './kernel.ts';
import { resumeRunning, stopRunning } from './schedule.ts';

/**
 * Stop a dispatcher, perhaps the caller: then its answer waits with its registers, and nobody has
 * the core. One that is stopped stays so.
 * @errors SYS_ERR_DISP_NOT_RUNNABLE it is dead
 */
export function invokeStop(k: Kernel, dispatcher: Slot): Errval {
  const dcb = dcbOf(k, dispatcher);
  if (Dcb.state.get(k.mem, dcb) === DcbState.Dead) return Err.SYS_ERR_DISP_NOT_RUNNABLE;
  stopRunning(k, dcb);
  if (dcb === currentDcb(k)) leaveCore(k);
  return OK;
}

/**
 * Let a dispatcher run on; nothing if it is not stopped.
 * @errors SYS_ERR_DISP_NOT_RUNNABLE it is dead
 */
export function invokeResume(k: Kernel, dispatcher: Slot): Errval {
  const dcb = dcbOf(k, dispatcher);
  if (Dcb.state.get(k.mem, dcb) === DcbState.Dead) return Err.SYS_ERR_DISP_NOT_RUNNABLE;
  resumeRunning(k, dcb);
  return OK;
}

/** The caller has stopped itself: keep its registers with the answer, success without a value. */
function leaveCore(k: Kernel): void {
  const { regs, arch } = k.hal;
  for (const word of arch.resultWords) regs[word] = 0;
  preempt(k, currentDcb(k));
  Kcb.current.set(k.mem, k.kcb, NO_DCB);
}

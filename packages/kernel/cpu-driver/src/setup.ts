/**
 * `DispatcherCmd.Setup`: what a dispatcher lives by, given to it once by whoever made it. It starts
 * disabled: with the registers that its creator has written into the disabled save area of its
 * frame.
 * Source: Barrelfish kernel/syscall.c `sys_dispatcher_setup`, checks in its order; @differs nothing
 * changes on an error, and the VSpace is held by its capability (T14).
 */

import {
  checkAvailable,
  checkOwned,
  checkRights,
  copyToSlot,
  errorOf,
  isEmpty,
  isError,
  lookupSlot,
  NO_SLOT,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import {
  asPtr,
  BASE_PAGE_BITS,
  type Errval,
  errPush,
  fromWords,
  isAligned,
  isInside,
  isOk,
  OK,
  type Ptr,
} from '@barreleye/core';
import {
  Cte,
  Dcb,
  DcbState,
  DISPATCHER_FRAME_BYTES,
  DispatcherFrame,
  Err,
  ObjType,
  Rights,
} from '@barreleye/spec';
import { currentDcb, dcbOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { makeRunnable } from './schedule.ts';

/** A checked setup; one record in the kernel's context is filled anew for every call. */
export interface SetupPlan {
  cspace: Slot;
  vspace: Slot;
  frame: Slot;
  /** Where user mode of the new dispatcher sees its frame. */
  frameVaddr: number;
  domainCore: number;
  domainId: number;
}

const READ_WRITE = Rights.Read | Rights.Write;

/** An empty plan to fill. */
export function createSetupPlan(): SetupPlan {
  return {
    cspace: NO_SLOT,
    vspace: NO_SLOT,
    frame: NO_SLOT,
    frameVaddr: 0,
    domainCore: 0,
    domainId: 0,
  };
}

/**
 * Set a new dispatcher up, and run it if that is asked for; or, where all addresses are 0, run one
 * that was set up before.
 * @errors SYS_ERR_DISP_NOT_RUNNABLE an address is 0, or there is nothing to run; those of
 *   `decodeCspace`, `decodeVspace`, `decodeFrame` and `decodeDomain`
 */
export function setupDispatcher(k: Kernel, dispatcher: Slot): Errval {
  const { mem, setupPlan } = k;
  const [cspace, , vspace, frame, run] = k.args;
  const dcb = dcbOf(k, dispatcher);
  if (cspace === 0 && vspace === 0 && frame === 0) {
    const isReady = Dcb.state.get(mem, dcb) === DcbState.New && !isEmpty(mem, Dcb.cspace.at(dcb));
    if (!isReady || run === 0) return Err.SYS_ERR_DISP_NOT_RUNNABLE;
    makeRunnable(k, dcb);
    return OK;
  }
  const err = decodeSetup(k, dcb, setupPlan);
  if (!isOk(err)) return err;
  applySetup(k, dcb, setupPlan);
  if (run !== 0) makeRunnable(k, dcb);
  return OK;
}

function decodeSetup(k: Kernel, dcb: Ptr<'Dcb'>, plan: SetupPlan): Errval {
  const [cspace, , vspace, frame] = k.args;
  if (cspace === 0 || vspace === 0 || frame === 0) return Err.SYS_ERR_DISP_NOT_RUNNABLE;
  let err = decodeCspace(k, dcb, plan);
  if (isOk(err)) err = decodeVspace(k, plan);
  if (isOk(err)) err = decodeFrame(k, plan);
  return isOk(err) ? decodeDomain(k, plan) : err;
}

/**
 * @errors e, then SYS_ERR_DISP_CSPACE_ROOT: those of `lookupSlot` and `checkOwned`;
 *   SYS_ERR_SLOT_IN_USE it was set up before, so the caller itself too; SYS_ERR_DISP_CSPACE_INVALID
 */
function decodeCspace(k: Kernel, dcb: Ptr<'Dcb'>, plan: SetupPlan): Errval {
  const { mem, caps } = k;
  const [address = 0, level = 0] = k.args;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, address, level, Rights.Read);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_DISP_CSPACE_ROOT);
  plan.cspace = slotOf(found);
  if (Cte.type.get(mem, plan.cspace) !== ObjType.L1CNode) return Err.SYS_ERR_DISP_CSPACE_INVALID;
  const owned = checkOwned(caps, plan.cspace);
  if (!isOk(owned)) return errPush(owned, Err.SYS_ERR_DISP_CSPACE_ROOT);
  const isNew = Dcb.state.get(mem, dcb) === DcbState.New && isEmpty(mem, Dcb.cspace.at(dcb));
  return isNew ? OK : errPush(Err.SYS_ERR_SLOT_IN_USE, Err.SYS_ERR_DISP_CSPACE_ROOT);
}

/**
 * The root table, in the new CSpace. Another core may own it: then this one translates through it,
 * and never changes it.
 * @errors e, then SYS_ERR_DISP_VSPACE_ROOT: those of `lookupSlot`, `checkRights` and
 *   `checkAvailable`; SYS_ERR_DISP_VSPACE_INVALID
 */
function decodeVspace(k: Kernel, plan: SetupPlan): Errval {
  const { mem, caps } = k;
  const found = lookupSlot(caps, plan.cspace, k.args[2] ?? 0, 2, READ_WRITE);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_DISP_VSPACE_ROOT);
  plan.vspace = slotOf(found);
  const { rootType } = k.hal.paging;
  if (Cte.type.get(mem, plan.vspace) !== rootType) return Err.SYS_ERR_DISP_VSPACE_INVALID;
  let err = checkRights(mem, plan.vspace, Rights.Write);
  if (isOk(err)) err = checkAvailable(caps, plan.vspace);
  return isOk(err) ? OK : errPush(err, Err.SYS_ERR_DISP_VSPACE_ROOT);
}

/**
 * The dispatcher frame, in the new CSpace.
 * @errors e, then SYS_ERR_DISP_FRAME: those of `lookupSlot`, `checkRights` and `checkAvailable`;
 *   SYS_ERR_DISP_FRAME_INVALID; SYS_ERR_DISP_FRAME_SIZE; SYS_ERR_INVARGS_SYSCALL user mode could
 *   not see the frame there
 */
function decodeFrame(k: Kernel, plan: SetupPlan): Errval {
  const { mem, caps, args } = k;
  const found = lookupSlot(caps, plan.cspace, args[3] ?? 0, 2, READ_WRITE);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_DISP_FRAME);
  plan.frame = slotOf(found);
  if (Cte.type.get(mem, plan.frame) !== ObjType.Frame) return Err.SYS_ERR_DISP_FRAME_INVALID;
  let err = checkRights(mem, plan.frame, READ_WRITE);
  if (isOk(err)) err = checkAvailable(caps, plan.frame);
  if (!isOk(err)) return errPush(err, Err.SYS_ERR_DISP_FRAME);
  const bytes = Cte.bytes.get(mem, plan.frame);
  if (bytes < DISPATCHER_FRAME_BYTES) return Err.SYS_ERR_DISP_FRAME_SIZE;
  const { userBase, userLimit } = k.hal.arch;
  plan.frameVaddr = fromWords(args[5] ?? 0, args[6] ?? 0);
  const isVisible =
    isAligned(plan.frameVaddr, BASE_PAGE_BITS) &&
    isInside(plan.frameVaddr, bytes, userBase, userLimit - userBase);
  return isVisible ? OK : Err.SYS_ERR_INVARGS_SYSCALL;
}

/**
 * The domain of the new dispatcher: one that a capability stands for, that of another dispatcher,
 * or that of the caller.
 * @errors e, then SYS_ERR_DISP_OCAP_LOOKUP: those of `lookupSlot` and, for a dispatcher,
 *   `checkOwned`; SYS_ERR_DISP_OCAP_TYPE
 */
function decodeDomain(k: Kernel, plan: SetupPlan): Errval {
  const { mem, caps } = k;
  const caller = currentDcb(k);
  const address = k.args[7] ?? 0;
  if (address === 0) return planDomainOf(k, caller, plan);
  const found = lookupSlot(caps, Dcb.cspace.at(caller), address, 2, Rights.Read);
  if (isError(found)) return errPush(errorOf(found), Err.SYS_ERR_DISP_OCAP_LOOKUP);
  const cap = slotOf(found);
  const type = Cte.type.get(mem, cap);
  if (type === ObjType.Domain) {
    plan.domainCore = Cte.arg0.get(mem, cap);
    plan.domainId = Cte.arg1.get(mem, cap);
    return OK;
  }
  if (type !== ObjType.Dispatcher) return Err.SYS_ERR_DISP_OCAP_TYPE;
  const owned = checkOwned(caps, cap);
  if (!isOk(owned)) return errPush(owned, Err.SYS_ERR_DISP_OCAP_LOOKUP);
  return planDomainOf(k, dcbOf(k, cap), plan);
}

function planDomainOf(k: Kernel, dcb: Ptr<'Dcb'>, plan: SetupPlan): Errval {
  plan.domainCore = Dcb.domainCore.get(k.mem, dcb);
  plan.domainId = Dcb.domainId.get(k.mem, dcb);
  return OK;
}

function applySetup(k: Kernel, dcb: Ptr<'Dcb'>, plan: SetupPlan): void {
  const { mem, caps, hal } = k;
  copyToSlot(caps, plan.cspace, Dcb.cspace.at(dcb));
  copyToSlot(caps, plan.vspace, Dcb.vspace.at(dcb));
  copyToSlot(caps, plan.frame, Dcb.frame.at(dcb));
  const frame = asPtr<'DispatcherFrame'>(Cte.base.get(mem, plan.frame));
  Dcb.frameBase.set(mem, dcb, frame);
  Dcb.frameVaddr.set(mem, dcb, plan.frameVaddr);
  Dcb.vspaceRoot.set(mem, dcb, Cte.base.get(mem, plan.vspace));
  Dcb.domainCore.set(mem, dcb, plan.domainCore);
  Dcb.domainId.set(mem, dcb, plan.domainId);
  Dcb.disabled.set(mem, dcb, 1);
  DispatcherFrame.disabled.set(mem, frame, 1);
  DispatcherFrame.coreId.set(mem, frame, hal.coreId);
  DispatcherFrame.frequency.set(mem, frame, hal.frequency);
}

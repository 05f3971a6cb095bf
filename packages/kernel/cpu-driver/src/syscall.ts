/**
 * The funnel: every system call comes in here and every result goes out here. Handlers return an
 * error value; only those that give the core away leave the kernel themselves.
 */

import {
  checkOwned,
  checkRights,
  errorOf,
  isError,
  isSweepPending,
  lookupSlot,
  slotOf,
  sweep,
} from '@barreleye/caps';
import { type Errval, highWord, isOk, lowWord, OK } from '@barreleye/core';
import {
  Cte,
  Dcb,
  Err,
  headerCommand,
  headerFlags,
  headerLevel,
  Kcb,
  LmpFlag,
  NO_DCB,
  ObjType,
  Rights,
  Syscall,
} from '@barreleye/spec';
import { argWord, loadArgs } from './args.ts';
import { currentDcb } from './dcb.ts';
import { canRun, dispatch, dispatchNext, isDisabled, preempt } from './dispatch.ts';
import { INVOCATIONS } from './invocations.ts';
import { count, type Kernel } from './kernel.ts';
import { sendMessage } from './lmp-send.ts';
import { handleLrpc } from './lrpc.ts';
import { wake } from './wakeup.ts';
import { handleYield } from './yield.ts';

/** Serve the system call in the live registers. */
export function handleSyscall(k: Kernel): void {
  count(k, Kcb.systemCalls);
  k.value = 0;
  k.next = NO_DCB;
  k.lrpcEndpoint = 0;
  k.isStopping = false;
  switch (argWord(k, 0)) {
    case Syscall.Invoke:
      finish(k, invoke(k));
      return;
    case Syscall.Yield:
      yieldCore(k);
      return;
    case Syscall.Lrpc:
      finish(k, handleLrpc(k));
      return;
    case Syscall.Suspend:
      suspendCore(k);
      return;
    case Syscall.Nop:
      finish(k, OK);
      return;
    default:
      finish(k, Err.SYS_ERR_ILLEGAL_SYSCALL);
  }
}

/** Only a refused yield comes back. */
function yieldCore(k: Kernel): void {
  const err = handleYield(k, argWord(k, 1));
  if (!isOk(err)) finish(k, err);
}

/**
 * The core sleeps, in the hands of the caller, until an interrupt; then the caller goes on when it
 * is its turn. Nobody waits longer for that than if it used up its slice.
 * @errors SYS_ERR_CALLER_ENABLED
 */
function suspendCore(k: Kernel): void {
  if (!isDisabled(k, currentDcb(k))) {
    finish(k, Err.SYS_ERR_CALLER_ENABLED);
    return;
  }
  answerCall(k, OK);
  k.hal.idle();
}

/** Look up the capability that is invoked, guard it, and run its command. */
function invoke(k: Kernel): Errval {
  const { caps, mem } = k;
  const header = argWord(k, 1);
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, argWord(k, 2), headerLevel(header), Rights.Read);
  if (isError(found)) return errorOf(found);
  const cap = slotOf(found);
  const type = Cte.type.get(mem, cap);
  const isMessage = type === ObjType.EndPointLMP && (headerFlags(header) & LmpFlag.Identify) === 0;
  if (isMessage) return sendMessage(k, cap, header);
  const invocation = INVOCATIONS[type]?.[headerCommand(header)];
  if (invocation === undefined) return Err.SYS_ERR_ILLEGAL_INVOCATION;
  const allowed = checkRights(mem, cap, invocation.rights);
  if (!isOk(allowed)) return allowed;
  const owned = checkOwned(caps, cap);
  if (!isOk(owned)) return owned;
  loadArgs(k, invocation.argCount);
  const err = invocation.run(k, cap);
  // Deletion ends in its call (ADR 11). What cannot be taken apart without other cores stays
  // marked; that is no failure of this call, which may have nothing to do with it.
  if (isSweepPending(caps)) sweep(caps);
  return err;
}

/**
 * Leave the kernel with a result: into the caller, or whom the call gives the core to, if that one
 * can run; into somebody else if the caller died of its own call. And for good if it was told to.
 */
function finish(k: Kernel, err: Errval): void {
  if (k.isStopping) {
    k.hal.halt();
    return;
  }
  const { next } = k;
  const caller = currentDcb(k);
  if (caller === NO_DCB) {
    dispatchNext(k);
    return;
  }
  answerCall(k, err);
  if (next === NO_DCB || next === caller || !canRun(k, next)) {
    k.hal.resumeUser();
    return;
  }
  preempt(k, caller);
  wake(k, next);
  dispatch(k, next, k.lrpcEndpoint);
}

/** Put the answer to the call into the live registers. */
function answerCall(k: Kernel, err: Errval): void {
  const { regs, arch } = k.hal;
  const { resultWords } = arch;
  regs[resultWords[0]] = lowWord(err);
  regs[resultWords[1]] = highWord(err);
  regs[resultWords[2]] = lowWord(k.value);
  regs[resultWords[3]] = highWord(k.value);
}

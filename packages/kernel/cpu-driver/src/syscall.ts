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
import { asPaddr, type Errval, highWord, isOk, lowWord, OK } from '@barreleye/core';
import {
  Cte,
  Dcb,
  DispatcherFrame,
  Err,
  headerCommand,
  headerLevel,
  INVOKE_ARGS_AT,
  Kcb,
  MESSAGE_WORDS,
  NO_DCB,
  Rights,
  Syscall,
} from '@barreleye/spec';
import { currentDcb, frameOf } from './dcb.ts';
import { dispatchNext } from './dispatch.ts';
import { INVOCATIONS } from './invocations.ts';
import { count, type Kernel } from './kernel.ts';
import { handleYield } from './yield.ts';

/** Serve the system call in the live registers. */
export function handleSyscall(k: Kernel): void {
  count(k, Kcb.systemCalls);
  k.value = 0;
  switch (argWord(k, 0)) {
    case Syscall.Invoke:
      finish(k, invoke(k));
      return;
    case Syscall.Yield:
      yieldCore(k);
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

/** Look up the capability that is invoked, guard it, and run its command. */
function invoke(k: Kernel): Errval {
  const { caps, mem } = k;
  const header = argWord(k, 1);
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, argWord(k, 2), headerLevel(header), Rights.Read);
  if (isError(found)) return errorOf(found);
  const cap = slotOf(found);
  const invocation = INVOCATIONS[Cte.type.get(mem, cap)]?.[headerCommand(header)];
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

/** Leave the kernel with a result; to somebody else if the caller died of its own call. */
function finish(k: Kernel, err: Errval): void {
  if (currentDcb(k) === NO_DCB) {
    dispatchNext(k);
    return;
  }
  const { regs, arch } = k.hal;
  const { resultWords } = arch;
  regs[resultWords[0]] = lowWord(err);
  regs[resultWords[1]] = highWord(err);
  regs[resultWords[2]] = lowWord(k.value);
  regs[resultWords[3]] = highWord(k.value);
  k.hal.resumeUser();
}

/** Argument word `i` of the system call: from its register, or from the message words. */
function argWord(k: Kernel, i: number): number {
  const { argWords } = k.hal.arch;
  const register = argWords[i];
  if (register !== undefined) return k.hal.regs[register] ?? 0;
  const word = i - argWords.length;
  if (word >= MESSAGE_WORDS) return 0;
  const frame = frameOf(k, currentDcb(k));
  return k.mem.load32(asPaddr(frame + DispatcherFrame.message.offset + 4 * word));
}

/** Fetch the arguments of an invocation once, before anything is checked. */
function loadArgs(k: Kernel, argCount: number): void {
  for (let i = 0; i < argCount; i++) k.args[i] = argWord(k, INVOKE_ARGS_AT + i);
}

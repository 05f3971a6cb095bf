/**
 * The funnel: every system call comes in here and every result goes out here. Handlers return an
 * error value; only those that give the core away leave the kernel themselves.
 */

import {
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
  INVOKE_ARGS_AT,
  MESSAGE_WORDS,
  Rights,
  Syscall,
} from '@barreleye/spec';
import { currentDcb, dispatchNext, frameOf } from './dispatch.ts';
import { INVOCATIONS } from './invocations.ts';
import { count, type Kernel } from './kernel.ts';
import { handleYield } from './yield.ts';

/** Serve the system call in the live registers. */
export function handleSyscall(k: Kernel): void {
  count(k, 'systemCalls');
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

/** Look up the capability that is invoked and run its command. */
function invoke(k: Kernel): Errval {
  const header = argWord(k, 1);
  const command = header & 0xff;
  const level = (header >>> 8) & 0xff;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(k.caps, root, argWord(k, 2), level, Rights.Read);
  if (isError(found)) return errorOf(found);
  const cap = slotOf(found);
  const invocation = INVOCATIONS[Cte.type.get(k.mem, cap)]?.[command];
  if (invocation === undefined) return Err.SYS_ERR_ILLEGAL_INVOCATION;
  const allowed = checkRights(k.mem, cap, invocation.rights);
  if (!isOk(allowed)) return allowed;
  loadArgs(k, invocation.argCount);
  const err = invocation.run(k, cap);
  if (isSweepPending(k.caps)) {
    const swept = sweep(k.caps);
    if (isOk(err) && !isOk(swept)) return swept;
  }
  return err;
}

/** Leave the kernel with a result; to somebody else if the caller died of its own call. */
function finish(k: Kernel, err: Errval): void {
  if (currentDcb(k) === 0) {
    dispatchNext(k);
    return;
  }
  const { regs, arch } = k.hal;
  const [errLow, errHigh, valueLow, valueHigh] = arch.resultWords;
  regs[errHigh] = highWord(err);
  regs[errLow] = lowWord(err);
  regs[valueHigh] = highWord(k.value);
  regs[valueLow] = lowWord(k.value);
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

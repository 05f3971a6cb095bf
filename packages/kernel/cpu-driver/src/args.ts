/** The words of a system call, wherever the architecture has them. */

import { asPaddr } from '@barreleye/core';
import { DispatcherFrame, INVOKE_ARGS_AT, MESSAGE_WORDS } from '@barreleye/spec';
import { currentDcb, frameOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';

/** Word `i` of the system call: from its register, or from the message words. */
export function argWord(k: Kernel, i: number): number {
  const { argWords } = k.hal.arch;
  const register = argWords[i];
  if (register !== undefined) return k.hal.regs[register] ?? 0;
  const word = i - argWords.length;
  if (word >= MESSAGE_WORDS) return 0;
  const frame = frameOf(k, currentDcb(k));
  return k.mem.load32(asPaddr(frame + DispatcherFrame.message.offset + 4 * word));
}

/** Fetch the arguments of an invocation once, before anything is checked. */
export function loadArgs(k: Kernel, argCount: number): void {
  loadWords(k, INVOKE_ARGS_AT, argCount);
}

/** Fetch `count` words of the system call, from word `first` on. */
export function loadWords(k: Kernel, first: number, count: number): void {
  const { args, hal } = k;
  const { regs, arch } = hal;
  const { argWords } = arch;
  const inRegisters = Math.min(count, argWords.length - first);
  for (let i = 0; i < inRegisters; i++) args[i] = regs[argWords[first + i]!]!;
  for (let i = Math.max(0, inRegisters); i < count; i++) args[i] = argWord(k, first + i);
}

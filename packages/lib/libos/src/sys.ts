/**
 * System calls as words in registers. Every capability operation (caps.ts) is built on these three
 * steps: `begin`, `arg`, `call`. Arguments beyond the registers of the architecture go to the
 * message words of the dispatcher frame.
 *
 * These are plain calls: they run to completion and are not points of pre-emption.
 */

import {
  asErrval,
  assert,
  type Errval,
  errPush,
  fail,
  fromWords,
  highWord,
  isOk,
  lowWord,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  CPTR_ROOTCN,
  DispatcherFrame,
  Err,
  invokeHeader,
  MESSAGE_WORDS,
  packPlace,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import type { Capref, SlotPlace } from './capref.ts';

export class Sys {
  readonly cpu: UserCpu;
  /** Virtual address of the dispatcher frame. */
  readonly frame: number;
  /** Result value of the last call, an exact number. */
  value: number;
  private argCount: number;

  constructor(cpu: UserCpu, frame: number) {
    this.cpu = cpu;
    this.frame = frame;
    this.value = 0;
    this.argCount = 0;
  }

  /** Begin an invocation of `cap`, which must lie in the domain's own CSpace. */
  begin(cap: Capref, command: number): void {
    this.argCount = 0;
    this.arg(Syscall.Invoke);
    this.arg(invokeHeader(command, cap.level));
    this.arg(cap.croot === CPTR_ROOTCN ? cap.cptr : 0xffff_ffff);
  }

  /** Begin another system call. */
  beginCall(number: number): void {
    this.argCount = 0;
    this.arg(number);
  }

  /** The next argument, a 32-bit word. */
  arg(word: number): void {
    const { argWords } = this.cpu.arch;
    const i = this.argCount;
    this.argCount = i + 1;
    const register = argWords[i];
    if (register !== undefined) this.cpu.regs[register] = word;
    else this.storeMessage(i - argWords.length, word);
  }

  /** The next two arguments: an exact number, low word first. */
  arg64(n: number): void {
    this.arg(lowWord(n));
    this.arg(highWord(n));
  }

  /** The next two arguments: a CNode, and the place in it. */
  argPlace(place: SlotPlace): void {
    this.arg(place.cnode);
    this.arg(packPlace(place.slot, place.cnodeLevel));
  }

  /**
   * Trap into the kernel.
   * @returns the kernel's answer; `value` holds what it returned besides
   */
  call(): Errval {
    const { cpu } = this;
    if (!cpu.syscall()) return Err.SYS_ERR_DISP_NOT_RUNNABLE; // gone: nothing will read this
    const [errLow, errHigh, valueLow, valueHigh] = cpu.arch.resultWords;
    const { regs } = cpu;
    this.value = fromWords(regs[valueLow] ?? 0, regs[valueHigh] ?? 0);
    return asErrval(fromWords(regs[errLow] ?? 0, regs[errHigh] ?? 0));
  }

  /** Message word `i` of the dispatcher frame: where the kernel puts results that take room. */
  message(i: number): number {
    return this.cpu.load32(this.frame + DispatcherFrame.message.offset + 4 * i);
  }

  /** Two message words as an exact number. */
  message64(i: number): number {
    return fromWords(this.message(i), this.message(i + 1));
  }

  private storeMessage(i: number, word: number): void {
    assert(i < MESSAGE_WORDS, 'the arguments do not fit the message words');
    this.cpu.store32(this.frame + DispatcherFrame.message.offset + 4 * i, word);
  }
}

/** `err` with the library's own `code` on top, if it is one. */
export function pushed(err: Errval, code: Errval): Errval {
  return isOk(err) ? OK : errPush(err, code);
}

/** Make the call that was begun: the value it returns, or its error with `code` on top. */
export function answered(sys: Sys, code: Errval): Result<number> {
  const err = sys.call();
  return isOk(err) ? succeed(sys.value) : fail(errPush(err, code));
}

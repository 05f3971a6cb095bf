/**
 * For tests of library code without a machine and without a kernel: a processor driven by hand.
 * The test is the kernel. All memory there is, is a dispatcher frame, mapped where the architecture
 * puts it; everything else is a page fault.
 */

import {
  asPaddr,
  assert,
  type Errval,
  fromWords,
  highWord,
  lowWord,
  PhysMem,
  panic,
} from '@barreleye/core';
import {
  Access,
  type Arch,
  DISPATCHER_FRAME_BYTES,
  DispatcherFrame,
  GATE_BYTES,
  GATES_AT,
  Gate,
  type ProgramInstance,
  type UserCpu,
  writeRegister,
} from '@barreleye/spec';

export class HandCpu implements UserCpu {
  readonly arch: Arch;
  readonly regs: Uint32Array;
  /** The dispatcher frame; physical addresses are the virtual ones. */
  readonly mem: PhysMem;
  /** What `now` says. */
  cycles: number;
  /** The kernel at a system call: calls `answer`, or `leave` to give the core away. */
  onSyscall: () => void;
  /** The kernel at a point of pre-emption: may call `leave`. */
  onPoll: () => void;
  /** The kernel at a page fault; the core is gone afterwards. */
  onFault: (va: number, access: number) => void;
  private isHeld: boolean;

  constructor(arch: Arch) {
    this.arch = arch;
    this.regs = new Uint32Array(256);
    this.mem = new PhysMem(new ArrayBuffer(DISPATCHER_FRAME_BYTES), arch.dispatcherBase);
    this.cycles = 0;
    this.onSyscall = () => panic('a system call was not expected');
    this.onPoll = () => undefined;
    this.onFault = (va) => panic(`a page fault at ${va} was not expected`);
    this.isHeld = false;
  }

  // The kernel's side

  /** Let whoever runs hold the core. */
  hold(): void {
    this.isHeld = true;
  }

  /** Take the core away. */
  leave(): void {
    this.isHeld = false;
  }

  /** Enter `instance` at `gate` as the machine does; back when it has left. */
  enter(instance: ProgramInstance, gate: number, args: readonly number[] = []): void {
    this.regs.fill(0);
    for (const [i, arg] of [this.arch.dispatcherBase, ...args].entries()) {
      const r = this.arch.upcallArgs[i];
      assert(r !== undefined, 'an upcall has five arguments');
      writeRegister(this.regs, r, arg);
    }
    writeRegister(this.regs, this.arch.pc, this.gateAddress(Gate.Resume));
    this.hold();
    instance.enter(gate);
    assert(!this.isHeld, 'a program returned while it held the core');
  }

  /** Virtual address of a gate of the program. */
  gateAddress(gate: number): number {
    return this.arch.imageBase + GATES_AT + gate * GATE_BYTES;
  }

  /** Argument word `i` of the system call, from its register or from the message words. */
  argWord(i: number): number {
    const { argWords, dispatcherBase } = this.arch;
    const register = argWords[i];
    if (register !== undefined) return this.regs[register] ?? 0;
    const at = asPaddr(dispatcherBase);
    return DispatcherFrame.message.get(this.mem, at, i - argWords.length);
  }

  /** Argument words `i` and `i + 1` as an exact number. */
  argWord64(i: number): number {
    return fromWords(this.argWord(i), this.argWord(i + 1));
  }

  /** Put a message word into the dispatcher frame. */
  setMessage(i: number, word: number): void {
    DispatcherFrame.message.set(this.mem, asPaddr(this.arch.dispatcherBase), i, word);
  }

  /** Return from the system call. */
  answer(err: Errval, value = 0): void {
    const [errLow, errHigh, valueLow, valueHigh] = this.arch.resultWords;
    this.regs[errLow] = lowWord(err);
    this.regs[errHigh] = highWord(err);
    this.regs[valueLow] = lowWord(value);
    this.regs[valueHigh] = highWord(value);
  }

  // UserCpu

  isLive(): boolean {
    return this.isHeld;
  }

  now(): number {
    return this.cycles;
  }

  spend(cycles: number): void {
    this.cycles += cycles;
  }

  syscall(): boolean {
    if (this.isHeld) this.onSyscall();
    return this.isHeld;
  }

  poll(): boolean {
    if (this.isHeld) this.onPoll();
    return this.isHeld;
  }

  load8(va: number): number {
    return this.reaches(va, 1, Access.Read) ? this.mem.load8(asPaddr(va)) : -1;
  }

  load16(va: number): number {
    return this.reaches(va, 2, Access.Read) ? this.mem.load16(asPaddr(va)) : -1;
  }

  load32(va: number): number {
    return this.reaches(va, 4, Access.Read) ? this.mem.load32(asPaddr(va)) : -1;
  }

  store8(va: number, value: number): boolean {
    const isMapped = this.reaches(va, 1, Access.Write);
    if (isMapped) this.mem.store8(asPaddr(va), value);
    return isMapped;
  }

  store16(va: number, value: number): boolean {
    const isMapped = this.reaches(va, 2, Access.Write);
    if (isMapped) this.mem.store16(asPaddr(va), value);
    return isMapped;
  }

  store32(va: number, value: number): boolean {
    const isMapped = this.reaches(va, 4, Access.Write);
    if (isMapped) this.mem.store32(asPaddr(va), value);
    return isMapped;
  }

  loadAcquire32(va: number): number {
    return this.reaches(va, 4, Access.Read) ? this.mem.loadAcquire32(asPaddr(va)) : -1;
  }

  storeRelease32(va: number, value: number): boolean {
    const isMapped = this.reaches(va, 4, Access.Write);
    if (isMapped) this.mem.storeRelease32(asPaddr(va), value);
    return isMapped;
  }

  private reaches(va: number, bytes: number, access: number): boolean {
    if (!this.isHeld) return false;
    assert(va % bytes === 0, 'a misaligned access');
    if (this.mem.contains(va, bytes)) return true;
    this.onFault(va, access);
    this.leave();
    return false;
  }
}

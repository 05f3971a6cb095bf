/** System calls as words in registers and in the dispatcher frame. */

import { asPaddr, errPush, OK } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  CPTR_ROOTCN,
  DispatcherFrame,
  Err,
  MESSAGE_WORDS,
  Syscall,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { type Capref, capref, rootCapref } from './capref.ts';
import { HandCpu } from './hand-cpu.ts';
import { Sys } from './sys.ts';

function create(arch = archX86_64): { cpu: HandCpu; sys: Sys } {
  const cpu = new HandCpu(arch);
  cpu.hold();
  return { cpu, sys: new Sys(cpu, arch.dispatcherBase) };
}

describe.each([archX86_64, archArmv7])('a system call on $name', (arch) => {
  it('has its arguments in the registers of the architecture, then in message words', () => {
    const { cpu, sys } = create(arch);
    const registerWords = arch.argWords.length;
    sys.beginCall(Syscall.Nop);
    for (let i = 1; i < registerWords + 5; i++) sys.arg(0x1000 + i);
    expect(arch.argWords.map((word) => cpu.regs[word])).toEqual([
      Syscall.Nop,
      ...Array.from({ length: registerWords - 1 }, (_, i) => 0x1001 + i),
    ]);
    const frame = asPaddr(arch.dispatcherBase);
    const message = [0, 1, 2, 3, 4, 5].map((i) => DispatcherFrame.message.get(cpu.mem, frame, i));
    expect(message).toEqual([0, 1, 2, 3, 4].map((i) => 0x1000 + registerWords + i).concat(0));
  });

  it('uses every argument word once and none of the stack and program counter', () => {
    expect(new Set(arch.argWords).size).toBe(arch.argWords.length);
    for (const r of [arch.pc, arch.sp]) {
      expect(arch.argWords).not.toContain(2 * r);
      expect(arch.argWords).not.toContain(2 * r + 1);
    }
  });

  it('returns error and value as the kernel left them', () => {
    const { cpu, sys } = create(arch);
    const err = errPush(Err.SYS_ERR_CAP_NOT_FOUND, errPush(Err.LIB_ERR_CAP_COPY, OK));
    cpu.onSyscall = () => cpu.answer(err, 0x12_3456_789a_bcde);
    sys.beginCall(Syscall.Nop);
    expect([sys.call(), sys.value]).toEqual([err, 0x12_3456_789a_bcde]);
    cpu.onSyscall = () => cpu.answer(OK);
    expect([sys.call(), sys.value]).toEqual([OK, 0]);
  });

  it('reads results that the kernel put into the message words', () => {
    const { cpu, sys } = create(arch);
    const frame = asPaddr(arch.dispatcherBase);
    DispatcherFrame.message.set(cpu.mem, frame, 3, 0xffff_fffe);
    DispatcherFrame.message.set(cpu.mem, frame, 4, 0x7);
    expect([sys.message(3), sys.message64(3)]).toEqual([0xffff_fffe, 0x7_ffff_fffe]);
  });
});

describe('an invocation', () => {
  it('names the capability by header and address', () => {
    const { cpu, sys } = create();
    sys.begin(capref(5, 12), 7);
    sys.arg(99);
    expect([0, 1, 2, 3].map((i) => cpu.argWord(i))).toEqual([Syscall.Invoke, 0x207, 0x50c, 99]);
    sys.begin(rootCapref(5), 3);
    expect([0, 1, 2].map((i) => cpu.argWord(i))).toEqual([Syscall.Invoke, 0x103, 0x500]);
  });

  it('of a capability in another CSpace names nothing', () => {
    const { cpu, sys } = create();
    const mine = capref(5, 12);
    const foreign: Capref = { ...mine, croot: capref(5, 13).cptr };
    expect(mine.croot).toBe(CPTR_ROOTCN);
    sys.begin(foreign, 7);
    expect(cpu.argWord(2)).toBe(0xffff_ffff);
  });

  it('forgets the arguments of the one before', () => {
    const { cpu, sys } = create();
    sys.beginCall(Syscall.Nop);
    for (let i = 0; i < 8; i++) sys.arg(1);
    sys.beginCall(Syscall.Yield);
    sys.arg(42);
    expect([cpu.argWord(0), cpu.argWord(1)]).toEqual([Syscall.Yield, 42]);
  });

  it('splits exact numbers into two words, low first', () => {
    const { cpu, sys } = create();
    sys.beginCall(Syscall.Nop);
    sys.arg64(Number.MAX_SAFE_INTEGER);
    expect([cpu.argWord(1), cpu.argWord(2)]).toEqual([0xffff_ffff, 0x1f_ffff]);
    expect(cpu.argWord64(1)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('panics when there is no more room for arguments, and writes nothing beyond', () => {
    const { cpu, sys } = create(archArmv7);
    sys.beginCall(Syscall.Nop);
    const room = archArmv7.argWords.length - 1 + MESSAGE_WORDS;
    for (let i = 0; i < room; i++) sys.arg(0xffff_ffff);
    expect(() => sys.arg(0xffff_ffff)).toThrow('message words');
    const behind = archArmv7.dispatcherBase + DispatcherFrame.message.offset + 4 * MESSAGE_WORDS;
    expect(cpu.mem.load32(asPaddr(behind))).toBe(0);
  });

  it('that costs the caller its core says so and reads no result', () => {
    const { cpu, sys } = create();
    cpu.onSyscall = () => {
      cpu.answer(OK, 5);
      cpu.leave();
    };
    sys.beginCall(Syscall.Yield);
    expect(sys.call()).toBe(Err.SYS_ERR_DISP_NOT_RUNNABLE);
    expect(sys.value).toBe(0);
  });
});

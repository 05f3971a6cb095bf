/** The kernel of tests that look at the words of system calls, and at what is made of an answer. */

import { type Errval, OK } from '@barreleye/core';
import { archX86_64, Syscall } from '@barreleye/spec';
import { expect } from 'vitest';
import { HandCpu } from '../src/hand-cpu.ts';
import { Sys } from '../src/sys.ts';

/** A kernel that writes down the words of calls and gives one answer to all. */
export class Recorder {
  readonly cpu: HandCpu;
  readonly sys: Sys;
  readonly calls: number[][] = [];

  constructor(arch = archX86_64, err: Errval = OK, value = 0) {
    this.cpu = new HandCpu(arch);
    this.sys = new Sys(this.cpu, arch.dispatcherBase);
    this.cpu.hold();
    this.cpu.onSyscall = () => {
      this.calls.push(Array.from({ length: 20 }, (_, i) => this.cpu.argWord(i)));
      this.cpu.answer(err, value);
    };
  }

  /** The words of the only call: header, capability address, arguments. */
  words(count: number): number[] {
    expect(this.calls.length).toBe(1);
    const [number, ...rest] = this.calls[0] ?? [];
    expect(number).toBe(Syscall.Invoke);
    return rest.slice(0, count + 2);
  }
}

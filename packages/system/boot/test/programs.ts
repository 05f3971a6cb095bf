/** Targets and programs for boots without a library: what user mode is at its barest. */

import { asPaddr, asPtr, PhysMem } from '@barreleye/core';
import { boardPc64 } from '@barreleye/machine';
import { pagingX86_64 } from '@barreleye/paging-x86-64';
import {
  type Arch,
  GATE_BYTES,
  GATE_COUNT,
  GATES_AT,
  GateWord,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
  type Program,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import type { ModuleFile, Target } from '../src/index.ts';

const arch: Arch = boardPc64.arch;

/** A program that does `act` whenever it is entered, and then yields until it is called again. */
export function programOf(name: string, act: (cpu: UserCpu, gate: number) => void): Program {
  return {
    name,
    create: (cpu) => ({
      enter(gate) {
        act(cpu, gate);
        const [number = 0, target = 0] = arch.argWords;
        cpu.regs[number] = Syscall.Yield;
        cpu.regs[target] = 0;
        while (cpu.isLive() && cpu.syscall());
      },
    }),
  };
}

/** A PC with these files beside its CPU driver `/sbin/cpu`. */
export function targetOf(files: Readonly<Record<string, ModuleFile>>): Target {
  return {
    name: 'pc',
    board: boardPc64,
    paging: pagingX86_64,
    menu: 'cpudriver /sbin/cpu\nmodule /sbin/init',
    cpuDriver: '/sbin/cpu',
    files: new Map(Object.entries(files)),
    imageOf: (index, program) => imageOf(index, program.name),
  };
}

function imageOf(index: number, name: string): Uint8Array {
  const mem = new PhysMem(new ArrayBuffer(IMAGE_BYTES));
  const header = asPtr<'ImageHeader'>(0);
  ImageHeader.magic.set(mem, header, IMAGE_MAGIC);
  ImageHeader.gatesAt.set(mem, header, GATES_AT);
  ImageHeader.program.set(mem, header, index);
  ImageHeader.name.set(mem, header, name);
  for (let gate = 0; gate < GATE_COUNT; gate++) {
    const word = asPtr<'GateWord'>(GATES_AT + gate * GATE_BYTES);
    GateWord.opcode.set(mem, word, arch.gateOpcode);
    GateWord.gate.set(mem, word, gate);
    GateWord.program.set(mem, word, index);
  }
  return mem.read(asPaddr(0), IMAGE_BYTES);
}

import { describe, expect, it } from 'vitest';
import {
  CNodeCmd,
  COMMANDS,
  DispatcherCmd,
  IrqDestCmd,
  IrqSrcCmd,
  KernelCmd,
  MappingCmd,
  PageFlag,
  Syscall,
  VNodeCmd,
} from './syscalls.ts';

describe('numbers', () => {
  it.each([
    ['system calls', Syscall],
    ['CNode commands', CNodeCmd],
    ['page table commands', VNodeCmd],
    ['mapping commands', MappingCmd],
    ['dispatcher commands', DispatcherCmd],
    ['IRQ destination commands', IrqDestCmd],
    ['IRQ source commands', IrqSrcCmd],
    ['Kernel commands', KernelCmd],
  ])('of %s are distinct and fit eight bits', (_, table) => {
    const numbers = Object.values(table);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(number & 0xff).toBe(number);
  });

  it('are listed by the type of the capability they are for', () => {
    expect(COMMANDS.L1CNode).toBe(CNodeCmd);
    expect(COMMANDS.L2CNode).toBe(CNodeCmd);
    expect(COMMANDS.Kernel).toBe(KernelCmd);
    expect(COMMANDS.Null).toBeUndefined();
  });
});

describe('PageFlag', () => {
  it('is one bit each, and All of them', () => {
    const { All, ...single } = PageFlag;
    const bits = Object.values(single);
    expect(bits.reduce((all: number, bit) => all | bit, 0)).toBe(All);
    for (const bit of bits) expect(bit & (bit - 1)).toBe(0);
  });
});

/**
 * An instruction set architecture as shared code sees it: a value, chosen at boot. No shared code
 * asks which one it is; what differs is said here in numbers.
 */

import { highWord, lowWord } from '@barreleye/core';

/** Names of the architectures a core can have, by the number that `KernelCmd.GetArchId` answers. */
export const ARCH_NAMES = ['x86_64', 'x86_32', 'armv7'] as const;
export type ArchName = (typeof ARCH_NAMES)[number];

/**
 * Registers are numbered by position in `registers`. The live register file and the save areas
 * give each 64 bits, as two 32-bit words: word `2 * r` is the low half of register `r`.
 */
export interface Arch {
  readonly name: ArchName;
  /** Bytes of a machine word. */
  readonly wordBytes: 4 | 8;
  /** Register names in the manual's spelling. */
  readonly registers: readonly string[];
  /** Register numbers of the program counter and the stack pointer. */
  readonly pc: number;
  readonly sp: number;
  /** Words of the register file that carry system call arguments, argument 0 first. */
  readonly argWords: readonly number[];
  /** Words that carry the result: error low and high, value low and high. */
  readonly resultWords: readonly [number, number, number, number];
  /**
   * Registers that carry the arguments of an upcall: the dispatcher frame's virtual address, then
   * for a fault address, hardware code, program counter and access (spec `Access`); at the start of
   * a domain the second is its argument page.
   */
  readonly upcallArgs: readonly [number, number, number, number, number];
  /** Payload words of an LMP message. */
  readonly lmpWords: number;
  /** First word of a gate: an instruction that the manual leaves undefined for ever. */
  readonly gateOpcode: number;
  /** Lowest and first forbidden virtual address of user mode. */
  readonly userBase: number;
  readonly userLimit: number;
  /** Where a program's image, dispatcher frame, arguments and boot information are mapped. */
  readonly imageBase: number;
  readonly dispatcherBase: number;
  readonly bootInfoBase: number;
  /** Where a domain's library maps what it allocates. */
  readonly heapBase: number;
}

/** Register `r` of a register file as an address: signed, because there is a high half. */
export function readRegister(regs: Uint32Array, r: number): number {
  return ((regs[2 * r + 1] ?? 0) | 0) * 2 ** 32 + (regs[2 * r] ?? 0);
}

/** Store an address or another exact number in register `r` of a register file. */
export function writeRegister(regs: Uint32Array, r: number, value: number): void {
  regs[2 * r] = lowWord(value);
  regs[2 * r + 1] = highWord(value);
}

/** Word numbers of register `r`. */
function low(r: number): number {
  return 2 * r;
}

function both(r: number): [number, number] {
  return [2 * r, 2 * r + 1];
}

/** RAX to R15 in encoding order, then RIP, RFLAGS and the FS and GS bases. Intel SDM vol. 1 3.4. */
const X86_64_REGISTERS = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
  'RIP',
  'RFLAGS',
  'FS_BASE',
  'GS_BASE',
] as const;

/** 64-bit x86. RCX and R11 are clobbered by SYSCALL, so they carry nothing. */
export const archX86_64: Arch = {
  name: 'x86_64',
  wordBytes: 8,
  registers: X86_64_REGISTERS,
  pc: 16,
  sp: 4,
  argWords: [7, 6, 2, 10, 8, 9, 12, 13, 14, 15].flatMap(both),
  resultWords: [...both(0), ...both(2)] as [number, number, number, number],
  upcallArgs: [7, 6, 2, 1, 8],
  lmpWords: 10,
  gateOpcode: 0x0b0f_0b0f, // UD2 twice. Intel SDM vol. 2B "UD"
  userBase: 0x1_0000,
  userLimit: 2 ** 47,
  imageBase: 0x40_0000,
  dispatcherBase: 0x80_0000,
  bootInfoBase: 0x100_0000,
  heapBase: 0x80_0000_0000,
};

/** EAX to EDI in encoding order, then EIP, EFLAGS and two segments. Intel SDM vol. 1 3.4. */
const X86_32_REGISTERS = [
  'EAX',
  'ECX',
  'EDX',
  'EBX',
  'ESP',
  'EBP',
  'ESI',
  'EDI',
  'EIP',
  'EFLAGS',
  'FS',
  'GS',
] as const;

/**
 * 32-bit x86, with PAE and without. EAX, EBX, ECX, EDX, ESI, EDI, EBP carry arguments; calls with
 * more than seven words put the rest into the message words of the dispatcher frame.
 */
export const archX86_32: Arch = {
  name: 'x86_32',
  wordBytes: 4,
  registers: X86_32_REGISTERS,
  pc: 8,
  sp: 4,
  argWords: [0, 3, 1, 2, 6, 7, 5].map(low),
  resultWords: [low(0), low(2), low(1), low(3)],
  upcallArgs: [0, 2, 1, 3, 6],
  lmpWords: 9,
  gateOpcode: 0x0b0f_0b0f, // UD2 twice, as on x86_64
  userBase: 0x1_0000,
  userLimit: 2 ** 31,
  imageBase: 0x40_0000,
  dispatcherBase: 0x80_0000,
  bootInfoBase: 0x100_0000,
  heapBase: 0x4000_0000, // where an entry of the root table with PAE begins
};

/** R0 to R15, CPSR, TPIDRURO. ARM DDI 0406C B1.3. */
const ARMV7_REGISTERS = [
  'R0',
  'R1',
  'R2',
  'R3',
  'R4',
  'R5',
  'R6',
  'R7',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'SP',
  'LR',
  'PC',
  'CPSR',
  'TPIDRURO',
] as const;

/** ARMv7-A, 32 bits. */
export const archArmv7: Arch = {
  name: 'armv7',
  wordBytes: 4,
  registers: ARMV7_REGISTERS,
  pc: 15,
  sp: 13,
  argWords: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(low),
  resultWords: [low(0), low(1), low(2), low(3)],
  upcallArgs: [0, 1, 2, 3, 4],
  lmpWords: 9,
  gateOpcode: 0xe7f0_b0ff, // UDF #0xb0f. ARM DDI 0406C A8.8.247
  userBase: 0x1_0000,
  userLimit: 2 ** 31,
  imageBase: 0x40_0000,
  dispatcherBase: 0x80_0000,
  bootInfoBase: 0x100_0000,
  heapBase: 0x1000_0000,
};

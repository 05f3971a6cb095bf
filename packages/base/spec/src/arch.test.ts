import { BASE_PAGE_SIZE } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import { type Arch, archArmv7, archX86_32, archX86_64 } from './arch.ts';
import { BOOTINFO_BYTES } from './bootinfo.ts';
import { DISPATCHER_FRAME_BYTES, MESSAGE_WORDS, SAVE_AREA_REGISTERS } from './dispatcher-frame.ts';
import { INVOKE_ARGS_AT } from './syscalls.ts';
import { IMAGE_BYTES } from './user.ts';

const ARCHS: [string, Arch][] = [archX86_64, archX86_32, archArmv7].map((arch) => [
  arch.name,
  arch,
]);
const unique = (list: readonly number[]): boolean => new Set(list).size === list.length;

describe.each(ARCHS)('%s', (_, arch) => {
  const wordCount = 2 * arch.registers.length;
  const inFile = (words: readonly number[]): boolean =>
    words.every((word) => Number.isInteger(word) && word >= 0 && word < wordCount);

  it('has registers with different names, which fit a save area', () => {
    expect(new Set(arch.registers).size).toBe(arch.registers.length);
    expect(arch.registers.length).toBeLessThanOrEqual(SAVE_AREA_REGISTERS);
    expect(arch.pc).not.toBe(arch.sp);
    expect(inFile([2 * arch.pc, 2 * arch.sp])).toBe(true);
  });

  it('carries arguments in distinct words of the register file', () => {
    expect(unique(arch.argWords)).toBe(true);
    expect(inFile(arch.argWords)).toBe(true);
    expect(arch.argWords).not.toContain(2 * arch.pc);
    expect(arch.argWords).not.toContain(2 * arch.sp);
  });

  it('carries results and upcall arguments likewise', () => {
    for (const words of [arch.resultWords, arch.upcallArgs.map((r) => 2 * r)]) {
      expect(unique(words)).toBe(true);
      expect(inFile(words)).toBe(true);
    }
    expect(arch.upcallArgs).not.toContain(arch.sp);
    expect(arch.upcallArgs).not.toContain(arch.pc);
  });

  it('has words for the longest invocation, which is a retype with ten', () => {
    expect(arch.argWords.length + MESSAGE_WORDS).toBeGreaterThanOrEqual(INVOKE_ARGS_AT + 10);
    // Number, header and address, which the kernel reads before it knows the caller's wish.
    expect(arch.argWords.length).toBeGreaterThanOrEqual(INVOKE_ARGS_AT);
  });

  it('uses the high half of a register only if it has one', () => {
    if (arch.wordBytes === 8) return;
    for (const word of [...arch.argWords, ...arch.resultWords]) expect(word % 2).toBe(0);
  });

  it('places what a new domain has at pages, in order, without overlap', () => {
    const places = [
      [arch.userBase, 0],
      [arch.imageBase, IMAGE_BYTES],
      [arch.dispatcherBase, DISPATCHER_FRAME_BYTES],
      [arch.bootInfoBase, BOOTINFO_BYTES],
      [arch.heapBase, 0],
      [arch.userLimit, 0],
    ] as const;
    let free = 1; // page 0 stays unmapped
    for (const [base, bytes] of places) {
      expect(base % BASE_PAGE_SIZE).toBe(0);
      expect(base).toBeGreaterThanOrEqual(free);
      free = base + bytes;
    }
  });

  it('has a gate opcode of one word', () => {
    expect(arch.gateOpcode >>> 0).toBe(arch.gateOpcode);
  });
});

describe('registers by the manuals', () => {
  const argNames = (arch: Arch): (string | undefined)[] =>
    arch.argWords.filter((word) => word % 2 === 0).map((word) => arch.registers[word / 2]);

  it('x86_64: SYSCALL clobbers RCX and R11, so they carry no argument', () => {
    expect(archX86_64.registers[archX86_64.pc]).toBe('RIP');
    expect(archX86_64.registers[archX86_64.sp]).toBe('RSP');
    expect(argNames(archX86_64)).toEqual([
      'RDI',
      'RSI',
      'RDX',
      'R10',
      'R8',
      'R9',
      'R12',
      'R13',
      'R14',
      'R15',
    ]);
    const upcall = archX86_64.upcallArgs.map((r) => archX86_64.registers[r]);
    expect(upcall).toEqual(['RDI', 'RSI', 'RDX', 'RCX', 'R8', 'R9'].slice(0, upcall.length));
  });

  it('x86_32: all general registers but ESP', () => {
    expect(archX86_32.registers[archX86_32.pc]).toBe('EIP');
    expect(archX86_32.registers[archX86_32.sp]).toBe('ESP');
    const others = ['EAX', 'EBX', 'ECX', 'EDX', 'ESI', 'EDI', 'EBP'];
    expect(argNames(archX86_32)).toEqual(others);
    const upcall = archX86_32.upcallArgs.map((r) => archX86_32.registers[r]);
    expect(upcall).toEqual(['EAX', 'EDX', 'ECX', 'EBX', 'ESI']);
  });

  it('armv7: R0 to R12, and R15 is the program counter', () => {
    expect([archArmv7.pc, archArmv7.sp]).toEqual([15, 13]);
    expect(argNames(archArmv7)).toEqual(Array.from({ length: 13 }, (_, i) => `R${i}`));
  });

  it('gates are instructions that stay undefined', () => {
    // UD2 is 0F 0B; UDF #imm16 on ARM is 0xe7f000f0 with the immediate in bits 19-8 and 3-0.
    for (const { gateOpcode } of [archX86_64, archX86_32]) expect(gateOpcode).toBe(0x0b0f_0b0f);
    expect((archArmv7.gateOpcode & 0xfff0_00f0) >>> 0).toBe(0xe7f0_00f0);
  });
});

/**
 * Programs: user mode written in TypeScript. What machine code does with instructions, a program
 * does with the calls of `UserCpu`; it reaches nothing else. `lib` implements `Program`, `machine`
 * implements `UserCpu`, and neither imports the other.
 *
 * A program's image is a page of gates: undefined instructions followed by a gate number. The core
 * fetches at the program counter through the page tables like any instruction; when it finds a gate
 * it enters the program there. So the kernel starts, upcalls and resumes a program by setting a
 * program counter, exactly as it does with machine code (ADR 5).
 */

import { layout, text, u32 } from '@barreleye/core';
import type { Arch } from './arch.ts';

/** Where a program can be entered. The number of a gate is its place in the image. */
export const Gate = {
  Start: 0, // the first instruction of a new domain
  Run: 1,
  Lrpc: 2,
  PageFault: 3,
  PageFaultDisabled: 4,
  Trap: 5,
  Resume: 6, // where a program "is" while its code runs
} as const;

export const GATE_COUNT = 7;
/** Bytes of a gate. */
export const GATE_BYTES = 16;

/** One gate in memory. */
export const GateWord = layout('GateWord', GATE_BYTES, {
  opcode: u32(0), // Arch.gateOpcode
  gate: u32(4), // Gate
  program: u32(8), // number of the program in the machine's program table
});

/** "BEPI": a program image. */
export const IMAGE_MAGIC = 0x4950_4542;
/** Bytes of the image of a program: header, then the gates. */
export const IMAGE_BYTES = 4096;

/** Header of a program image; the gates follow at `gatesAt`. */
export const ImageHeader = layout('ImageHeader', 64, {
  magic: u32(0),
  gatesAt: u32(4), // offset in the image, bytes
  program: u32(8),
  name: text(16, 48),
});

/** Offset of the first gate in an image. */
export const GATES_AT = 64;

/** Why a core left user mode. */
export const TrapKind = {
  Syscall: 0,
  PageFault: 1, //   the address and the code are in the core's fault registers
  Undefined: 2, //   undefined instruction
  Interrupt: 3, //   timer, device or doorbell
  BusError: 4, //    the physical address answers to nobody
  Protection: 5, //  an address that no page table could map
  Abort: 6, //       a program gave up: it threw what nobody catches, and cannot go on
} as const;
export type TrapKind = (typeof TrapKind)[keyof typeof TrapKind];

/**
 * The processor as user mode sees it. Accesses go through the page tables of the current address
 * space. A call that returns "left" (`-1` or `false`) means that the core is now somewhere else,
 * in the kernel's hands: the program must return to the machine (a thread: `yield`) at once, and
 * touch nothing before it is entered again.
 */
export interface UserCpu {
  readonly arch: Arch;
  /** The live register file, two 32-bit words a register. */
  readonly regs: Uint32Array;
  /** Whether this program still holds the core. */
  isLive(): boolean;
  /** Cycles since power-on. */
  now(): number;
  /** Execute the system call instruction. False: left. */
  syscall(): boolean;
  /**
   * A point of pre-emption: take interrupts that are pending. False: left, or asked by the host to
   * pause; a paused program is entered again at `Gate.Resume` with its registers as they were.
   */
  poll(): boolean;
  /** Let `cycles` cycles of computation pass, a whole number below 2^32; others are ignored. */
  spend(cycles: number): void;
  /**
   * The value at `va`, zero-extended; -1: a page fault or bus error, left. A misaligned access is
   * a bus error.
   */
  load8(va: number): number;
  load16(va: number): number;
  load32(va: number): number;
  /** Store the low bits of `value`. False: a page fault or bus error, left. */
  store8(va: number, value: number): boolean;
  store16(va: number, value: number): boolean;
  store32(va: number, value: number): boolean;
  /**
   * As `load32` and `store32`, for a word that cores share: who sees what was stored by
   * `storeRelease32` sees all that the other core stored before it, too. All such accesses have one
   * order in which every core sees them.
   */
  loadAcquire32(va: number): number;
  storeRelease32(va: number, value: number): boolean;
}

/** One running program: its threads and its library state. */
export interface ProgramInstance {
  /**
   * The core has arrived at `gate`; its registers are live in `cpu.regs`. Runs until the core has
   * left (`cpu.isLive()` is false).
   */
  enter(gate: number): void;
}

/** A program that can be started any number of times. */
export interface Program {
  /** Name of the image, printable ASCII, at most 48 characters. */
  readonly name: string;
  /** Called when a new dispatcher arrives at `Gate.Start`. */
  create(cpu: UserCpu): ProgramInstance;
}

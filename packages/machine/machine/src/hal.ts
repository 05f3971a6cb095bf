/**
 * All that a CPU driver may ask of hardware, and all that hardware asks of a CPU driver. Nothing
 * else crosses. Narrow enough that a bare-metal host could be written for it.
 *
 * A kernel entry is one call of `TrapHandler.onTrap`. It runs to completion and ends in exactly one
 * of `resumeUser`, `enterUser`, `idle` and `halt`; nothing of the kernel stays on the host's stack.
 */

import type { CoreId, Paddr, PhysMem, Ptr } from '@barreleye/core';
import { type Arch, NOTIFY_LINES, type Paging, type TrapKind } from '@barreleye/spec';

/**
 * Interrupt lines that every core has. Devices have the numbers from `FirstDevice` to 31; other
 * cores raise those from `FirstNotify` on.
 */
export const IrqLine = {
  Timer: 0,
  Doorbell: 1,
  FirstDevice: 2,
  FirstNotify: NOTIFY_LINES.first,
  Count: NOTIFY_LINES.end,
} as const;

/** The side of the kernel. */
export interface TrapHandler {
  /** The core has left user mode, or idle mode, for the reason `kind`. */
  onTrap(kind: TrapKind): void;
}

/** The side of the hardware. */
export interface CoreHal {
  readonly coreId: CoreId;
  readonly arch: Arch;
  readonly paging: Paging;
  /** RAM, and what lies between its regions; only RAM may be touched. */
  readonly mem: PhysMem;
  /** Whether all of [`at`, `at` + `bytes`) is RAM. */
  isRam(at: Paddr, bytes: number): boolean;
  /** Cycles per second of `now`. */
  readonly frequency: number;
  /** The live register file of user mode: two 32-bit words a register. */
  readonly regs: Uint32Array;

  /** Cycles since power-on. */
  now(): number;
  /** Raise the timer interrupt at time `at`, cycles; `Infinity` disarms it. */
  setTimer(at: number): void;
  /** Acknowledge and return the lowest pending interrupt line, -1 when there is none. */
  takeInterrupt(): number;
  /**
   * Raise line `line` of another core: `Doorbell`, or one from `FirstNotify` on (the model's
   * inter-processor interrupt). Nothing happens if there is no such core.
   */
  raiseOn(target: CoreId, line: number): void;
  /**
   * Power another core on: its firmware finds what to do in the page at `page`, spec `BootInfo`.
   * @returns false: there is no such core, it is on already, or the page makes no sense to it
   */
  startCore(target: CoreId, page: Paddr): boolean;
  /** Whether nothing runs on a core, so that its memory is nobody's: it is off, or not there. */
  isOff(target: CoreId): boolean;
  /**
   * From the next trap on, another CPU driver that the firmware has is on this core, over the
   * control block at `kcb`. The entry under way is finished by the old one.
   * @returns false: the firmware has none
   */
  replaceDriver(kcb: Ptr<'Kcb'>): boolean;

  /** After a page fault or bus error: address, hardware's code, and the access (spec `Access`). */
  readonly faultAddress: number;
  readonly faultCode: number;
  readonly faultAccess: number;

  /**
   * Translate user accesses through the tables at `root`. `tag` names the address space: 0 to
   * 131,070, and one address space at a time has it.
   */
  loadRoot(root: Paddr, tag: number): void;
  /** The translation root in use, 0 before the first. */
  currentRoot(): Paddr;
  /** Forget the translations of the page at `va`, whatever its size, in every address space. */
  invalidatePage(va: number): void;
  /** Forget the translations of the address space `tag`, but not those of global pages. */
  invalidateTag(tag: number): void;
  /** Forget all translations, global ones too. */
  invalidateAll(): void;
  /** Set the register that user mode can read only: the address of its dispatcher frame. */
  setThreadPointer(va: number): void;

  /** Leave the kernel: go on behind the trapping instruction, registers live. */
  resumeUser(): void;
  /** Leave the kernel: user mode begins anew with the registers now in `regs`. */
  enterUser(): void;
  /** Leave the kernel: sleep until an interrupt, which arrives as a trap. */
  idle(): void;
  /** Leave the kernel for good: the core is off. Another core may start it anew. */
  halt(): void;
}

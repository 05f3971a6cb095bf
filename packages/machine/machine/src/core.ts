/**
 * One core: clock, timer, interrupt lines, registers, MMU, and the passage between user mode and
 * kernel. It implements `CoreHal` for its CPU driver; `UserPort` (user-port.ts) is what user mode
 * sees of it.
 */

import { asPaddr, assert, type CoreId, type Paddr, type PhysMem, type Ptr } from '@barreleye/core';
import { type Arch, GENERAL_PROTECTION, type Paging, TrapKind } from '@barreleye/spec';
import type { Bus } from './bus.ts';
import type { Coherence } from './coherence.ts';
import { Cost } from './costs.ts';
import { type CoreHal, IrqLine, type TrapHandler } from './hal.ts';
import { Mmu } from './mmu.ts';

/**
 * What a core is doing between two steps of its host. One that is halted has broken, or the machine
 * has no power; one that is off can be started.
 */
export const CoreMode = { Off: 0, Kernel: 1, User: 2, Idle: 3, Halted: 4 } as const;
export type CoreMode = (typeof CoreMode)[keyof typeof CoreMode];

/** Registers are 64 bits wide in the register file whatever the architecture. */
const REGISTER_FILE_WORDS = 256;

/** Words of the interrupt lines of a core. */
export const PENDING_WORDS = IrqLine.Count / 32;

export interface CoreOptions {
  readonly coreId: CoreId;
  readonly arch: Arch;
  readonly paging: Paging;
  readonly bus: Bus;
  readonly frequency: number;
  /** Charges for ordered accesses to what other cores have; nothing does if left out. */
  readonly coherence?: Coherence | undefined;
  /** Raises a line of core `target`. */
  readonly raiseOn: (target: CoreId, line: number) => void;
  /**
   * The words for `Core.pending`, `PENDING_WORDS` of them, where other threads raise lines of this
   * core; its own, if left out.
   */
  readonly pending?: Int32Array;
  /** Powers core `target` on: see `CoreHal.startCore`. */
  readonly startCore: (target: CoreId, page: Paddr) => boolean;
  /** Whether nothing runs on core `target`: see `CoreHal.isOff`. */
  readonly isOff: (target: CoreId) => boolean;
  /** Puts another CPU driver on this core: see `CoreHal.replaceDriver`. */
  readonly replaceDriver: (kcb: Ptr<'Kcb'>) => boolean;
}

export class Core implements CoreHal {
  readonly coreId: CoreId;
  readonly arch: Arch;
  readonly paging: Paging;
  readonly bus: Bus;
  readonly mem: PhysMem;
  readonly mmu: Mmu;
  readonly frequency: number;
  readonly coherence: Coherence | undefined;
  readonly regs: Uint32Array;
  /** The CPU driver; a new one may take over between any two traps. */
  handler: TrapHandler | undefined;
  mode: CoreMode;
  cycles: number;
  timerDeadline: number;
  /** One bit a line, 32 a word; devices and other cores set them, `takeInterrupt` clears them. */
  readonly pending: Int32Array;
  /** Counts the times that user mode began anew: who held the core before does so no more. */
  generation: number;
  /** What user mode reads as its thread pointer. */
  threadPointer: number;
  faultAddress: number;
  faultCode: number;
  faultName: string;
  faultAccess: number;
  /** What the CPU driver died of, if it did; the host reports it. */
  failure: unknown;
  private readonly options: CoreOptions;

  constructor(options: CoreOptions) {
    this.coreId = options.coreId;
    this.arch = options.arch;
    this.paging = options.paging;
    this.bus = options.bus;
    this.mem = options.bus.mem;
    this.mmu = new Mmu(options.bus.mem, options.paging, options.bus);
    this.frequency = options.frequency;
    this.coherence = options.coherence;
    this.regs = new Uint32Array(REGISTER_FILE_WORDS);
    this.handler = undefined;
    this.mode = CoreMode.Off;
    this.cycles = 0;
    this.timerDeadline = Number.POSITIVE_INFINITY;
    this.pending = options.pending ?? new Int32Array(PENDING_WORDS);
    assert(this.pending.length === PENDING_WORDS, 'as many words as there are lines');
    this.generation = 0;
    this.threadPointer = 0;
    this.faultAddress = 0;
    this.faultCode = 0;
    this.faultName = '';
    this.faultAccess = 0;
    this.failure = undefined;
    this.options = options;
  }

  /** Power on: `start` is the first kernel entry. */
  powerOn(handler: TrapHandler, start: () => void): void {
    assert(this.mode === CoreMode.Off, 'the core is running already');
    this.handler = handler;
    this.mode = CoreMode.Kernel;
    start();
    assert(this.mode !== CoreMode.Kernel, 'the CPU driver did not leave the kernel');
  }

  /** Power off, whatever the core is doing: it executes nothing more. */
  powerOff(): void {
    this.generation += 1;
    this.mode = CoreMode.Halted;
  }

  /** Enter the kernel for the reason `kind`; back when the kernel has left again. */
  trap(kind: TrapKind): void {
    const { handler } = this;
    assert(handler !== undefined, 'a trap on a core that has no CPU driver');
    const isInterrupted = this.mode === CoreMode.Idle && kind === TrapKind.Interrupt;
    assert(
      this.mode === CoreMode.User || isInterrupted,
      'only interrupts reach a core that is not in user mode, and only an idle one',
    );
    this.mode = CoreMode.Kernel;
    this.cycles += Cost.Trap;
    try {
      handler.onTrap(kind);
      assert(this.modeNow() !== CoreMode.Kernel, 'the CPU driver did not leave the kernel');
    } catch (error) {
      // The kernel runs above the program that trapped on the host's stack. Its failure must not
      // unwind through user code, which could catch it: keep it for the host and stop the core.
      this.failure = error;
      this.powerOff();
    }
  }

  /** Record a fault that the MMU has just reported, nearly always a page fault, and trap. */
  pageFault(va: number, access: number): void {
    const { faultCode, faultName } = this.mmu.walker;
    this.setFault(va, access, faultCode, faultName);
    this.trap(faultName === GENERAL_PROTECTION ? TrapKind.Protection : TrapKind.PageFault);
  }

  /** Record an access to nothing, and trap. */
  busError(va: number, access: number): void {
    this.setFault(va, access, 0, 'bus error');
    this.trap(TrapKind.BusError);
  }

  /** Raise interrupt line `line`. Safe from other threads. */
  raise(line: number): void {
    assert(line > IrqLine.Timer && line < IrqLine.Count, 'no such interrupt line');
    Atomics.or(this.pending, line >>> 5, 1 << (line & 31));
  }

  /** Whether an interrupt waits. */
  hasInterrupt(): boolean {
    const [devices, low, high] = this.pending;
    return devices !== 0 || low !== 0 || high !== 0 || this.cycles >= this.timerDeadline;
  }

  // CoreHal

  isRam(at: Paddr, bytes: number): boolean {
    return this.bus.isRam(at, bytes);
  }

  now(): number {
    return this.cycles;
  }

  setTimer(at: number): void {
    this.timerDeadline = at;
  }

  takeInterrupt(): number {
    if (this.cycles >= this.timerDeadline) {
      this.timerDeadline = Number.POSITIVE_INFINITY;
      return IrqLine.Timer;
    }
    for (let word = 0; word < this.pending.length; word++) {
      const lines = this.pending[word] ?? 0;
      if (lines === 0) continue;
      const bit = 31 - Math.clz32(lines & -lines);
      Atomics.and(this.pending, word, ~(1 << bit));
      return 32 * word + bit;
    }
    return -1;
  }

  raiseOn(target: CoreId, line: number): void {
    this.options.raiseOn(target, line);
  }

  startCore(target: CoreId, page: Paddr): boolean {
    return this.options.startCore(target, page);
  }

  isOff(target: CoreId): boolean {
    return this.options.isOff(target);
  }

  replaceDriver(kcb: Ptr<'Kcb'>): boolean {
    return this.options.replaceDriver(kcb);
  }

  loadRoot(root: Paddr, tag: number): void {
    this.mmu.root = root;
    this.mmu.tag = tag;
    this.cycles += Cost.LoadRoot;
  }

  currentRoot(): Paddr {
    return this.mmu.root;
  }

  invalidatePage(va: number): void {
    this.mmu.invalidatePage(va);
  }

  invalidateTag(tag: number): void {
    this.mmu.invalidateTag(tag);
  }

  invalidateAll(): void {
    this.mmu.invalidateAll();
  }

  setThreadPointer(va: number): void {
    this.threadPointer = va;
  }

  resumeUser(): void {
    this.leaveKernel(CoreMode.User);
  }

  enterUser(): void {
    this.generation += 1;
    this.leaveKernel(CoreMode.User);
  }

  idle(): void {
    this.generation += 1;
    this.leaveKernel(CoreMode.Idle);
  }

  halt(): void {
    this.generation += 1;
    this.leaveKernel(CoreMode.Off);
    this.forget();
  }

  /** Be as before the first power-on, but for the clock. */
  private forget(): void {
    this.handler = undefined;
    this.timerDeadline = Number.POSITIVE_INFINITY;
    for (let word = 0; word < this.pending.length; word++) Atomics.store(this.pending, word, 0);
    this.regs.fill(0);
    this.threadPointer = 0;
    this.setFault(0, 0, 0, '');
    this.mmu.root = asPaddr(0);
    this.mmu.tag = 0;
    this.mmu.invalidateAll();
  }

  private leaveKernel(mode: CoreMode): void {
    assert(this.mode === CoreMode.Kernel, 'the kernel can be left only once an entry');
    this.mode = mode;
  }

  /** The mode, re-read: a trap handler changes it behind the compiler's back. */
  private modeNow(): CoreMode {
    return this.mode;
  }

  private setFault(va: number, access: number, code: number, name: string): void {
    this.faultAddress = va;
    this.faultAccess = access;
    this.faultCode = code;
    this.faultName = name;
  }
}

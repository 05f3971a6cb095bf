/**
 * A core as user mode sees it: loads and stores through the MMU, the system call instruction, and
 * the points where it can be interrupted. One object per core.
 */

import { asPaddr } from '@barreleye/core';
import { Access, type Arch, TrapKind, type UserCpu } from '@barreleye/spec';
import { BUS_ERROR } from './bus.ts';
import { type Core, CoreMode } from './core.ts';
import { Cost } from './costs.ts';

/** `generation` of a port that nobody holds. */
const NOBODY = -1;
/** Cycles that can be spent at once, exclusive. */
const SPAN_LIMIT = 2 ** 32;

export class UserPort implements UserCpu {
  readonly arch: Arch;
  readonly regs: Uint32Array;
  /** User mode goes back to the host when the clock passes this, cycles. */
  pauseAt: number;
  private readonly core: Core;
  private holder: number;

  constructor(core: Core) {
    this.arch = core.arch;
    this.regs = core.regs;
    this.core = core;
    this.pauseAt = Number.POSITIVE_INFINITY;
    this.holder = NOBODY;
  }

  /** The program that is entered now holds the core until the kernel takes it away. */
  take(): void {
    this.holder = this.core.generation;
  }

  /** The address of the dispatcher frame, from the register that the kernel sets. */
  get threadPointer(): number {
    return this.core.threadPointer;
  }

  isLive(): boolean {
    return this.holder === this.core.generation && this.core.mode === CoreMode.User;
  }

  now(): number {
    return this.core.cycles;
  }

  spend(cycles: number): void {
    const isSpan = Number.isInteger(cycles) && cycles > 0 && cycles < SPAN_LIMIT;
    if (isSpan) this.core.cycles += cycles; // the clock must stay an exact number
  }

  syscall(): boolean {
    if (!this.isLive()) return false;
    this.core.trap(TrapKind.Syscall);
    return this.isLive();
  }

  poll(): boolean {
    if (!this.isLive()) return false;
    this.core.cycles += Cost.Poll;
    if (this.core.hasInterrupt()) this.core.trap(TrapKind.Interrupt);
    if (this.core.cycles >= this.pauseAt) this.holder = NOBODY;
    return this.isLive();
  }

  load8(va: number): number {
    return this.load(va, 1);
  }

  load16(va: number): number {
    return this.load(va, 2);
  }

  load32(va: number): number {
    const index = this.wordAt(va, Access.Read);
    if (index < 0) return this.load(va, 4);
    this.core.cycles += Cost.Access;
    return this.core.mem.words[index] ?? 0;
  }

  store8(va: number, value: number): boolean {
    return this.store(va, value, 1);
  }

  store16(va: number, value: number): boolean {
    return this.store(va, value, 2);
  }

  store32(va: number, value: number): boolean {
    const index = this.wordAt(va, Access.Write);
    if (index < 0) return this.store(va, value, 4);
    this.core.cycles += Cost.Access;
    this.core.mem.words[index] = value;
    return true;
  }

  loadAcquire32(va: number): number {
    const index = this.sharedWordAt(va, Access.Read);
    return index < 0 ? this.load(va, 4) : Atomics.load(this.core.mem.words, index);
  }

  storeRelease32(va: number, value: number): boolean {
    const index = this.sharedWordAt(va, Access.Write);
    if (index < 0) return this.store(va, value, 4);
    Atomics.store(this.core.mem.words, index, value);
    return true;
  }

  /** As `wordAt`, and translates first where it has to; -1 for devices, too: they have no order. */
  private sharedWordAt(va: number, access: number): number {
    const { core } = this;
    let index = this.wordAt(va, access);
    if (index >= 0) core.cycles += Cost.Access;
    else if (this.translate(va, 4, access) >= 0) index = this.wordAt(va, access);
    const { coherence } = core;
    if (index >= 0 && coherence !== undefined) {
      core.cycles = coherence.reach(core.coreId, index, access, core.cycles);
    }
    return index;
  }

  /** Index of the aligned word at `va` in RAM, if the TLB has its page; else -1. */
  private wordAt(va: number, access: number): number {
    if (!this.isLive() || (va & 3) !== 0) return -1;
    return this.core.mmu.ramIndexAt(va, access);
  }

  private load(va: number, bytes: number): number {
    const at = this.translate(va, bytes, Access.Read);
    if (at < 0) return -1;
    const value = this.core.bus.load(asPaddr(at), bytes);
    if (value === BUS_ERROR) this.core.busError(va, Access.Read);
    return value;
  }

  private store(va: number, value: number, bytes: number): boolean {
    const at = this.translate(va, bytes, Access.Write);
    if (at < 0) return false;
    if (this.core.bus.store(asPaddr(at), value, bytes)) return true;
    this.core.busError(va, Access.Write);
    return false;
  }

  private translate(va: number, bytes: number, access: number): number {
    const { core } = this;
    if (!this.isLive()) return -1;
    // What is not aligned could reach into the next page, which nobody has translated.
    if ((va & (bytes - 1)) !== 0) {
      core.busError(va, access);
      return -1;
    }
    const { mmu } = core;
    const misses = mmu.missCount;
    const at = mmu.translate(va, access);
    core.cycles += mmu.missCount === misses ? Cost.Access : Cost.Access + Cost.Walk;
    if (at < 0) core.pageFault(va, access);
    else if (!core.bus.isRam(at, bytes)) core.cycles += Cost.Device;
    return at;
  }
}

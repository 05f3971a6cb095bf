/**
 * The physical address space as a core's load and store unit sees it: RAM, device windows, and
 * holes. An access to a hole is a bus error, never silence.
 */

import { assert, isInside, type Paddr, type PhysMem, type PhysRange } from '@barreleye/core';
import type { Device } from './device.ts';

/** What a load from a hole returns. */
export const BUS_ERROR = -1;

interface Window {
  readonly base: number;
  readonly bytes: number;
  readonly device: Device;
}

export class Bus {
  readonly mem: PhysMem;
  /** RAM that exists, in address order. */
  readonly ram: readonly PhysRange[];
  private readonly windows: Window[];
  /** The largest RAM region: nearly every access falls into it. */
  private readonly mainBase: number;
  private readonly mainEnd: number;

  constructor(mem: PhysMem, ram: readonly PhysRange[]) {
    for (const range of ram) {
      assert(mem.contains(range.base, range.bytes), 'a RAM region lies outside the memory');
    }
    const [main] = [...ram].sort((a, b) => b.bytes - a.bytes);
    assert(main !== undefined, 'a machine needs RAM');
    this.mem = mem;
    this.ram = ram;
    this.windows = [];
    this.mainBase = main.base;
    this.mainEnd = main.base + main.bytes;
  }

  /** Let `device` answer to [`base`, `base` + `bytes`). Panics on overlap with RAM or a device. */
  attach(device: Device, base: Paddr, bytes: number): void {
    for (const other of [...this.ram, ...this.windows]) {
      const isApart = base + bytes <= other.base || other.base + other.bytes <= base;
      assert(isApart, 'device windows and RAM must not overlap');
    }
    this.windows.push({ base, bytes, device });
  }

  /** Whether all of [`at`, `at` + `bytes`) is RAM. */
  isRam(at: number, bytes: number): boolean {
    if (at >= this.mainBase && at + bytes <= this.mainEnd) return true;
    const { ram } = this;
    for (let i = 0; i < ram.length; i++) {
      const range = ram[i];
      if (range !== undefined && isInside(at, bytes, range.base, range.bytes)) return true;
    }
    return false;
  }

  /** Load `bytes` (1, 2 or 4, naturally aligned); `BUS_ERROR` from a hole. */
  load(at: Paddr, bytes: number): number {
    if (this.isRam(at, bytes)) {
      if (bytes === 4) return this.mem.load32(at);
      return bytes === 1 ? this.mem.load8(at) : this.mem.load16(at);
    }
    const window = this.windowAt(at, bytes);
    return window === undefined ? BUS_ERROR : window.device.load(at - window.base, bytes) >>> 0;
  }

  /** Store the low `bytes` bytes of `value`; false: a hole. */
  store(at: Paddr, value: number, bytes: number): boolean {
    if (this.isRam(at, bytes)) {
      if (bytes === 4) this.mem.store32(at, value);
      else if (bytes === 1) this.mem.store8(at, value);
      else this.mem.store16(at, value);
      return true;
    }
    const window = this.windowAt(at, bytes);
    if (window === undefined) return false;
    window.device.store(at - window.base, value, bytes);
    return true;
  }

  private windowAt(at: number, bytes: number): Window | undefined {
    const { windows } = this;
    for (let i = 0; i < windows.length; i++) {
      const window = windows[i];
      if (window !== undefined && isInside(at, bytes, window.base, window.bytes)) return window;
    }
    return undefined;
  }
}

/**
 * Memory that two cores share, as 32-bit words. Payload goes by plain accesses; whatever says that
 * payload is there, or is free again, by `loadAcquire` and `storeRelease`. These have one order in
 * which both sides see them: going to sleep depends on it.
 */

import type { UserCpu } from '@barreleye/spec';

export interface Words {
  /** The memory is there no more: loads are 0, stores are for nothing. */
  readonly isGone: boolean;
  load(index: number): number;
  store(index: number, value: number): void;
  /** Load `count` words from `index` on into `into`. In one call: that is twice as fast. */
  loadMany(index: number, into: Uint32Array, count: number): void;
  /** Store the first `count` words of `from` from `index` on. */
  storeMany(index: number, from: Uint32Array, count: number): void;
  loadAcquire(index: number): number;
  storeRelease(index: number, value: number): void;
}

/** Words of a SharedArrayBuffer: of two workers, on Node or in a browser. */
export class SharedWords implements Words {
  readonly isGone: boolean;
  private readonly cells: Int32Array;

  /** @param cells over a fixed-length buffer; a growable one is slow, here and elsewhere */
  constructor(cells: Int32Array) {
    this.isGone = false;
    this.cells = cells;
  }

  load(index: number): number {
    return this.cells[index]!;
  }

  store(index: number, value: number): void {
    this.cells[index] = value;
  }

  loadMany(index: number, into: Uint32Array, count: number): void {
    const { cells } = this;
    for (let i = 0; i < count; i++) into[i] = cells[index + i]!;
  }

  storeMany(index: number, from: Uint32Array, count: number): void {
    const { cells } = this;
    for (let i = 0; i < count; i++) cells[index + i] = from[i]!;
  }

  loadAcquire(index: number): number {
    return Atomics.load(this.cells, index);
  }

  storeRelease(index: number, value: number): void {
    Atomics.store(this.cells, index, value);
  }
}

/**
 * Words of a frame that is mapped in a domain. The other side may have a hand in the frame, and may
 * take it back at any time. Then an access faults, and the thread has lost the core: it yields
 * before it does anything else (`ReceiveResult.Left`).
 */
export class MappedWords implements Words {
  isGone: boolean;
  private readonly cpu: UserCpu;
  private readonly base: number;

  /** @param base virtual address of word 0, a multiple of 4; all pages are there */
  constructor(cpu: UserCpu, base: number) {
    this.isGone = false;
    this.cpu = cpu;
    this.base = base;
  }

  load(index: number): number {
    return this.loaded(this.isGone ? 0 : this.cpu.load32(this.base + 4 * index));
  }

  loadMany(index: number, into: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) into[i] = this.load(index + i);
  }

  storeMany(index: number, from: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) this.store(index + i, from[i]!);
  }

  store(index: number, value: number): void {
    if (!this.isGone) this.isGone = !this.cpu.store32(this.base + 4 * index, value);
  }

  loadAcquire(index: number): number {
    return this.loaded(this.isGone ? 0 : this.cpu.loadAcquire32(this.base + 4 * index));
  }

  storeRelease(index: number, value: number): void {
    if (!this.isGone) this.isGone = !this.cpu.storeRelease32(this.base + 4 * index, value);
  }

  private loaded(value: number): number {
    if (value >= 0) return value;
    this.isGone = true;
    return 0;
  }
}

/**
 * Physical RAM: one fixed-length buffer and the address of its first byte. Everything that a
 * kernel knows lives in here. Little-endian on every architecture, also on a big-endian host
 * for the accessors below.
 *
 * One concrete class, on purpose: more receiver classes at a call site cost ten times (ADR 1).
 * Never over a growable or resizable buffer, for the same reason.
 */

import type { Paddr } from './addr.ts';
import { assert } from './assert.ts';

/** A run of physical addresses. */
export interface PhysRange {
  readonly base: Paddr;
  readonly bytes: number;
}

const PAGE_BYTES = 4096;
const TWO_32 = 2 ** 32;
/** Up to here a loop is faster than the call of a built-in function: 8 ns, not 31, for a slot. */
const LOOP_BYTES = 128;

export class PhysMem {
  /** The storage; a SharedArrayBuffer where cores run in parallel. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Physical address of the first byte of `buffer`; a multiple of the page size. */
  readonly origin: number;
  /** Length of `buffer`, bytes; a multiple of the page size. */
  readonly bytes: number;
  readonly view: DataView;
  /** The same memory as 32-bit words, for hot loops: index = (address - origin) / 4. */
  readonly words: Uint32Array;
  private readonly octets: Uint8Array;
  private readonly doubles: Float64Array;

  constructor(buffer: ArrayBuffer | SharedArrayBuffer, origin = 0) {
    assert(buffer.byteLength % PAGE_BYTES === 0, 'memory must be whole pages');
    assert(origin % PAGE_BYTES === 0, 'memory must begin at a page boundary');
    this.buffer = buffer;
    this.origin = origin;
    this.bytes = buffer.byteLength;
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer);
    this.octets = new Uint8Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Whether all of [`at`, `at` + `bytes`) is in this memory. */
  contains(at: number, bytes: number): boolean {
    return at >= this.origin && bytes <= this.bytes && at - this.origin <= this.bytes - bytes;
  }

  load8(at: Paddr): number {
    return this.view.getUint8(at - this.origin);
  }

  store8(at: Paddr, value: number): void {
    this.view.setUint8(at - this.origin, value);
  }

  load16(at: Paddr): number {
    return this.view.getUint16(at - this.origin, true);
  }

  store16(at: Paddr, value: number): void {
    this.view.setUint16(at - this.origin, value, true);
  }

  load32(at: Paddr): number {
    return this.view.getUint32(at - this.origin, true);
  }

  store32(at: Paddr, value: number): void {
    this.view.setUint32(at - this.origin, value, true);
  }

  /**
   * The word at `at`, a multiple of 4, as another thread may have stored it with `storeRelease32`:
   * what that thread stored before is visible from now on. All such loads and stores have one order
   * in which every thread sees them.
   */
  loadAcquire32(at: Paddr): number {
    return Atomics.load(this.words, this.sharedWord(at));
  }

  /** Store a word for other threads to see; they then see all that was stored before as well. */
  storeRelease32(at: Paddr, value: number): void {
    Atomics.store(this.words, this.sharedWord(at), value);
  }

  /** An exact 64-bit number. Panics when the word is 2^53 or more: it was not one of ours. */
  load64(at: Paddr): number {
    const i = at - this.origin;
    const high = this.view.getUint32(i + 4, true);
    const low = this.view.getUint32(i, true);
    if (high === 0) return low; // nearly always, and an integer: 3 ns, not 10
    assert(high < 0x20_0000, 'a 64-bit field holds more than an exact number');
    return high * TWO_32 + low;
  }

  /** Store an exact number, 0 <= value < 2^53. */
  store64(at: Paddr, value: number): void {
    const i = at - this.origin;
    if (value >>> 0 === value) {
      this.view.setUint32(i, value, true);
      this.view.setUint32(i + 4, 0, true);
      return;
    }
    assert(Number.isSafeInteger(value), 'not an exact 64-bit number');
    assert(value >= 0, 'a negative number in an unsigned 64-bit field');
    this.view.setUint32(i, value % TWO_32, true);
    this.view.setUint32(i + 4, value / TWO_32, true);
  }

  /** An exact signed 64-bit number. */
  load64Signed(at: Paddr): number {
    const i = at - this.origin;
    const high = this.view.getInt32(i + 4, true);
    const low = this.view.getUint32(i, true);
    if (high === 0) return low;
    const value = high * TWO_32 + low;
    assert(Number.isSafeInteger(value), 'a signed 64-bit field holds more than an exact number');
    return value;
  }

  /** Store an exact signed number, |value| < 2^53. */
  store64Signed(at: Paddr, value: number): void {
    assert(Number.isSafeInteger(value), 'not an exact signed 64-bit number');
    const i = at - this.origin;
    const high = Math.floor(value / TWO_32);
    this.view.setUint32(i, value - high * TWO_32, true);
    this.view.setInt32(i + 4, high, true);
  }

  /** Set `bytes` bytes to zero. Both `at` and `bytes` are multiples of 8. */
  zero(at: Paddr, bytes: number): void {
    assert(this.contains(at, bytes), 'zeroing outside memory');
    assert((at - this.origin) % 8 === 0, 'zeroing from a misaligned address');
    assert(bytes % 8 === 0, 'zeroing part of a word');
    const first = (at - this.origin) / 8;
    const end = first + bytes / 8;
    const { doubles } = this;
    if (bytes > LOOP_BYTES) doubles.fill(0, first, end);
    else for (let i = first; i < end; i++) doubles[i] = 0;
  }

  /** Whether `bytes` bytes are all zero. Both `at` and `bytes` are multiples of 4. */
  isZero(at: Paddr, bytes: number): boolean {
    assert(this.contains(at, bytes), 'looking outside memory');
    assert((at - this.origin) % 4 === 0, 'looking from a misaligned address');
    assert(bytes % 4 === 0, 'looking at part of a word');
    const first = (at - this.origin) / 4;
    const { words } = this;
    for (let i = first, end = first + bytes / 4; i < end; i++) if (words[i] !== 0) return false;
    return true;
  }

  /** Move `bytes` bytes within this memory; the ranges may overlap. */
  copyWithin(target: Paddr, source: Paddr, bytes: number): void {
    assert(this.contains(target, bytes), 'copying to outside memory');
    assert(this.contains(source, bytes), 'copying from outside memory');
    const from = source - this.origin;
    this.octets.copyWithin(target - this.origin, from, from + bytes);
  }

  /** Copy `bytes` bytes from one place to another, all in whole 32-bit words. */
  copyWords(target: Paddr, source: Paddr, bytes: number): void {
    assert(this.contains(target, bytes), 'copying to outside memory');
    assert(this.contains(source, bytes), 'copying from outside memory');
    assert(Math.abs(target - source) >= bytes, 'copying onto itself');
    assert((target - this.origin) % 4 === 0, 'copying to a misaligned address');
    assert((source - this.origin) % 4 === 0, 'copying from a misaligned address');
    assert(bytes % 4 === 0, 'copying part of a word');
    const { words } = this;
    const to = (target - this.origin) / 4;
    const from = (source - this.origin) / 4;
    for (let i = 0, end = bytes / 4; i < end; i++) words[to + i] = words[from + i] as number;
  }

  /** Write bytes from the host into memory. */
  write(at: Paddr, source: Uint8Array): void {
    assert(this.contains(at, source.length), 'writing outside memory');
    this.octets.set(source, at - this.origin);
  }

  /** A copy of `bytes` bytes for the host. */
  read(at: Paddr, bytes: number): Uint8Array {
    assert(this.contains(at, bytes), 'reading outside memory');
    return this.octets.slice(at - this.origin, at - this.origin + bytes);
  }

  /** Index of a word; `Atomics` would round it. */
  private sharedWord(at: Paddr): number {
    const index = (at - this.origin) / 4;
    assert(Number.isInteger(index), 'a shared word at a misaligned address');
    return index;
  }
}

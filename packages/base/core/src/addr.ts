/**
 * Addresses and the arithmetic on them. Every address is an exact integer held in a double:
 * physical below 2^52, virtual in signed canonical form (the kernel half is negative).
 * This is the only module that mints these brands.
 */

import { assert } from './assert.ts';
import type { Brand } from './brand.ts';

/** Physical address in bytes, 0 <= a < 2^52. */
export type Paddr = Brand<number, 'Paddr'>;
/** Virtual address in bytes; canonical and signed, so the high half stays exact. */
export type Vaddr = Brand<number, 'Vaddr'>;
/** A virtual address that user code claims. Not a `Vaddr` until it has been checked. */
export type UserVaddr = Brand<number, 'UserVaddr'>;
/** A physical address known to hold layout `S` (layout.ts). */
export type Ptr<S extends string> = Paddr & Brand<number, `Ptr:${S}`>;
/** 32-bit capability address: 24 bits of L1 slot index, 8 bits of L2 slot index. */
export type CapAddr = Brand<number, 'CapAddr'>;
/** Core number, 0 <= c <= 254. */
export type CoreId = Brand<number, 'CoreId'>;

/** log2 of the smallest page of every architecture here. */
export const BASE_PAGE_BITS = 12;
/** The smallest page of every architecture here, bytes. */
export const BASE_PAGE_SIZE = 4096;
/** Physical addresses are below this. Source: x86-64 MAXPHYADDR limit, Intel SDM vol. 3A 4.1.4. */
export const PADDR_LIMIT = 2 ** 52;
/** Highest usable core number; 255 means "no core". */
export const MAX_CORE_ID = 254;

/** Check `n` and call it a physical address. Panics when it is not one. */
export function paddr(n: number): Paddr {
  assert(isPaddr(n), `not a physical address: ${n}`);
  return n as Paddr;
}

/** Whether `n` is an integer in the physical address range. */
export function isPaddr(n: number): n is Paddr {
  return Number.isInteger(n) && n >= 0 && n < PADDR_LIMIT;
}

/** A value already proved to be a physical address, for instance one read from kernel memory. */
export function asPaddr(n: number): Paddr {
  return n as Paddr;
}

/** A physical address already proved to hold layout `S`. */
export function asPtr<S extends string>(n: number): Ptr<S> {
  return n as Ptr<S>;
}

/** Check `n` and call it a virtual address. Panics unless it is canonical for 48 bits. */
export function vaddr(n: number): Vaddr {
  assert(isCanonical(n), `not a canonical virtual address: ${n}`);
  return n as Vaddr;
}

/** Whether `n` is an integer whose bits 47 and up are all equal. */
export function isCanonical(n: number): n is Vaddr {
  return Number.isInteger(n) && n >= -(2 ** 47) && n < 2 ** 47;
}

/** A value already proved to be a virtual address. */
export function asVaddr(n: number): Vaddr {
  return n as Vaddr;
}

/** A number that user code passed as an address; nothing is known about it. */
export function claimVaddr(n: number): UserVaddr {
  return n as UserVaddr;
}

/** Check `n` and call it a capability address. Panics unless it is a 32-bit unsigned integer. */
export function capAddr(n: number): CapAddr {
  assert(n >>> 0 === n, `not a capability address: ${n}`);
  return n as CapAddr;
}

/** Check `n` and call it a core number. */
export function coreId(n: number): CoreId {
  assert(Number.isInteger(n) && n >= 0 && n <= MAX_CORE_ID, `not a core id: ${n}`);
  return n as CoreId;
}

/** The address `bytes` further on (or back, if negative). */
export function offset<A extends Paddr | Vaddr>(address: A, bytes: number): A {
  return (address + bytes) as A;
}

/** The largest multiple of 2^`bits` not above `n`. */
export function alignDown<A extends number>(n: A, bits: number): A {
  const unit = 2 ** bits;
  return (Math.floor(n / unit) * unit) as A;
}

/** The smallest multiple of 2^`bits` not below `n`. */
export function alignUp<A extends number>(n: A, bits: number): A {
  const unit = 2 ** bits;
  return (Math.ceil(n / unit) * unit + 0) as A; // + 0: never -0
}

/** Whether `n` is a multiple of 2^`bits`. */
export function isAligned(n: number, bits: number): boolean {
  return n % 2 ** bits === 0;
}

/**
 * Whether [`base`, `base` + `bytes`) lies inside [`outerBase`, `outerBase` + `outerBytes`).
 * The one containment test of the project: overflow-free for all non-negative integers below 2^53.
 */
export function isInside(
  base: number,
  bytes: number,
  outerBase: number,
  outerBytes: number,
): boolean {
  return base >= outerBase && bytes <= outerBytes && base - outerBase <= outerBytes - bytes;
}

/** Bits 0-31 of an exact integer, also of a negative one (two's complement). */
export function lowWord(n: number): number {
  return n >>> 0;
}

/** Bits 32-63 of an exact integer, two's complement, as an unsigned word. */
export function highWord(n: number): number {
  return Math.floor(n / 2 ** 32) >>> 0;
}

/** Put two unsigned words together as an exact non-negative number; NaN when above 2^53 - 1. */
export function fromWords(low: number, high: number): number {
  return high < 0x20_0000 ? high * 2 ** 32 + low : Number.NaN;
}

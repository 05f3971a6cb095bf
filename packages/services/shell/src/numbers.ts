/** Numbers as people type them, and sizes, flags and times as they are shown. */

import { formatBytes, hex } from '@barreleye/core';
import { type Arch, PageFlag } from '@barreleye/spec';
import { UsageError } from './command.ts';

/**
 * A number as people type it: decimal, `0x` hexadecimal, with an optional `k`, `m` or `g`.
 * Throws a UsageError for anything that is not an exact non-negative integer.
 */
export function parseNumber(text: string): number {
  const match = /^(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(text);
  const digits = match?.[1];
  const scale = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match?.[2] ?? '').toLowerCase()];
  const value = digits === undefined ? Number.NaN : Number(digits) * (scale ?? 1);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`'${text}' is not a number (examples: 4096, 0x1000, 64k)`);
  }
  return value;
}

/** A virtual address; the kernel half is negative, as in `Vaddr`. Throws UsageError. */
export function parseAddress(arch: Arch, text: string): number {
  const va = parseHighHalf(text) ?? parseNumber(text);
  if (arch.wordBytes === 4 && (va < 0 || va >= 2 ** 32)) {
    throw new UsageError(`${hex(va)} is beyond the end of the address space`);
  }
  return va;
}

/** First and last address of a range, and its size. */
export function formatRange(base: number, bytes: number): string {
  return `${hex(base)}-${hex(base + bytes - 1)} ${formatBytes(bytes)}`;
}

/** So many of something: `1 region`, `2 regions`. */
export function formatCount(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** Letters of `PageFlag` bits. */
export function formatFlags(flags: number): string {
  const letter = (flag: number, c: string): string => ((flags & flag) === 0 ? '-' : c);
  return letter(PageFlag.Read, 'r') + letter(PageFlag.Write, 'w') + letter(PageFlag.Execute, 'x');
}

/** A number of cycles, and how long that is on a core of `frequency` cycles a second. */
export function formatMilliseconds(cycles: number, frequency: number): string {
  return `${((cycles / frequency) * 1000).toFixed(3)} ms`;
}

/** Sixteen hexadecimal digits that begin with f: an address in the kernel half, else undefined. */
function parseHighHalf(text: string): number | undefined {
  const match = /^0x(f[0-9a-f]{7})([0-9a-f]{8})$/i.exec(text);
  const [, high, low] = match ?? [];
  if (high === undefined || low === undefined) return undefined;
  const va = (Number(`0x${high}`) | 0) * 2 ** 32 + Number(`0x${low}`);
  return Number.isSafeInteger(va) ? va : undefined;
}

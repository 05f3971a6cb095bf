/** `peek` and `poke`: memory as init's own page tables show it. A bad address is a page fault. */

import { hex } from '@barreleye/core';
import { type Command, parseNumber, type Shell, UsageError } from '../shell.ts';

export const peek: Command = {
  name: 'peek',
  usage: '<address>',
  summary: 'show the 32-bit word at a virtual address',
  argCount: [1, 1],
  *run(shell, [text = '']) {
    const va = parseAddress(shell, text);
    shell.console.printLine(`${hex(va)}: ${formatWord(yield* shell.os.load32(va))}`);
  },
};

export const poke: Command = {
  name: 'poke',
  usage: '<address> <word>',
  summary: 'change the 32-bit word at a virtual address',
  argCount: [2, 2],
  *run(shell, [text = '', valueText = '']) {
    const va = parseAddress(shell, text);
    const value = parseNumber(valueText);
    if (value >= 2 ** 32) throw new UsageError(`${hex(value)} does not fit 32 bits`);
    yield* shell.os.store32(va, value);
    shell.console.printLine(`${hex(va)}: ${formatWord(yield* shell.os.load32(va))}`);
  },
};

/** A virtual address that a 32-bit word can be at; the kernel half is negative, as in `Vaddr`. */
function parseAddress({ os }: Shell, text: string): number {
  const va = parseHighHalf(text) ?? parseNumber(text);
  if (va % 4 !== 0) throw new UsageError(`${hex(va)} is not a multiple of 4`);
  if (os.arch.wordBytes === 4 && (va < 0 || va >= 2 ** 32)) {
    throw new UsageError(`${hex(va)} is beyond the end of the address space`);
  }
  return va;
}

/** Sixteen hexadecimal digits that begin with f: an address in the kernel half, else undefined. */
function parseHighHalf(text: string): number | undefined {
  const match = /^0x(f[0-9a-f]{7})([0-9a-f]{8})$/i.exec(text);
  const [, high, low] = match ?? [];
  if (high === undefined || low === undefined) return undefined;
  const va = (Number(`0x${high}`) | 0) * 2 ** 32 + Number(`0x${low}`);
  return Number.isSafeInteger(va) ? va : undefined;
}

function formatWord(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

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

/** A virtual address that a 32-bit word can be at. */
function parseAddress({ os }: Shell, text: string): number {
  const va = parseNumber(text);
  if (va % 4 !== 0) throw new UsageError(`${hex(va)} is not a multiple of 4`);
  const limit = 2 ** (8 * os.arch.wordBytes);
  if (va >= limit) throw new UsageError(`${hex(va)} is beyond the end of the address space`);
  return va;
}

function formatWord(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

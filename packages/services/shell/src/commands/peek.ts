/** `peek` and `poke`: memory as the shell's own page tables show it. */

import { hex } from '@barreleye/core';
import { type Command, UsageError } from '../command.ts';
import { parseAddress, parseNumber } from '../numbers.ts';
import type { Shell } from '../shell.ts';

export const peek: Command = {
  name: 'peek',
  usage: '<address>',
  group: 'Memory of this shell',
  summary: 'show the 32-bit word at a virtual address',
  details: ['Where nothing is mapped there is a page fault, as the core reports it.'],
  example: 'alloc 4k; peek 0x8000004000',
  argCount: [1, 1],
  argKinds: ['nothing'],
  *run(shell, [text = '']) {
    const va = parseWordAddress(shell, text);
    shell.screen.printLine(`${hex(va)}: ${formatWord(yield* shell.os.load32(va))}`);
    return 0;
  },
};

export const poke: Command = {
  name: 'poke',
  usage: '<address> <word>',
  group: 'Memory of this shell',
  summary: 'change the 32-bit word at a virtual address',
  details: ['It is the memory of the shell itself: some of it is what the shell runs on.'],
  example: 'poke 0x8000004000 0xc0ffee',
  argCount: [2, 2],
  argKinds: ['nothing'],
  *run(shell, [text = '', valueText = '']) {
    const va = parseWordAddress(shell, text);
    const value = parseNumber(valueText);
    if (value >= 2 ** 32) throw new UsageError(`${hex(value)} does not fit 32 bits`);
    yield* shell.os.store32(va, value);
    shell.screen.printLine(`${hex(va)}: ${formatWord(yield* shell.os.load32(va))}`);
    return 0;
  },
};

/** A virtual address that a 32-bit word can be at. */
function parseWordAddress({ os }: Shell, text: string): number {
  const va = parseAddress(os.arch, text);
  if (va % 4 !== 0) throw new UsageError(`${hex(va)} is not a multiple of 4`);
  return va;
}

function formatWord(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

/** The shell: numbers, words, commands that fail. */

import { KernelPanic, panic } from '@barreleye/core';
import type { Os } from '@barreleye/libos';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Typist } from '../test/typist.ts';
import type { Console } from './console.ts';
import { type Command, parseNumber, runShell, type Shell, UsageError } from './shell.ts';

describe('a number as people type it', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['007', 7],
    ['0x1000', 4096],
    ['0XfF', 255],
    ['64k', 65536],
    ['1M', 2 ** 20],
    ['2g', 2 ** 31],
    ['0x10k', 16384],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['0x1fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['8388607g', 8388607 * 2 ** 30],
  ])('%s is %d', (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });

  it.each([
    ...['', ' ', '-1', '+1', '1.5', '1e3', '0x', '0xg', 'k', '1kk', '1t', '1 k', ' 1', '1\n'],
    ...['0b1', 'NaN', 'Infinity', '١', '9007199254740992', '8388608g', '0x20000000000000'],
  ])('%j is none', (text) => {
    expect(() => parseNumber(text)).toThrow(UsageError);
    expect(() => parseNumber(text)).toThrow(
      `'${text}' is not a number (examples: 4096, 0x1000, 64k)`,
    );
  });

  it('comes back from decimal and hexadecimal (seed 52)', () => {
    const property = fc.property(fc.maxSafeNat(), (n) => {
      expect(parseNumber(String(n))).toBe(n);
      expect(parseNumber(`0x${n.toString(16)}`)).toBe(n);
    });
    fc.assert(property, { seed: 52, numRuns: 100 });
  });
});

/** A shell with a few commands, and what they and the power switch were told. */
function create(): { typist: Typist; log: string[] } {
  const log: string[] = [];
  const command = (name: string, most: number, run: Command['run']): Command => ({
    name,
    usage: '<what> [more]',
    summary: '',
    argCount: [1, most],
    run,
  });
  const commands = [
    command('say', 3, function* ({ os }, args) {
      log.push(args.join('+'));
      yield* os.preempt();
    }),
    command('fail', 3, function* ({ os }, [what]) {
      yield* os.giveWay();
      if (what === 'panic') panic('a broken invariant');
      throw new Error(`no ${what}`);
    }),
  ];
  const typist = new Typist((os: Os, console: Console) => {
    // The commands here need no memory and no devices.
    const power = { off: (code: number) => void log.push(`off ${code}`) };
    return runShell({ os, console, power } as unknown as Shell, commands);
  });
  return { typist, log };
}

describe('the shell', () => {
  it('splits a line into commands and these into words', () => {
    const { typist, log } = create();
    typist.type('say a\r  say   b  c ;say\td;; ; say e f g\r\r');
    expect(log).toEqual(['a', 'b+c', 'd', 'e+f+g']);
  });

  it('says what is wrong and goes on with the next command', () => {
    const { typist, log } = create();
    typist.type('fail luck; nonsense; SAY x; say; say 1 2 3 4; say ok\r');
    expect(log).toEqual(['ok']);
    expect(typist.screen.text.slice(1)).toEqual([
      'fail: no luck',
      "nonsense: no such command; 'help' lists them",
      "SAY: no such command; 'help' lists them",
      'say: usage: say <what> [more]',
      'say: usage: say <what> [more]',
      'barreleye>',
    ]);
  });

  it('ends with the program when the library itself is broken', () => {
    const { typist } = create();
    expect(() => typist.type('fail panic\r')).toThrow(KernelPanic);
  });

  it('forgets a line that was cancelled and turns the machine off at the end of input', () => {
    const { typist, log } = create();
    typist.type('say a\u0003say b\r\u0004');
    expect(log).toEqual(['b', 'off 0']);
  });
});

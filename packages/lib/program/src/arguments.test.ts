/** The arguments page as a program reads it. */

import { encodeUtf8 } from '@barreleye/core';
import { HandCpu } from '@barreleye/libos/testing';
import { ARGS_PAGE_MAGIC, ArgsPage, archX86_64, DISPATCHER_SHARED_BYTES } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { type Arguments, readArguments } from './arguments.ts';

/** What a program reads of a page with these strings, the first `argCount` of them arguments. */
function read(strings: readonly string[], argCount: number, magic = ARGS_PAGE_MAGIC): Arguments {
  const cpu = new HandCpu(archX86_64);
  const page = archX86_64.dispatcherBase + DISPATCHER_SHARED_BYTES; // all the memory that there is
  cpu.hold();
  cpu.store32(page + ArgsPage.magic.offset, magic);
  cpu.store32(page + ArgsPage.argCount.offset, argCount);
  cpu.store32(page + ArgsPage.environmentCount.offset, strings.length - argCount);
  let at = page + ArgsPage.$bytes;
  for (const text of strings) {
    const bytes = encodeUtf8(text);
    cpu.store32(at, bytes.length);
    for (const [i, byte] of bytes.entries()) cpu.store8(at + 4 + i, byte);
    at += 4 + Math.ceil(bytes.length / 4) * 4;
  }
  return readArguments(cpu, page);
}

describe('the arguments of a program', () => {
  it('are strings of any length, in order', () => {
    const args = ['prog', '', 'a', 'ab', 'abc', 'abcd', 'grüße 🐟', 'x'.repeat(1024)];
    expect(read(args, args.length)).toEqual({ args, environment: new Map() });
    expect(read([], 0)).toEqual({ args: [], environment: new Map() });
  });

  it('have an environment behind them, in which the last of a name counts', () => {
    const { args, environment } = read(['p', 'A=1', 'B=x=y', 'C=', 'A=2'], 1);
    expect(args).toEqual(['p']);
    const expected = { A: '2', B: 'x=y', C: '' };
    expect(Object.fromEntries(environment)).toEqual(expected);
  });

  it('know no variables without a name', () => {
    expect(read(['p', '=1', 'nothing', ''], 1).environment.size).toBe(0);
  });

  it('are nowhere else', () => {
    expect(() => read(['p'], 1, 0)).toThrow('no arguments page');
  });
});

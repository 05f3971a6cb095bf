/** Lines, commands, statuses and errors, without a system. */

import { KernelPanic, panic } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import { Twin } from '../test/twin.ts';
import type { Command } from './command.ts';

/** What the lines show, the greeting left out. */
function shown(...lines: readonly string[]): string[] {
  return new Twin().typeAll(...lines);
}

describe('a line', () => {
  it('runs its commands one after the other', () => {
    expect(shown('echo a  b; hello ;; echo "c  d" # e')).toEqual(['a b', 'hello, world', 'c  d']);
  });

  it('that makes no sense is not run at all', () => {
    expect(shown('echo a | hello', 'echo $?')).toEqual([
      "character 8: pipes are not there yet; in quotes, '|' is a character like any other",
      '2',
    ]);
  });

  it('says what is wrong and goes on with the next command', () => {
    expect(shown('mem 1 2; kill x; nonsense; HELP; help; history 1; echo ok').slice(0, 4)).toEqual([
      'mem: usage: mem [domain]',
      "kill: there is no domain 'x'; 'ps' lists them",
      "no such command 'nonsense'; 'help' lists commands, 'programs' lists programs",
      "no such command 'HELP'; did you mean 'help'?",
    ]);
  });

  it('of nothing does nothing', () => {
    expect(shown('', ' ;; ', '# nothing', '$none', 'echo $?')).toEqual(['0']);
  });

  it('ends with the program when the library itself is broken', () => {
    const twin = new Twin({ commands: [broken] });
    expect(() => twin.type('broken')).toThrow(KernelPanic);
  });
});

const broken: Command = {
  name: 'broken',
  usage: '',
  group: 'This shell',
  summary: '',
  details: [],
  example: '',
  argCount: [0, 0],
  argKinds: [],
  // biome-ignore lint/correctness/useYield: a command is a generator whether or not it waits
  *run() {
    return panic('a broken invariant');
  },
};

describe('$?', () => {
  it.each([
    ['echo', '0'],
    ['hello', '0'],
    ['fail 7', '7'],
    ['fail -1', '-1'],
    ['run fail 7', '7'],
    ['time fail 7', '7'],
    ['repeat 2 fail 7', '7'],
    ['nonsense', '127'],
    ['run nonsense', '2'],
    ['peek', '2'],
    ['peek x', '2'],
    ['crash', '139'],
    ['fail 7; x=1', '0'],
    ['fail 7; $none', '0'],
  ])('is %s after %s', (line, status) => {
    expect(shown(`${line}; echo $?`).at(-1)).toBe(status);
  });
});

describe('a program', () => {
  it('gets its arguments as they were quoted, and the variables of the shell', () => {
    expect(shown("hello 'a  b'", 'x=1 y="2 3"', 'z=$y environment', 'environment')).toEqual([
      'hello, a  b',
      'x=1 y=2 3 z=2 3',
      'x=1 y=2 3',
    ]);
  });

  it('sees what the shell was given, unless it is unset', () => {
    const twin = new Twin({ environment: [['fish', 'barreleye']] });
    expect(twin.typeAll('environment', 'unset fish', 'x=; environment')).toEqual([
      'fish=barreleye',
      'x=',
    ]);
  });

  it('that dies of a fault says so', () => {
    expect(shown('crash')).toEqual(['crash died: page fault', '     at 0x10']);
  });

  it('must exist', () => {
    expect(shown('helo', 'run helo', 'run ps')).toEqual([
      "no such command 'helo'; did you mean 'help'?",
      "run: there is no program 'helo'; did you mean 'hello'?",
      "run: there is no program 'ps'; 'programs' lists them",
    ]);
  });

  it.each([
    ['hello'.padEnd(65, 'o'), /: the name of a program has at most 64 bytes$/],
    [`hello ${'x '.repeat(33)}`, /^hello: a program takes at most 32 arguments$/],
    [`hello ${'ü'.repeat(513)}`, /^hello: an argument or variable has at most 1024 bytes$/],
    [
      `${Array.from({ length: 33 }, (_, i) => `v${i}=`).join(' ')} hello`,
      /^hello: a program takes at most 32 variables; 'unset' removes some$/,
    ],
  ])('takes only so much: %#', (line, message) => {
    const [text = ''] = shown(line);
    expect(text).toMatch(message);
  });
});

it('a name of a service has at most 64 bytes', () => {
  expect(shown(`names ${'a'.repeat(65)}`, `names ${'a'.repeat(64)}`)).toEqual([
    'names: a name has at most 64 bytes',
    `no names begin with '${'a'.repeat(64)}'`,
  ]);
});

describe('assignments', () => {
  it('hold from then on, from left to right', () => {
    expect(shown('a=1; b="$a 2" c=$b; echo "$b|$c|$d|"')).toEqual(['1 2|1 2||']);
  });

  it('are listed so that they can be typed again', () => {
    expect(shown('set', "b='it'\\''s'; a=1; set", 'unset c')).toEqual([
      "no variables; 'name=value' makes one",
      'a=1',
      "b='it'\\''s'",
      "unset: there is no variable 'c'; 'set' lists them",
    ]);
  });
});

describe('commands that run others', () => {
  it('time them in cycles', () => {
    expect(shown('time hello')).toEqual(['hello, world', 'took 0 cycles (0.000 ms)']);
  });

  it('repeat them', () => {
    expect(shown('repeat 3 hello fish; repeat 0 hello; repeat 2 repeat 2 echo x')).toEqual([
      ...['hello, fish', 'hello, fish', 'hello, fish'],
      ...['x', 'x', 'x', 'x'],
    ]);
  });

  it('say which of them has failed', () => {
    expect(shown('repeat 2 nonsense', 'time peek', 'repeat x echo')).toEqual([
      "no such command 'nonsense'; 'help' lists commands, 'programs' lists programs",
      "no such command 'nonsense'; 'help' lists commands, 'programs' lists programs",
      'peek: usage: peek <address>',
      'took 0 cycles (0.000 ms)',
      "repeat: 'x' is not a number (examples: 4096, 0x1000, 64k)",
    ]);
  });
});

/** A shell of a machine with several cores: what is on the others, and what runs there. */

import type { CoreInfo } from '@barreleye/program';
import { describe, expect, it } from 'vitest';
import { exited, Twin, type TwinWishes } from '../test/twin.ts';

const CORES: readonly CoreInfo[] = [
  { core: 0, state: 'running', why: '' },
  { core: 1, state: 'failed', why: 'no power' },
  { core: 2, state: 'running', why: '' },
  { core: 3, state: 'off', why: '' },
  { core: 4, state: 'starting', why: '' },
];

/** What the lines show, the greeting left out. */
function shown(...lines: readonly string[]): string[] {
  return several().typeAll(...lines);
}

function several(wishes: TwinWishes = {}): Twin {
  return new Twin({ cores: CORES, ...wishes });
}

describe('on', () => {
  it('runs a program on another core, and its status is that of the program', () => {
    const twin = several();
    expect(twin.type('on 2 hello "my friend"; on 2 fail 7; echo $?')).toEqual([
      'hello, my friend',
      '7',
    ]);
    expect(twin.domains.filter(({ core }) => core === 2).map(({ name }) => name)).toEqual([
      'hello',
      'fail',
    ]);
    expect(twin.type('x=1 on 2 environment; echo $x')).toEqual(['x=1', '']);
    expect(twin.type('time on 2 fail 3; echo $?')).toEqual(['took 0 cycles (0.000 ms)', '3']);
    expect(twin.heldCount).toBe(0);
  });

  it('runs a job there with &, which is named by core and number', () => {
    const twin = several();
    expect(twin.type('on 2 sleeper "a b" &')).toEqual(['[1] sleeper is domain 2.1']);
    expect(twin.type('jobs')).toEqual([
      'job  domain  state    command',
      '%1      2.1  running  on 2 sleeper "a b"',
    ]);
    expect(twin.type('kill 1')).toEqual(['domain 1 (nameservice) was killed']);
    expect(twin.type('kill 2.1')).toEqual(['[1] sleeper was killed']);
    expect(twin.log).toEqual(['kill 1', 'kill 2.1']);
    expect(twin.heldCount).toBe(0);
  });

  it('runs a command in a shell there, as it was typed', () => {
    const twin = several();
    twin.type(`on 2 echo "a  b" 'it''s' "it's" ';'`);
    const started = twin.domains.filter(({ core }) => core === 2);
    expect(started.map(({ name }) => name)).toEqual(['shell']);
    expect(twin.terminal.lines.at(-1)).toBe(`shell: -c echo 'a  b' its 'it'\\''s' ';'`);
  });

  it('of its own core is nothing special', () => {
    expect(shown('on 0 hello; on 0 echo a; on 0 echo b &')).toEqual([
      'hello, world',
      'a',
      "echo: only programs run in the background: leave the '&' out",
    ]);
    expect(several({ ownCore: 2 }).type('on 2 echo a; on 0 sleeper &')).toEqual([
      'a',
      '[1] sleeper is domain 0.1',
    ]);
  });

  it('is ended by Ctrl-C', () => {
    const twin = several();
    twin.type('on 2 sleeper; echo never');
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.type('echo $?')).toEqual(['130']);
    expect(twin.log).toEqual(['kill 2.1']);
  });

  it.each([
    ['on', 'on: usage: on <core> <command>...', 2],
    ['on 2', 'on: usage: on <core> <command>...', 2],
    ['on two hello', "on: 'two' is not the number of a core; 'cores' lists them", 2],
    ['on -1 hello', "on: '-1' is not the number of a core; 'cores' lists them", 2],
    ['on 9 hello', "on: there is no core 9; 'cores' lists them", 2],
    ['on 99999999999999999999 hello', /^on: there is no core 1000/, 2],
    ['on 1 hello', 'on: core 1 has failed: no power', 2],
    ['on 3 hello', 'on: core 3 does not run', 2],
    ['on 4 hello', 'on: core 4 is just starting', 2],
    ['on 2 helo', "no such command 'helo'; did you mean 'help'?", 127],
  ])('with nonsense is an error: %s', (line, message, status) => {
    const [first, second] = shown(`${line}; echo $?`);
    expect(first).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(second).toBe(String(status));
  });
});

describe('domains of other cores', () => {
  it('are listed by core, with the names that one can type', () => {
    const twin = several({ ownCore: 2 });
    twin.type('on 0 sleeper &');
    expect(twin.type('ps')).toEqual([
      ' id  parent  state    memory  quota  name',
      '0.1       0  running   4 KiB  1 MiB  sleeper',
      '  1       0  running   4 KiB  1 MiB  nameservice',
      '  2       0  running   4 KiB  1 MiB  terminal',
      '  3       0  running   4 KiB  1 MiB  shell',
    ]);
  });

  it('are found by core and number, and by a name that no other has', () => {
    const twin = several();
    twin.typeAll('on 2 sleeper &', 'on 2 echo-server &');
    expect(twin.typeAll('suspend 2.1; resume sleeper', 'wait %2')).toEqual([
      'domain 2.1 (sleeper) is suspended',
      'domain 2.1 (sleeper) goes on',
    ]);
    const from = twin.terminal.lines.length;
    twin.endDomain(2, exited(4), 2);
    expect(twin.terminal.lines.slice(from)).toEqual(['[2] echo-server exited with 4']);
    expect(twin.type('sleeper & ; kill sleeper')).toEqual([
      '[2] sleeper is domain 4',
      "kill: several domains are called 'sleeper': 4, 2.1; say which by its number",
    ]);
  });

  it('that are not there are errors', () => {
    expect(shown('kill 2.9; vm 9.1; threads 1.1; caps 3.1; mem 2.; kill .2; kill 1.2.3')).toEqual([
      "kill: there is no domain 2.9; 'ps' lists them",
      "vm: there is no core 9; 'cores' lists them",
      'threads: core 1 has failed: no power',
      'caps: core 3 does not run',
      "mem: there is no domain '2.'; 'ps' lists them",
      "kill: there is no domain '.2'; 'ps' lists them",
      "kill: there is no domain '1.2.3'; 'ps' lists them",
    ]);
  });

  it('whose core does not answer are left out, and all else goes on', () => {
    const twin = several({ silentCores: [2] });
    const listed = twin.type('ps');
    expect(listed).toHaveLength(5);
    expect(listed.at(-1)).toBe('core 2 is left out: it does not answer');
    expect(twin.type('kill terminal; cores').slice(0, 4)).toEqual([
      'domain 2 (terminal) was killed',
      'core 0: x86_64, 1000 MHz, running, scheduler rr, 3 domains, 8 MiB of 16 MiB used',
      'core 1: x86_64, 1000 MHz, failed: no power',
      'core 2: x86_64, 1000 MHz, running, but it does not answer',
    ]);
    expect(twin.type('kill 2.1')).toEqual([
      "kill: core 2 does not answer; 'cores' shows whether it runs",
    ]);
  });

  it.each([
    ['kill 2', '2|', ['2    2.1']],
    ['kill 2.', '2.1 |', []],
    ['kill slee', 'sleeper |', []],
    ['on ', 'on |', ['0  2']],
    ['core st', 'core st|', ['start  stop']],
    ['core stop ', 'core stop |', ['0  1  2  3  4']],
    ['on 2 ech', 'on 2 echo|', []],
  ])('are known to the Tab key: %j', (text, end, list) => {
    const twin = several();
    twin.type('on 2 sleeper &');
    const from = twin.terminal.lines.length;
    twin.terminal.answer({ kind: 'complete', text, cursor: text.length });
    twin.settle();
    expect(`${twin.terminal.edited?.line}|`.endsWith(end)).toBe(true);
    expect(twin.terminal.lines.slice(from)).toEqual(list);
  });

  it('are named so by the name service', () => {
    const twin = several();
    twin.type('on 2 sleeper &');
    expect(twin.type('names slee')).toEqual([
      'name     interface  domain',
      'sleeper  sleeper       2.1',
    ]);
  });
});

describe('the machine', () => {
  it('shows its cores', () => {
    expect(shown('cores')).toEqual([
      'core 0: x86_64, 1000 MHz, running, scheduler rr, 3 domains, 8 MiB of 16 MiB used',
      'core 1: x86_64, 1000 MHz, failed: no power',
      'core 2: x86_64, 1000 MHz, running, scheduler rr, 0 domains, 8 MiB of 16 MiB used',
      'core 3: x86_64, 1000 MHz, off',
      'core 4: x86_64, 1000 MHz, starting',
    ]);
  });

  it('shows the channels between them, if there are any', () => {
    expect(shown('ump')).toEqual([
      'core  channel  domain  side    with core  state',
      '   0        1       2  server          2  open',
      '   2        7     2.1  client          0  waiting',
    ]);
    expect(new Twin({ cores: CORES.slice(3), ownCore: 3 }).type('ump')).toEqual([
      'no domains of different cores have channels',
    ]);
  });
});

describe('core', () => {
  it('starts, stops and replaces', () => {
    const twin = several();
    expect(twin.typeAll('core start 1; core start 3', 'core stop 2', 'core replace 0')).toEqual([
      'core 1 runs',
      'core 3 runs',
      'core 2 is off, and all its domains have ended',
      'core 0 has another CPU driver (2 replacements so far)',
    ]);
    expect(twin.log).toEqual(['start 1', 'start 3', 'stop 2', 'replace 0']);
  });

  it.each([
    ['core', 'core: usage: core start|stop|replace <n>'],
    ['core stop', 'core: usage: core start|stop|replace <n>'],
    ['core stpo 2', "core: 'stpo' is nothing that can be done with a core; did you mean 'stop'?"],
    [
      'core paint 2',
      "core: 'paint' is nothing that can be done with a core; there is start, stop, replace",
    ],
    ['core stop two', "core: 'two' is not the number of a core; 'cores' lists them"],
    ['core stop 7', "core: there is no core 7; 'cores' lists them"],
    ['core stop 0', 'core: this shell runs on core 0'],
    ['core stop 1', 'core: core 1 has failed: no power'],
    ['core start 2', 'core: core 2 runs already'],
    ['core start 4', 'core: core 4 is just starting'],
    ['core replace 3', 'core: core 3 does not run'],
  ])('with nonsense is an error: %s', (line, message) => {
    const twin = several();
    expect(twin.type(line)).toEqual([message]);
    expect(twin.log).toEqual([]);
  });

  it('is for the first shell', () => {
    expect(several({ isNested: true }).type('core stop 2')).toEqual([
      'core: this shell has no authority over cores; the first shell has it',
    ]);
  });

  it('that takes long is waited for until Ctrl-C', () => {
    const twin = several({ silentCores: [2] });
    expect(twin.type('core stop 2; echo never')).toEqual([]);
    twin.terminal.interrupt();
    twin.settle();
    expect(twin.type('echo $?')).toEqual(['130']);
  });
});

it('a shell in the background leaves Ctrl-C to others', () => {
  const args = ['shell', '-c', 'sleeper; echo $?'];
  const twin = several({ isNested: true, args, environment: [['BACKGROUND', '1']] });
  twin.terminal.interrupt();
  twin.settle();
  expect(twin.log).toEqual([]);
  expect(twin.exitValue).toBeUndefined();
});

/** The prompt of a system with several cores: what is shown of the others, and what runs there. */

import { runScript, withPrograms } from '@barreleye/boot';
import { Prng } from '@barreleye/core';
import type { Machine } from '@barreleye/machine';
import { program } from '@barreleye/program';
import { programs } from '@barreleye/programs';
import { systemPrograms } from '@barreleye/userland';
import { describe, expect, test } from 'vitest';
import { boot, Desk, TARGETS, type TestTarget } from '../src/index.ts';

const CORES = 3;
const MIB = 2 ** 20;
const CTRL_C = '\u0003';
const WISHES = { coreCount: CORES, ramBytes: 128 * MIB };

const fail = program('fail', function* (os) {
  yield* os.preempt();
  return Number(os.args[1]);
});
const sleeper = program('sleeper', function* (os) {
  yield* os.receive(os.createEndpoint(16).buffer);
});
const where = program('where', function* (os) {
  const all = [...os.environment].map(([name, value]) => `${name}=${value}`);
  yield* os.printLine([`core ${os.coreId}:`, ...os.args.slice(1), ...all].join(' '));
});

function bootWhole({ name, target: plain }: TestTarget): Machine {
  const others = [...programs, fail, sleeper, where];
  const target = withPrograms(plain, systemPrograms({ paging: plain.paging }, others));
  return boot({ name, target }, WISHES).machine;
}

/** What the lines show, without what is shown before the first prompt. */
function session(target: TestTarget, lines: readonly string[]): string[] {
  const machine = bootWhole(target);
  const { screen, exitCode } = runScript(machine, lines);
  expect(machine.programFailures).toEqual([]);
  expect(exitCode).toBe(0);
  return screen.trimEnd().split('\n').slice(2);
}

/** Without the lines that were typed, and without sizes. */
function answers(shown: readonly string[]): string[] {
  const said = shown.filter((line) => !line.startsWith('barreleye'));
  return said.map((line) =>
    line
      .replaceAll(/\d+(\.\d+)? ([KM]i)?B/g, '#')
      .replace(/ +/g, ' ')
      .trim(),
  );
}

describe.each(TARGETS)('on $name', (target) => {
  test('programs and commands run on other cores', () => {
    const shown = session(target, [
      'x=1; on 2 where "a b" c; on 0 where; on 2 fail 7; echo $?',
      'time on 1 fail 3; echo $?',
      `on 2 echo "a  'b'" \\$x; on 1 on 2 where; on 1 on 0 where; on 1 nosuch`,
      'on 2 sleeper & on 1 sleeper & jobs',
      'suspend 2.3; kill %2; resume %1; kill sleeper; wait',
      'exit',
    ]);
    const said = answers(shown).map((line) => line.replace(/^took .*/, 'took'));
    expect(said).toEqual([
      'core 2: a b c x=1',
      'core 0: x=1',
      '7',
      'took',
      '3',
      "a 'b' $x",
      'core 2: x=1',
      'core 0: x=1',
      "no such command 'nosuch'; 'help' lists commands, 'programs' lists programs",
      expect.stringMatching(/^\[1\] sleeper is domain 2\.\d+$/),
      expect.stringMatching(/^\[2\] sleeper is domain 1\.\d+$/),
      'job domain state command',
      expect.stringMatching(/^%1 2\.\d+ running on 2 sleeper$/),
      expect.stringMatching(/^%2 1\.\d+ running on 1 sleeper$/),
      "suspend: there is no domain 2.3; 'ps' lists them",
      '[2] sleeper was killed',
      expect.stringMatching(/^domain 2\.\d+ \(sleeper\) goes on$/),
      expect.stringMatching(/^domain 2\.\d+ \(sleeper\) was killed$/),
      '[1] sleeper was killed',
    ]);
  });

  test('Ctrl-C ends what runs elsewhere, a program or a command', () => {
    const shown = session(target, [
      'on 2 sleeper; echo never',
      CTRL_C,
      'echo $?',
      'on 1 repeat 3 sleeper',
      CTRL_C,
      'echo $?; ps',
      'exit',
    ]);
    expect(answers(shown).filter((line) => !/^\d|^\^C/.test(line))).toEqual([
      'id parent state memory quota name',
    ]);
    expect(shown.filter((line) => line === '130')).toHaveLength(2);
    const listed = answers(shown).filter((line) => / (sleeper|shell)$/.test(line));
    expect(listed.map((line) => line.split(' ').at(-1))).toEqual(['shell']);
  });

  test('domains, names and channels of all cores are shown, and can be looked into', () => {
    const shown = session(target, [
      'on 2 echo-server &',
      'on 1 echo-client over there; names; ump; ps',
      'threads echo-server; caps 2.1 0; vm init',
      'mem 2.1; cores',
      'exit',
    ]);
    const said = answers(shown);
    const ends = said.filter((line) => / (client|server) /.test(line));
    expect(said).toContain('OVER THERE');
    expect(said).toContain('terminal terminal 3');
    expect(said.filter((line) => /^echo echo 2\.\d+$/.test(line))).toHaveLength(1);
    expect(ends.filter((line) => /^0 \d+ 2 server 2 open$/.test(line))).toHaveLength(1);
    expect(ends.filter((line) => /^2 \d+ 2\.\d+ client 0 open$/.test(line))).toHaveLength(1);
    expect(said.filter((line) => /^(1\.|2\.)?\d+ 0 running .* init$/.test(line))).toHaveLength(3);
    expect(said.some((line) => line.includes('listens as echo'))).toBe(true);
    expect(said).toContain(
      "vm: several domains are called 'init': 1, 1.1, 2.1; say which by its number",
    );
    for (let core = 0; core < CORES; core++) {
      const line = new RegExp(
        `^core ${core}: ${target.name.split(' ')[0]}, .* running, .* of # used$`,
      );
      expect(said.filter((each) => line.test(each))).toHaveLength(1);
    }
  });

  test('cores are stopped and started, and get other drivers', () => {
    const shown = session(target, [
      'on 2 sleeper &',
      'core replace 2; core replace 2; core stop 2; ps; kill 2.1; on 2 where; cores',
      'core start 2; on 2 where; core stop 0; on 1 core stop 2',
      'exit',
    ]);
    const said = answers(shown).filter((line) => !/^(1\.)?\d+ |^core [01]: /.test(line));
    expect(said).toEqual([
      expect.stringMatching(/^\[1\] sleeper is domain 2\.\d+$/),
      'core 2 has another CPU driver (1 replacement so far)',
      'core 2 has another CPU driver (2 replacements so far)',
      'core 2 is off, and all its domains have ended',
      'id parent state memory quota name',
      'kill: core 2 does not run',
      'on: core 2 does not run',
      expect.stringMatching(/^core 2: .*, off$/),
      '[1] sleeper was killed',
      'core 2 runs',
      'core 2:',
      'core: this shell runs on core 0',
      'core: this shell has no authority over cores; the first shell has it',
    ]);
  });

  test('a core that dies is left out, and all else goes on', () => {
    const machine = bootWhole(target);
    runScript(machine, ['on 2 sleeper &', 'on 1 echo-server &']);
    machine.cores[2]?.powerOff();
    const { screen, exitCode } = runScript(machine, [
      'ps; cores',
      'on 1 hello; echo-client a; on 2 hello',
      'cores; ps; on 2 hello; core replace 1',
      'exit 9',
    ]);
    expect(exitCode).toBe(9);
    const said = answers(screen.split('\n')).filter((line) => !/^([01]\.)?\d+ |^id /.test(line));
    const lost = /^core 2: .*, failed: .*\(RPC_ERR_(TIMEOUT|CLOSED)\)$/;
    expect(said.filter((line) => !/^core [01]: /.test(line))).toEqual([
      'ps; cores',
      'core 2 is left out: it does not answer',
      expect.stringMatching(/^core 2: .* running, but it does not answer$/),
      'hello, world',
      'A',
      expect.stringMatching(/^(on: core 2 has failed|hello: it could not be started): /),
      '[1] sleeper died: its core has stopped',
      expect.stringMatching(lost),
      expect.stringMatching(/^on: core 2 has failed: /),
      'core 1 has another CPU driver (1 replacement so far)',
      '[2] echo-server was killed, because the shell ends',
      '',
    ]);
  });

  test('primes are counted by any number of cores, and calls are measured', () => {
    const lines = [
      'primes 2000 1; primes 2000; primes 2000 9; on 2 primes 100 x',
      'bench ipc 20',
      'ps',
    ];
    const run = (): string[] => session(target, [...lines, 'exit']);
    const shown = run();
    const said = answers(shown).map((line) => line.replace(/ in .*/, ''));
    expect(said.slice(0, 4)).toEqual([
      '303 primes up to 2000, counted by 1 core',
      '303 primes up to 2000, counted by 2 cores',
      '303 primes up to 2000, counted by 3 cores',
      '25 primes up to 100, counted by 2 cores',
    ]);
    expect(said.filter((line) => /^0 LMP (null|#)( \d+){4}$/.test(line))).toHaveLength(2);
    expect(said.filter((line) => /^[12] UMP (null|#)( \d+){4}$/.test(line))).toHaveLength(4);
    expect(said.filter((line) => line.endsWith('worker'))).toEqual([]);
    expect(run()).toEqual(shown);
  });
});

/** Lines that make little sense, of words that make some. */
const WORDS = [
  ...['on', 'core', 'ps', 'cores', 'ump', 'kill', 'suspend', 'resume', 'threads', 'mem', 'caps'],
  ...['0', '1', '2', '3', '1.1', '2.9', '9.9', '2.', '%1', '-1', '1e9', 'x', 'hello', 'count 1'],
  ...['start', 'stop', 'replace', 'bench ipc 1', 'primes 10', 'names', 'time', ';', '&', '"', '$?'],
];

test.each([81, 82, 83, 84])('whatever is typed, the system stands (seed %i)', (seed) => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const prng = new Prng(seed);
  const desk = new Desk(target, [], WISHES);
  for (let i = 0; i < 40; i++) {
    const count = 1 + prng.below(5);
    const words = Array.from({ length: count }, () => WORDS[prng.below(WORDS.length)]);
    desk.type(words.join(' '));
    desk.interrupt();
  }
  expect(desk.type('kill %1; echo still here')).toContain('still here');
  expect(desk.failures(['hello', 'count', 'primes', 'bench', 'shell'])).toEqual([]);
});

test('nothing stays of what ran on other cores', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const desk = new Desk(target, [], WISHES);
  const round = (): void => {
    desk.type('on 2 hello; on 1 mem; on 2 echo-server & on 1 echo-client a; kill %1');
    desk.type('primes 100; bench ipc 2; threads 1.1; core replace 1');
    desk.type('core stop 2; core start 2');
    desk.type('wait');
  };
  // Numbers of domains go on where a core has stopped.
  const inventory = (): string[] =>
    desk.inventory().map((line) => line.replaceAll(/\b2\.\d+/g, '2.n'));
  round();
  round();
  const before = inventory();
  round();
  round();
  expect(inventory()).toEqual(before);
});

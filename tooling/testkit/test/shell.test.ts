/** The shell in whole systems: programs, jobs, keys, looking into domains, and the ways out. */

import { runScript, withPrograms } from '@barreleye/boot';
import { program } from '@barreleye/program';
import { systemPrograms } from '@barreleye/userland';
import { describe, expect, test } from 'vitest';
import { boot, TARGETS, type TestTarget } from '../src/index.ts';

const MIB = 2 ** 20;
const CTRL_C = '\u0003';

const hello = program('hello', function* (os) {
  yield* os.printLine(`hello, ${os.args[1] ?? 'world'}`);
});
const fail = program('fail', function* (os) {
  yield* os.preempt();
  return Number(os.args[1]);
});
const sleeper = program('sleeper', function* (os) {
  yield* os.receive(os.createEndpoint(16).buffer);
});
const crash = program('crash', function* (os) {
  yield* os.load32(0x10);
});
const ask = program('ask', function* (os) {
  const { kind, text } = yield* os.readLine('name? ');
  yield* os.printLine(`${kind} ${text}`.trimEnd());
});
const environment = program('environment', function* (os) {
  const all = [...os.environment].map(([name, value]) => `${name}=${value}`);
  yield* os.printLine([...os.args, ...all].join(' '));
});

/** What the lines show, without what is shown before the first prompt. */
function session(
  { name, target: plain }: TestTarget,
  lines: readonly string[],
  ramBytes = 256 * MIB,
): { shown: string[]; exitCode: number | undefined } {
  const others = [hello, fail, sleeper, crash, ask, environment];
  const target = withPrograms(plain, systemPrograms({ paging: plain.paging }, others));
  const { machine } = boot({ name, target }, { ramBytes });
  const { screen, exitCode } = runScript(machine, lines);
  expect(machine.programFailures).toEqual([]);
  return { shown: screen.trimEnd().split('\n').slice(2), exitCode };
}

describe.each(TARGETS)('on $name', (target) => {
  test('programs run in the foreground, and say how they ended', () => {
    const { shown, exitCode } = session(target, [
      'hello; hello "my friend"; fail 7; echo $?',
      'crash; echo $?',
      'x=1; y="2 3" environment a "b c"',
      'helo',
      'exit 3',
    ]);
    expect(shown).toEqual([
      'barreleye> hello; hello "my friend"; fail 7; echo $?',
      'hello, world',
      'hello, my friend',
      '7',
      'barreleye> crash; echo $?',
      expect.stringMatching(/^crash died: thread main: page fault: read at 0x10 \(code 0x\d+\)$/),
      '139',
      'barreleye> x=1; y="2 3" environment a "b c"',
      'environment a b c x=1 y=2 3',
      'barreleye> helo',
      "no such command 'helo'; did you mean 'help'?",
      'barreleye> exit 3',
    ]);
    expect(exitCode).toBe(3);
  });

  test('programs run in the background, each end is told of, and none outlives the shell', () => {
    const { shown, exitCode } = session(target, [
      'sleeper & fail 7 & wait %2; echo $?',
      'jobs',
      'kill %1; sleeper &',
      'exit',
    ]);
    expect(shown).toEqual([
      'barreleye> sleeper & fail 7 & wait %2; echo $?',
      expect.stringMatching(/^\[1\] sleeper is domain \d+$/),
      expect.stringMatching(/^\[2\] fail is domain \d+$/),
      '[2] fail exited with 7',
      '7',
      'barreleye> jobs',
      'job  domain  state    command',
      expect.stringMatching(/^%1 +\d+ {2}running {2}sleeper$/),
      'barreleye> kill %1; sleeper &',
      '[1] sleeper was killed',
      expect.stringMatching(/^\[1\] sleeper is domain \d+$/),
      'barreleye> exit',
      '[1] sleeper was killed, because the shell ends',
    ]);
    expect(exitCode).toBe(0);
  });

  test('many jobs are waited for at once', () => {
    const line = 'sleeper & '.repeat(10);
    const lines = [line, line, line, 'exit 4'];
    const { shown, exitCode } = session(target, lines, 1024 * MIB);
    expect(shown.filter((each) => /^\[\d+\] sleeper is domain/.test(each)).length).toBe(30);
    expect(shown.at(-1)).toBe('[30] sleeper was killed, because the shell ends');
    expect(exitCode).toBe(4);
  });

  test('Ctrl-C ends what runs, whether or not it reads', () => {
    const { shown } = session(target, [
      'repeat 9 sleeper; echo never',
      CTRL_C,
      'ask',
      'Ann',
      'ask',
      `half a na${CTRL_C}`,
      'echo $?',
      `half a li${CTRL_C}echo $?`,
      'ask &',
      'exit',
    ]);
    // Whether a program that reads can still say that this was cancelled is a matter of luck.
    const said = shown.filter((line) => !/^(barreleye>|cancelled)? ?$/.test(line));
    expect(said).toEqual([
      'barreleye> repeat 9 sleeper; echo never',
      '^C',
      'barreleye> ask',
      'name? Ann',
      'line Ann',
      'barreleye> ask',
      'name? half a na^C',
      'barreleye> echo $?',
      '130',
      'barreleye> half a li^C',
      'barreleye> echo $?',
      '130',
      'barreleye> ask &',
      expect.stringMatching(/^\[1\] ask is domain \d+$/),
      'end',
      '[1] ask exited with 0',
      'barreleye> exit',
    ]);
  });

  test('the Tab key completes what is typed', () => {
    const { shown, exitCode } = session(target, [
      'al\t64k; fre\tm1',
      'fish=barreleye',
      'echo $fi\t"$\t',
      'kill nam\t; hell\t',
      'ex\t9',
    ]);
    expect(shown).toEqual([
      'barreleye> alloc 64k; free m1',
      expect.stringMatching(/^m1: 65536 bytes at physical 0x[0-9a-f]+, mapped at 0x[0-9a-f]+$/),
      'm1 is free again',
      'barreleye> fish=barreleye',
      'barreleye> echo $fish "$fish" ',
      'barreleye barreleye',
      'barreleye> kill nameservice ; hello ',
      expect.stringMatching(/^domain \d+ \(nameservice\) was killed$/),
      expect.stringMatching(/^hello died: .*\(NAME_ERR_NO_SERVICE\)$/),
      'barreleye> exit 9',
    ]);
    expect(exitCode).toBe(9);
  });

  test('other domains can be looked into, and nothing of that stays', () => {
    const look = 'threads terminal; caps terminal; vm terminal; mem nameservice; names; hello';
    const { shown } = session(target, [
      look,
      'mem; caps',
      `repeat 5 ${look}; ${look}`,
      'mem; caps',
      'exit',
    ]);
    const at = (line: string, from = 0): number => shown.indexOf(`barreleye> ${line}`, from);
    const first = at('mem; caps');
    const second = at('mem; caps', first + 1);
    expect(shown.slice(second, at('exit'))).toEqual(
      shown.slice(first, at(`repeat 5 ${look}; ${look}`)),
    );
    expect(shown).toContain('terminal  terminal        3');
    expect(shown.some((line) => /listens as terminal +a message$/.test(line))).toBe(true);
    expect(shown.some((line) => / frame serial port$/.test(line))).toBe(true);
    expect(shown.some((line) => /─ 1 IRQDest$/.test(line))).toBe(true);
  });

  test('a domain that does not answer is an error, and so is a service', () => {
    const { shown, exitCode } = session(target, [
      'sleeper & suspend %1; threads %1; resume %1; suspend nameservice',
      'names',
      'resume nameservice; names nothing; suspend terminal shell; kill init',
      'exit',
    ]);
    const said = shown.map((line) =>
      line.replace(/domain \d+/, 'domain #').replace(/resume \d+/, 'resume #'),
    );
    expect(said).toEqual([
      'barreleye> sleeper & suspend %1; threads %1; resume %1; suspend nameservice',
      '[1] sleeper is domain #',
      'domain # (sleeper) is suspended',
      "threads: domain # (sleeper) is suspended; after 'resume #' it can answer",
      'domain # (sleeper) goes on',
      'domain # (nameservice) is suspended',
      'barreleye> names',
      "names: the name service does not answer; 'ps' shows whether it runs",
      'barreleye> resume nameservice; names nothing; suspend terminal shell; kill init',
      'domain # (nameservice) goes on',
      "no names begin with 'nothing'",
      "suspend: nobody could type 'resume' then",
      'kill: domain # (init): the domain that asks does not own this (INIT_ERR_NOT_YOURS)',
      'barreleye> exit',
      '[1] sleeper was killed, because the shell ends',
    ]);
    expect(exitCode).toBe(0);
  });

  test('a shell runs in a shell, a text in either, and power is with the first', () => {
    const { shown, exitCode } = session(target, [
      'shell -c "echo in; fail 7"; echo $?',
      'shell -c "sleeper & exit 5" &',
      'shell',
      'kill terminal; peek 0x10; exit 6',
      'echo $?; exit 8',
    ]);
    const said = shown.filter((line) => line !== 'barreleye> ');
    expect(said.map((line) => line.replace(/domain \d+/, 'domain #'))).toEqual([
      'barreleye> shell -c "echo in; fail 7"; echo $?',
      'in',
      '7',
      'barreleye> shell -c "sleeper & exit 5" &',
      '[1] shell is domain #',
      '[1] sleeper is domain #',
      '[1] sleeper was killed, because the shell ends',
      '[1] shell exited with 5',
      'barreleye> shell',
      'barreleye> kill terminal; peek 0x10; exit 6',
      expect.stringMatching(/^kill: domain # \(terminal\): this shell has no authority/),
      expect.stringMatching(/^peek: page fault: read at 0x10/),
      'barreleye> echo $?; exit 8',
      '6',
    ]);
    expect(exitCode).toBe(8);
  });
});

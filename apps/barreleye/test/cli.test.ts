/** The command line as a process: what it says, where, and with which exit code. */

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barreleye, start } from './command.ts';

let folder = '';
const SERVICES = ['nameservice', 'terminal', 'shell'].map((name) => `module /x86_64/sbin/${name}`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'barreleye-cli-'));
  writeFileSync(join(folder, 'bad.lst'), 'title x\n\nmodul /x86_64/sbin/init\n');
  writeFileSync(
    join(folder, 'other.lst'),
    ['cpudriver /x86_64/sbin/cpu', 'module /x86_64/sbin/init quiet', ...SERVICES, ''].join('\n'),
  );
  const bare = ['cpudriver /x86_64/sbin/cpu', 'module /x86_64/sbin/init', SERVICES[0], ''];
  writeFileSync(join(folder, 'bare.lst'), bare.join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent('what makes no sense is one line on stderr and exit code 2', () => {
  it.each<[string, string[], RegExp]>([
    ['nothing', [], /^say what to do; --help lists it$/],
    ['an unknown command', ['frob'], /^unknown command 'frob'/],
    [
      'an unknown target',
      ['boot', 'vax'],
      /^unknown target 'vax' \(there is x86_64, x86_32, armv7\)$/,
    ],
    [
      'a script that is not there',
      ['boot', 'armv7', 'missing.bsh'],
      /^script: cannot read 'missing.bsh': ENOENT/,
    ],
    [
      'a script and commands',
      ['boot', 'armv7', 'a.bsh', '--run', 'exit'],
      /^--run: there is a script to run already$/,
    ],
    ['an unknown option', ['boot', 'x86_64', '--frob'], /^unknown option '--frob'/],
    ['little RAM', ['boot', 'armv7', '--ram', '1m'], /^too little RAM: 1 MiB; vexpress takes/],
    ['a bad seed', ['boot', 'x86_64', '--seed', '-1'], /^--seed: '-1' is not a whole number/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await barreleye(args);
    expect(stderr).toMatch(/^barreleye: [^\n]+\n$/);
    expect(stderr.slice('barreleye: '.length).trimEnd()).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('a malformed menu, with file and line', async () => {
    const file = join(folder, 'bad.lst');
    const { code, stdout, stderr } = await barreleye(['boot', 'x86_64', '--menu', file]);
    expect(stderr).toMatch(/^barreleye: [^\n]+\n$/);
    expect(stderr).toContain(`barreleye: ${file}:3: unknown verb 'modul'`);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe.concurrent('help and version', () => {
  it.each([
    [['--help'], /^Usage: barreleye /],
    [['--version'], /^\d+\.\d+\.\d+\n$/],
  ])('%j goes to stdout with exit code 0', async (args, text) => {
    const { code, stdout, stderr } = await barreleye(args);
    expect(stdout).toMatch(text);
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe.concurrent('a system', () => {
  it('runs the commands of --run and gives its exit code', async () => {
    const { code, stdout, stderr } = await barreleye(['boot', 'x86_64', '--run', 'cores; exit 3']);
    expect(stdout).toContain('barreleye> cores; exit 3\ncore 0: x86_64');
    expect([code, stderr]).toEqual([3, '']);
  });

  it('types the lines of a script, as it does those of --run', async () => {
    const file = join(folder, 'demo.bsh');
    writeFileSync(file, '# a script\nx=3; echo "x is $x" # shown\nexit $x\n');
    const script = await barreleye(['boot', 'x86_32', file]);
    const typed = await barreleye(['boot', 'x86_32', '--run', 'x=3; echo "x is $x"; exit $x']);
    expect(script.stdout).toContain('\nx is 3\n');
    expect(typed.stdout).toContain('\nx is 3\n');
    expect([script.code, script.stderr, typed.code]).toEqual([3, '', 3]);
  });

  it('reads lines from a pipe, the last of which may lack its end', async () => {
    const { code, stdout, stderr } = await barreleye(['boot', 'armv7'], 'nonsense\nexit 4');
    expect(stdout).toContain("no such command 'nonsense'; 'help' lists commands");
    expect(stdout).toMatch(/\nbarreleye> exit 4\n$/);
    expect([code, stderr]).toEqual([4, '']);
  });

  it('takes a menu of its own', async () => {
    const args = ['boot', 'x86_64', '--run', 'exit', '--menu', join(folder, 'other.lst')];
    const { code, stderr } = await barreleye(args);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('shows figures at the end, one a line, and the same memory for the same seed', async () => {
    const args = ['boot', 'x86_64', '--run', 'exit', '--stats', '--ram', '8m', '--seed', '7'];
    const runs = await Promise.all([barreleye(args), barreleye(args)]);
    const figures = runs.map(({ stdout }) => stdout.split('exit\n')[1] ?? '');
    for (const text of figures) {
      expect(text.match(/^[a-z0-9 ]+(?=: \S+$)/gm)).toEqual([
        'cycles',
        'kernel entries',
        'system calls',
        'memory committed',
        'memory sha256',
        'host ms',
      ]);
    }
    const [first, second] = figures.map((text) => text.replace(/^host ms.*$/m, ''));
    expect(first).toBe(second);
  });

  it('stays in the hands of the host when it never stops to work', async () => {
    const child = start(['boot', 'x86_64', '--run', 'repeat 1000000000 cores']);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const [, signal] = await once(child, 'close');
    expect(signal).toBe('SIGINT');
  });

  it('says in one line that a menu lacks what makes a system, and ends', async () => {
    const args = ['boot', 'x86_64', '--menu', join(folder, 'bare.lst')];
    const { code, stdout, stderr } = await barreleye(args);
    expect([code, stdout]).toEqual([1, '']);
    const why = 'the program init broke: the boot menu has no module terminal, shell';
    expect(stderr).toBe(`barreleye: ${why}\n`);
  });

  it('says in one short line that a menu is not one, however large it is', async () => {
    const file = join(folder, 'large.lst');
    writeFileSync(file, 'x'.repeat(1_000_000));
    const { code, stdout, stderr } = await barreleye(['boot', 'x86_64', '--menu', file]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr.length).toBeLessThan(500);
  });

  it('stops without a word when nobody reads what it shows', async () => {
    const child = start(['boot', 'x86_64', '--run', 'caps;caps;caps;exit']);
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([141, '']);
  });
});

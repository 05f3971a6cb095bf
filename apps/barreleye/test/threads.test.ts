/** Systems whose cores are threads, at the command line. What a run shows first may vary. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barreleye, start } from './command.ts';

const THREADS = ['--host', 'threads', '--ram', '64m'];
const LIMIT = { timeout: 120_000 };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'barreleye-threads-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['x86_64', 'x86_32', 'armv7'])('on %s', (target) => {
  it.each([1, 2, 4])('%i cores come up, do what is typed, and turn off', LIMIT, async (count) => {
    const run = ['--cores', `${count}`, '--run', 'cores; hello; nonsense; exit 3'];
    const { code, stdout, stderr } = await barreleye(['boot', target, ...THREADS, ...run]);
    expect(stdout).toMatch(new RegExp(`^Barreleye on ${target}: `));
    const lines = stdout.split('\n').filter((line) => /^core \d+: /.test(line));
    expect(lines).toHaveLength(count);
    for (const line of lines) expect(line).toMatch(/ running, scheduler rr, /);
    expect(stdout).toContain('\nhello, world\n');
    expect(stdout).toContain("\nno such command 'nonsense'; 'help' lists commands");
    expect([code, stderr]).toEqual([3, '']);
  });
});

describe('with threads for cores', () => {
  it('more of them than processors do as well', LIMIT, async () => {
    const cores = ['--host', 'threads', '--cores', '16'];
    const args = ['boot', 'x86_64', ...cores, '--run', 'cores; exit 5'];
    const { code, stdout, stderr } = await barreleye(args);
    expect(stdout.match(/^core \d+: .* running, /gm)).toHaveLength(16);
    expect([code, stderr]).toEqual([5, '']);
  });

  it('one domain runs on all that there are, as they stop and start', LIMIT, async () => {
    const count = 'span-primes 5000';
    const lines = [count, 'core stop 2', count, 'core start 2', 'core replace 1', count, 'exit 6'];
    const run = ['--cores', '4', '--run', lines.join('; ')];
    const { code, stdout, stderr } = await barreleye(['boot', 'x86_64', ...THREADS, ...run]);
    expect(stdout.match(/^669 primes below 5000, counted on \d cores$/gm)).toEqual(
      [4, 3, 4].map((cores) => `669 primes below 5000, counted on ${cores} cores`),
    );
    expect([code, stderr]).toEqual([6, '']);
  });

  it('things run on any of them, and they come and go', LIMIT, async () => {
    const lines = 'on 2 hello; on 1 on 2 echo there; primes 100 3; core stop 2; core start 2; ps';
    const args = ['boot', 'armv7', ...THREADS, '--cores', '3', '--run', `${lines}; exit 6`];
    const { code, stdout, stderr } = await barreleye(args);
    expect(stdout).toContain('\nhello, world\nthere\n25 primes up to 100, counted by 3 cores in ');
    expect(stdout).toContain('\ncore 2 is off, and all its domains have ended\ncore 2 runs\n');
    expect(stdout.match(/^ *([12]\.)?\d+ .* init$/gm)).toHaveLength(3);
    expect([code, stderr]).toEqual([6, '']);
  });

  it('lines of a script and of a pipe are typed one after the other', LIMIT, async () => {
    const text = 'x=3; echo "x is $x"\nhello\nexit $x';
    const file = join(folder, 'demo.bsh');
    writeFileSync(file, text);
    const script = await barreleye(['boot', 'x86_32', file, ...THREADS]);
    const pipe = await barreleye(['boot', 'x86_32', ...THREADS], text);
    expect(pipe).toEqual(script);
    expect(pipe.stdout).toMatch(/\nx is 3\nbarreleye> hello\nhello, world\nbarreleye> exit \$x\n$/);
    expect([pipe.code, pipe.stderr]).toEqual([3, '']);
  });

  it('a pipe that ends is Ctrl-D', LIMIT, async () => {
    const { code, stdout } = await barreleye(['boot', 'armv7', ...THREADS], 'hello\n');
    expect(stdout).toMatch(/\nbarreleye> hello\nhello, world\nbarreleye> \n$/);
    expect(code).toBe(0);
  });

  it('shows figures that mean something', LIMIT, async () => {
    const args = ['boot', 'x86_64', ...THREADS, '--cores', '2', '--run', 'exit', '--stats'];
    const { stdout } = await barreleye(args);
    expect(stdout.split('exit\n')[1]?.match(/^[a-z0-9 ]+(?=: [1-9]\d*$)/gm)).toEqual([
      'cycles',
      'kernel entries',
      'system calls',
      'memory committed',
      'host ms',
    ]);
  });

  it('says in one line that a menu lacks what makes a system, and ends', LIMIT, async () => {
    const file = join(folder, 'bare.lst');
    const modules = ['init', 'nameservice'].map((name) => `module /x86_64/sbin/${name}\n`);
    writeFileSync(file, `cpudriver /x86_64/sbin/cpu\n${modules.join('')}`);
    const { code, stdout, stderr } = await barreleye([
      'boot',
      'x86_64',
      ...THREADS,
      '--menu',
      file,
    ]);
    const why = 'the program init broke: the boot menu has no module terminal, shell';
    expect([code, stdout, stderr]).toEqual([1, '', `barreleye: ${why}\n`]);
  });

  it('says of a bad menu and of little RAM what the other host says', LIMIT, async () => {
    const file = join(folder, 'bad.lst');
    writeFileSync(file, 'title x\n\nmodul /x86_64/sbin/init\n');
    for (const args of [
      ['--menu', file],
      ['--ram', '1m'],
      ['--cores', '65'],
      ['--ram', '5k'],
    ]) {
      const all = ['sim', 'threads'].map((host) =>
        barreleye(['boot', 'x86_64', '--host', host, ...args]),
      );
      const [sim, threads] = await Promise.all(all);
      expect(threads).toEqual(sim);
      expect(threads?.code).toBe(2);
    }
  });

  it('ends at a signal while it works', LIMIT, async () => {
    const child = start(['boot', 'x86_64', ...THREADS, '--run', 'repeat 1000000000 cores']);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGINT');
    const signal = await new Promise((resolve) => child.on('close', (_, name) => resolve(name)));
    expect(signal).toBe('SIGINT');
  });

  it('stops without a word when nobody reads what it shows', LIMIT, async () => {
    const child = start(['boot', 'x86_64', ...THREADS, '--run', 'caps;caps;caps;exit']);
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([141, '']);
  });
});

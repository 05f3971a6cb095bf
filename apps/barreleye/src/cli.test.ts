/** The command line in process: everything that makes no sense. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCli } from './cli.ts';

const said = { stdout: '', stderr: '' };

beforeEach(() => {
  Object.assign(said, { stdout: '', stderr: '' });
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      said[name] += String(chunk);
      return true;
    });
  }
});
afterEach(() => vi.restoreAllMocks());

describe('what makes no sense is one line on stderr and exit code 2', () => {
  it.each<[string, string[], RegExp]>([
    ['no target', ['boot'], /^missing required argument 'target'$/],
    ['a target of two lines', ['boot', 'v\r\nax'], /^unknown target 'v ax'/],
    [
      'an option with control characters',
      ['boot', 'x', '--\u001b[2J'],
      /^unknown option '-- \[2J'/,
    ],
    ['an option that nearly exists', ['boot', 'x86_64', '--sed', '1'], /--seed/],
    ['a missing value', ['boot', 'x86_64', '--ram'], /--ram.*argument missing$/],
    ['two targets', ['boot', 'x86_64', 'armv7'], /^script: cannot read 'armv7': ENOENT/],
    ['bad RAM', ['boot', 'x86_64', '--ram', 'lots'], /^--ram: 'lots' is not a byte count/],
    ['odd RAM', ['boot', 'x86_64', '--ram', '16777217'], /^RAM comes in whole pages: 16777217/],
    ['much RAM', ['boot', 'armv7', '--ram', '3g'], /^too much RAM: 3 GiB; vexpress takes/],
    ['RAM of 4 GiB', ['boot', 'x86_32', '--ram', '4g'], /^too much RAM: 4 GiB; pc32 takes/],
    ['a choice that is not there', ['boot', 'armv7', '--no-pae'], /^--no-pae: armv7 has one/],
    [
      'a scheduler that is not there',
      ['boot', 'x86_64', '--scheduler', 'fair'],
      /no scheduler 'fair' \(there is rr, rbed\)$/,
    ],
    [
      'a topology that is not there',
      ['boot', 'x86_64', '--topology', 'ring'],
      /^--topology: there is no topology 'ring' \(there is flat, 8x4\)$/,
    ],
    [
      'a topology that is too large',
      ['boot', 'armv7', '--topology', '8x4'],
      /^the topology has 32 cores, vexpress has 4 at most$/,
    ],
    [
      'a topology without virtual time',
      ['boot', 'x86_64', '--topology', '8x4', '--host', 'threads'],
      /^--topology: only the host sim has virtual time to charge, not threads$/,
    ],
    [
      'more cores than the topology has',
      ['boot', 'x86_64', '--topology', '8x4', '--cores', '33'],
      /^the topology has 32 cores, not 33$/,
    ],
    ['a large seed', ['boot', 'x86_64', '--seed', '4294967296'], /from 0 to 4294967295$/],
    ['no cores', ['boot', 'x86_64', '--cores', '0'], /^--cores: '0' .* from 1 to 64$/],
    ['too many cores', ['boot', 'armv7', '--cores', '5'], /^--cores: '5' .* from 1 to 4$/],
    ['an unknown host', ['boot', 'x86_64', '--host', 'moon'], /^--host: there is no host 'moon'/],
    [
      'more cores than threads',
      ['boot', 'x86_64', '--host', 'threads', '--cores', '17'],
      /^a machine in parallel has 1 to 16 cores, not 17$/,
    ],
    ['an early option', ['boot', 'x86_64', '--trace', 'f'], /^--trace does not exist yet/],
    ['no menu', ['boot', 'x86_64', '--menu', 'no/menu.lst'], /^--menu: cannot read 'no\/menu.lst'/],
    ['a folder as menu', ['boot', 'x86_64', '--menu', '.'], /^--menu: cannot read '.'/],
    ['an unknown subject', ['drive', 'moon'], /^unknown subject 'moon' \(there is .*mmu/],
    ['a bad time', ['drive', 'mmu', '--seconds', '0'], /^--seconds: '0' is not a whole number/],
  ])('%s', async (_, args, message) => {
    expect(await runCli(args)).toBe(2);
    expect(said.stdout).toBe('');
    expect(said.stderr).toMatch(/^barreleye: \P{Cc}+\n$/u);
    expect(said.stderr.slice('barreleye: '.length).trimEnd()).toMatch(message);
  });
});

describe('help', () => {
  it.each([
    [['boot', '--help'], /^Usage: barreleye boot .*<target>[\s\S]*--seed/],
    [['help', 'drive'], /^Usage: barreleye drive .*<subject>/],
  ])('%j goes to stdout with exit code 0', async (args, text) => {
    expect(await runCli(args)).toBe(0);
    expect(said.stderr).toBe('');
    expect(said.stdout).toMatch(text);
  });
});

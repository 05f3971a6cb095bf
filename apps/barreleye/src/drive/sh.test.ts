/** `drive sh`: what is typed, what is seen, and what makes no sense. */

import { describe, expect, it } from 'vitest';
import { TARGET_NAMES } from '../targets.ts';
import { InputError } from './input.ts';
import { driveSh } from './sh.ts';

interface Answer {
  readonly screen: string;
  readonly exitCode: number | null;
  readonly cycles: number;
}

function drive(document: object): Answer {
  return driveSh(document) as Answer;
}

describe.each(TARGET_NAMES)('drive sh on %s', (target) => {
  it('types lines, shows the screen and says how the machine ended', () => {
    const { screen, exitCode, cycles } = drive({ target, lines: ['run hello you', 'exit 7'] });
    expect(screen).toContain('\nbarreleye> run hello you\nhello, you\nbarreleye> exit 7\n');
    expect(exitCode).toBe(7);
    expect(cycles).toBeGreaterThan(0);
  });

  it('gives the same answer to the same document', () => {
    const document = { target, cores: 2, host: 'sim', seed: '0x7', lines: ['ticks', 'exit'] };
    expect(drive(document)).toEqual(drive(document));
  });
});

describe('drive sh', () => {
  const target = 'x86_64';

  it('has no exit code when the system did not turn itself off', () => {
    const { screen, exitCode } = drive({ target, lines: [] });
    expect(exitCode).toBeNull();
    expect(screen).toMatch(/^Barreleye on x86_64: 1 core, 256 MiB of RAM\n[\s\S]*\nbarreleye> $/);
  });

  it('waits for what the last line has started', () => {
    const { screen, exitCode } = drive({ target, lines: ['run count 100'] });
    expect(exitCode).toBeNull();
    expect(screen).toMatch(/\n99\n100\nbarreleye> $/);
  });

  it('types on while a program sleeps and wakes, which may be for ever', () => {
    const lines = ['run count 1000000 &', 'jobs', 'kill %1', 'jobs'];
    const { screen } = drive({ target, lines });
    expect(screen).toContain('[1] count was killed\n');
    expect(drive({ target, lines: lines.slice(0, 1) }).exitCode).toBeNull();
  });

  it('types any characters', () => {
    const { screen } = drive({ target, lines: ['echo "ü 🐟"', 'echo lost\u0003', 'exit'] });
    expect(screen).toContain('\nü 🐟\n');
    expect(screen).not.toContain('\nlost');
  });
});

describe('drive sh with threads for cores', () => {
  it('types lines, shows the screen and says how the machine ended', async () => {
    const lines = ['run hello you', 'cores', 'echo "ü"', 'exit 7'];
    const document = { target: 'x86_32', host: 'threads', cores: 2, lines };
    const { screen, exitCode, cycles } = (await driveSh(document)) as Answer;
    expect(screen).toContain('\nbarreleye> run hello you\nhello, you\nbarreleye> cores\n');
    expect(screen.match(/^core \d: .* running, /gm)).toHaveLength(2);
    expect(screen).toMatch(/\nü\nbarreleye> exit 7\n$/);
    expect(exitCode).toBe(7);
    expect(cycles).toBeGreaterThan(0);
  });

  it('has no exit code when the system did not turn itself off', async () => {
    const document = { target: 'armv7', host: 'threads', lines: [] };
    const { screen, exitCode } = (await driveSh(document)) as Answer;
    expect([screen.endsWith('\nbarreleye> '), exitCode]).toEqual([true, null]);
  });
});

describe('a document that is not of the form', () => {
  it.each<[string, object]>([
    ['target: is missing', { lines: [] }],
    ['target: ', { target: 'vax', lines: [] }],
    ['lines: is missing', { target: 'armv7' }],
    ['lines.1: ', { target: 'armv7', lines: ['exit', 3] }],
    ['cores: armv7 has 1 to 4', { target: 'armv7', cores: 5, lines: [] }],
    ['cores: armv7 has 1 to 4', { target: 'armv7', cores: 0, lines: [] }],
    ['seed: expected a 32-bit word', { target: 'armv7', seed: 2 ** 32, lines: [] }],
    [
      'target: a machine in parallel has 1 to 16 cores, not 17',
      { target: 'x86_64', host: 'threads', cores: 17, lines: [] },
    ],
    ['host: ', { target: 'armv7', host: 'moon', lines: [] }],
    ['input: ', { target: 'armv7', lines: [], seeds: 1 }],
    ['input: ', []],
  ])('is refused: %s', async (message, document) => {
    const run = async (): Promise<unknown> => driveSh(document);
    await expect(run()).rejects.toThrow(InputError);
    await expect(run()).rejects.toThrow(message);
  });
});

/**
 * What must hold for every target: same seed, same run; a CPU driver that is replaced at every
 * kernel entry; one system on all architectures.
 */

import { runScript } from '@barreleye/boot';
import { CpuDriver } from '@barreleye/cpu-driver';
import { describe, expect, test } from 'vitest';
import { boot, checkEveryEntry, digestRam, TARGETS } from '../src/index.ts';

const LINES = [
  'help',
  'mem',
  'alloc 8192',
  'alloc 1m',
  'mem',
  'caps',
  'peek 0x10',
  'poke 0x20 7',
  'free m1',
  'alloc 64k',
  'cores',
  'nonsense',
  'mem',
  'exit',
];

describe.each(TARGETS)('$name', (target) => {
  test('the same seed gives the same screen and the same memory', () => {
    const runs = [1, 2].map(() => {
      const { machine } = boot(target, { seed: 7 });
      const { screen } = runScript(machine, LINES);
      return { screen, memory: digestRam(machine), cycles: machine.cycles };
    });
    expect(runs[0]).toEqual(runs[1]);
  });

  test('another seed is in memory, so the digest sees it', () => {
    const digests = [7, 8].map((seed) => {
      const { machine } = boot(target, { seed });
      runScript(machine, LINES);
      return digestRam(machine);
    });
    expect(digests[0]).not.toBe(digests[1]);
  });

  test('a CPU driver that is replaced at every kernel entry makes no difference', () => {
    const once = boot(target).machine;
    const expected = runScript(once, LINES);
    let driverCount = 0;
    const replaced = boot(target, {
      wrapDriver: (driver, hal) => ({
        onTrap(kind) {
          driverCount += 1;
          new CpuDriver(hal, driver.kernel.kcb).onTrap(kind);
        },
      }),
    }).machine;
    expect(runScript(replaced, LINES)).toEqual(expected);
    expect(digestRam(replaced)).toBe(digestRam(once));
    expect(driverCount).toBeGreaterThan(100);
  });

  test('every invariant holds after every kernel entry of a boot', () => {
    const { machine } = boot(target, { wrapDriver: checkEveryEntry });
    const lines = ['alloc 8192', 'peek 0x10', 'alloc 3m', 'free m1', 'mem', 'free m2', 'exit'];
    expect(runScript(machine, lines).exitCode).toBe(0);
  });

  test('alloc and free leave memory as they found it', () => {
    const { machine } = boot(target);
    const lines = ['alloc 4m', 'free m1', 'mem', 'alloc 4m', 'free m1', 'mem'];
    const reports = runScript(machine, lines).screen.split('barreleye> mem\n').slice(1);
    const untilPrompt = reports.map((report) => report.split('barreleye>')[0]);
    expect(untilPrompt).toHaveLength(2);
    expect(untilPrompt[0]).toBe(untilPrompt[1]);
  });
});

test('all targets show the same screen but for addresses, sizes, names and table counts', () => {
  const screens = TARGETS.map((target) => mask(runScript(boot(target).machine, LINES).screen));
  for (const screen of screens) expect(screen).toBe(screens[0]);
});

/**
 * Hide what may differ between architectures: addresses, sizes, names, and how many page tables
 * (with the RAM and the mappings of each) it takes to map the same thing.
 */
function mask(screen: string): string {
  return screen
    .replace(/\b(x86_64|x86_32|armv7)\b/g, 'ARCH')
    .replace(/0x[0-9a-f]+/g, 'ADDRESS')
    .replace(/[0-9.]+ (B|KiB|MiB)\b/g, 'SIZE')
    .replace(/free [0-9]+ of/g, 'free SIZE of')
    .replace(/uses [0-9]+ of/g, 'uses SIZE of')
    .replace(/^[0-9]+ bytes/gm, 'COUNT bytes')
    .replace(/\(code ADDRESS\)/g, '(code CODE)')
    .replace(/[0-9]+ (page tables?|mapping|RAM)\b/g, 'N $1');
}

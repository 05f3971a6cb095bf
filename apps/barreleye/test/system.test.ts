/**
 * What must hold for every target: same seed, same run; a CPU driver that is replaced at every
 * kernel entry; one system on all architectures.
 */

import { bootSystem, parseMenu, runScript, type System } from '@barreleye/boot';
import { checkMdb } from '@barreleye/caps';
import { CpuDriver } from '@barreleye/cpu-driver';
import type { CoreHal, TrapHandler } from '@barreleye/machine';
import { describe, expect, test } from 'vitest';
import { digestMemory } from '../src/stats.ts';
import { findTarget, TARGET_NAMES } from '../src/targets.ts';

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

type Wrap = (driver: CpuDriver, hal: CoreHal) => TrapHandler;

function boot(name: string, seed: number, wrapDriver?: Wrap): System {
  const { target, menu } = findTarget(name);
  const parsed = parseMenu(menu, 'menu.lst');
  if (!parsed.ok) throw new Error(parsed.message);
  const booted = bootSystem({
    target,
    menu: parsed.menu,
    coreCount: 1,
    ramBytes: target.board.minRamBytes,
    seed,
    ...(wrapDriver === undefined ? {} : { wrapDriver }),
  });
  if (!booted.ok) throw new Error(booted.message);
  return booted.system;
}

describe.each(TARGET_NAMES)('%s', (name) => {
  test('the same seed gives the same screen and the same memory', () => {
    const runs = [1, 2].map(() => {
      const system = boot(name, 7);
      const { screen } = runScript(system.machine, LINES);
      return { screen, memory: digestMemory(system), cycles: system.machine.cycles };
    });
    expect(runs[0]).toEqual(runs[1]);
  });

  test('another seed is in memory, so the digest sees it', () => {
    const digests = [7, 8].map((seed) => {
      const system = boot(name, seed);
      runScript(system.machine, LINES);
      return digestMemory(system).sha256;
    });
    expect(digests[0]).not.toBe(digests[1]);
  });

  test('a CPU driver that is replaced at every kernel entry makes no difference', () => {
    const once = boot(name, 3);
    const expected = runScript(once.machine, LINES);
    let drivers = 0;
    const replaced = boot(name, 3, (driver, hal) => ({
      onTrap(kind) {
        drivers += 1;
        new CpuDriver(hal, driver.kernel.kcb).onTrap(kind);
      },
    }));
    expect(runScript(replaced.machine, LINES)).toEqual(expected);
    expect(digestMemory(replaced)).toEqual(digestMemory(once));
    expect(drivers).toBeGreaterThan(100);
  });

  test('the mapping database is sound after every kernel entry of a boot', () => {
    let checks = 0;
    const system = boot(name, 1, (driver) => ({
      onTrap(kind) {
        driver.onTrap(kind);
        checks += 1;
        expect(checkMdb(driver.kernel.caps)).toEqual([]);
      },
    }));
    const { exitCode } = runScript(system.machine, ['alloc 8192', 'alloc 8192', 'free m1', 'exit']);
    expect(exitCode).toBe(0);
    expect(checks).toBeGreaterThan(20);
  });

  test('alloc and free leave memory as they found it', () => {
    const { machine } = boot(name, 1);
    const { screen } = runScript(machine, [
      'alloc 4m',
      'free m1',
      'mem',
      'alloc 4m',
      'free m1',
      'mem',
    ]);
    const reports = screen.split('barreleye> mem\n').slice(1);
    expect(reports).toHaveLength(2);
    const untilPrompt = reports.map((report) => report.split('barreleye>')[0]);
    expect(untilPrompt[0]).toBe(untilPrompt[1]);
  });
});

test('all targets show the same screen but for addresses, sizes and names', () => {
  const screens = TARGET_NAMES.map((name) => {
    const { screen } = runScript(boot(name, 1).machine, LINES);
    return mask(screen);
  });
  for (const screen of screens) expect(screen).toBe(screens[0]);
});

/** Hide what may differ between architectures: addresses, sizes, names. */
function mask(screen: string): string {
  return screen
    .replace(/\b(x86_64|armv7)\b/g, 'ARCH')
    .replace(/0x[0-9a-f]+/g, 'N')
    .replace(/[0-9.]+ (B|KiB|MiB)\b/g, 'SIZE')
    .replace(/[0-9]+/g, 'N')
    .replace(/ +/g, ' ');
}

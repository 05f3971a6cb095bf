/** More cores than one: started by the first, with kernels and memory of their own. */

import { type BootWishes, runScript, type System } from '@barreleye/boot';
import { asPtr, type PhysMem, type PhysRange, paddr } from '@barreleye/core';
import { checkInvariants } from '@barreleye/cpu-driver';
import { TOPOLOGIES } from '@barreleye/machine';
import {
  BOOT_TOPOLOGY_BYTES,
  BOOT_TOPOLOGY_OFFSET,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  RegionType,
  unpackBootTopology,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { boot, digestRam, TARGETS, type TestTarget } from '../src/index.ts';

const MIB = 2 ** 20;

function start(target: TestTarget, coreCount: number, wishes: BootWishes = {}): System {
  return boot(target, { coreCount, ramBytes: 128 * MIB, ...wishes });
}

/** The lines about cores that the shell shows. */
function coreLines({ machine }: System): string[] {
  const { screen, exitCode } = runScript(machine, ['cores; hello; exit 4']);
  expect(exitCode).toBe(4);
  expect(screen).toContain('\nhello, world\n');
  return screen.split('\n').filter((line) => /^core \d/.test(line));
}

describe.each(TARGETS)('on $name', (target) => {
  test('all cores come up, each with a kernel of its own that is whole', () => {
    const system = start(target, 4);
    const lines = coreLines(system);
    expect(lines).toHaveLength(4);
    for (const [i, line] of lines.entries()) {
      expect(line).toMatch(new RegExp(`^core ${i}: .* running, scheduler rr, `));
    }
    expect([...system.drivers.keys()]).toEqual([0, 1, 2, 3]);
    const kcbs = new Set([...system.drivers.values()].map(({ kernel }) => kernel.kcb));
    expect(kcbs.size).toBe(4);
    for (const { kernel } of system.drivers.values()) expect(checkInvariants(kernel)).toEqual([]);
    expect(system.machine.programFailures).toEqual([]);
  });

  test('the same seed is the same run, also with several cores', () => {
    const runs = [1, 2].map(() => {
      const system = start(target, 3, { seed: 11 });
      coreLines(system);
      return [digestRam(system.machine), system.machine.cycles];
    });
    expect(runs[0]).toEqual(runs[1]);
  });

  test('the run is the same when all CPU drivers are replaced every third entry', () => {
    const runs = [false, true].map((isReplaced) => {
      let machine: System['machine'] | undefined;
      let entries = 0;
      let replaced = 0;
      const system = start(target, 3, {
        wrapDriver: (driver) => ({
          onTrap(kind) {
            driver.onTrap(kind);
            entries += 1;
            if (!isReplaced || entries % 3 !== 0 || machine === undefined) return;
            const { kcb, hal } = driver.kernel;
            const core = machine.cores[hal.coreId];
            if (core !== undefined && machine.loadDriver(core, kcb)) replaced += 1;
          },
        }),
      });
      ({ machine } = system);
      const { screen } = runScript(machine, ['cores; hello; ps; alloc 8192; echo $?; exit 4']);
      expect(replaced > 150).toBe(isReplaced);
      return [screen, digestRam(machine), machine.cycles];
    });
    expect(runs[0]).toEqual(runs[1]);
  });

  test('a core that does not come up is reported, and the others run without it', () => {
    const system = start(target, 3);
    const { machine } = system;
    const { firmware } = machine;
    machine.firmware = (core, page) => core.coreId !== 1 && firmware(core, page);
    const [, one, two] = coreLines(system);
    expect(one).toMatch(/^core 1: .* failed: the core could not be started .*START\)$/);
    expect(two).toMatch(/ running, /);
  });

  test('a core that dies while it comes up is reported, too', () => {
    const system = start(target, 3);
    const { machine } = system;
    const { firmware } = machine;
    machine.firmware = (core, page) => {
      if (core.coreId === 2) throw new Error('no power');
      return firmware(core, page);
    };
    const [, one, two] = coreLines(system);
    expect(one).toMatch(/ running, /);
    expect(two).toMatch(/ failed: /);
  });
});

test.each([2, 16, 64])('%i cores come up', (coreCount) => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const system = start(target, coreCount, { ramBytes: 512 * MIB });
  const lines = coreLines(system);
  expect(lines.filter((line) => line.includes(' running, '))).toHaveLength(coreCount);
});

test('all cores know how far they are from each other', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const topology = TOPOLOGIES['8x4'];
  const pages: number[] = [];
  const system = start(target, 6, { topology });
  const { machine } = system;
  const { firmware } = machine;
  machine.firmware = (core, page) => {
    pages.push(page);
    return firmware(core, page);
  };
  const lines = coreLines(system);
  expect(lines.filter((line) => line.includes(' running, '))).toHaveLength(6);
  expect(pages).toHaveLength(5);
  for (const page of pages) {
    const info = asPtr<'BootInfo'>(page);
    const packageCount = BootInfo.packageCount.get(machine.mem, info);
    const bytes = machine.mem.read(paddr(page + BOOT_TOPOLOGY_OFFSET), BOOT_TOPOLOGY_BYTES);
    const { packageOf, hops } = unpackBootTopology(bytes, packageCount, 6).topology;
    expect(packageOf).toEqual([0, 0, 0, 0, 1, 1]);
    expect(hops).toEqual(topology?.hops);
  }
});

test('cores get RAM of their own package, where it has enough', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const topology = TOPOLOGIES['8x4'];
  const system = start(target, 32, { topology, ramBytes: 512 * MIB });
  const { machine } = system;
  const { firmware } = machine;
  const homes: number[] = [];
  machine.firmware = (core, page) => {
    const bytes = machine.mem.read(paddr(page + BOOT_TOPOLOGY_OFFSET), BOOT_TOPOLOGY_BYTES);
    const { packageRam } = unpackBootTopology(bytes, 8, 32);
    const ram = freeRam(machine.mem, page);
    homes[core.coreId] = packageRam.findIndex(
      ({ base, end }) => base <= ram.base && ram.base + ram.bytes <= end,
    );
    return firmware(core, page);
  };
  coreLines(system);
  const beyondFirst = homes.slice(4);
  expect(beyondFirst).toEqual(topology?.packageOf.slice(4));
});

/** The free RAM that boot information tells of. */
function freeRam(mem: PhysMem, page: number): PhysRange {
  const info = asPtr<'BootInfo'>(page);
  for (let i = 0; i < BootInfo.regionCount.get(mem, info); i++) {
    const region = asPtr<'BootRegion'>(page + bootRegionOffset(i));
    if (BootRegion.type.get(mem, region) !== RegionType.Empty) continue;
    return { base: BootRegion.base.get(mem, region), bytes: BootRegion.bytes.get(mem, region) };
  }
  throw new Error('a core has RAM');
}

test('what is far away takes longer, and changes nothing else', () => {
  const [target] = TARGETS;
  if (target === undefined) throw new Error('there is a target');
  const [near, far] = ['flat', '8x4'].map((name) => {
    const system = start(target, 8, { topology: TOPOLOGIES[name] });
    const lines = coreLines(system).map((line) => line.replace(/package \d/, 'package'));
    return { lines, cycles: system.machine.cycles };
  });
  expect(far?.lines).toEqual(near?.lines);
  expect(far?.cycles).not.toBe(near?.cycles);
});

/** Systems that boot, and the reasons for which others do not. */

import { asPaddr, asPtr } from '@barreleye/core';
import type { CpuDriver } from '@barreleye/cpu-driver';
import { boardPc64, TOPOLOGIES } from '@barreleye/machine';
import {
  BOOT_TOPOLOGY_OFFSET,
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BootInfo,
  BootPackage,
  BootRegion,
  bootRegionOffset,
  errName,
  FIRST_DOMAIN_BYTES,
  Gate,
  KCB_BYTES,
  Kcb,
  type Topology,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { programOf, targetOf } from '../test/programs.ts';
import type { BootOptions, ModuleFile } from './boot-options.ts';
import { parseMenu } from './menu.ts';
import { bootSystem, type System } from './system.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
/** What a boot takes besides modules and what must stay free: the loader's plan, and init. */
const OVERHEAD = KCB_BYTES + BOOTINFO_BYTES + FIRST_DOMAIN_BYTES + PAGE;
const MENU = targetOf({}).menu;
const idle = programOf('idle', () => undefined);
const FILES = { '/sbin/init': { program: idle }, '/data': { bytes: Uint8Array.of(1, 2, 3) } };

interface Choices {
  readonly menu?: string;
  readonly files?: Readonly<Record<string, ModuleFile>>;
  readonly coreCount?: number;
  readonly ramBytes?: number;
  readonly topology?: Topology | undefined;
  readonly wrapDriver?: BootOptions['wrapDriver'];
}

function boot({
  menu = MENU,
  files = FILES,
  coreCount = 1,
  ramBytes = 8 * MIB,
  topology,
  wrapDriver,
}: Choices) {
  const parsed = parseMenu(menu, 'menu.lst');
  if (!parsed.ok) throw new Error(parsed.message);
  return bootSystem({
    target: targetOf(files),
    menu: parsed.menu,
    coreCount,
    ramBytes,
    seed: 5,
    topology,
    ...(wrapDriver === undefined ? {} : { wrapDriver }),
  });
}

function booted(choices: Choices): System {
  const result = boot(choices);
  if (!result.ok) throw new Error(result.message);
  return result.system;
}

describe('a system that cannot be', () => {
  const { maxRamBytes, maxCores } = boardPc64;

  it.each<[string, Choices, string, string]>([
    [
      'too little RAM',
      { ramBytes: 8 * MIB - PAGE },
      'BOOT_ERR_NO_RAM',
      'too little RAM: 8.0 MiB; pc64 takes 8 MiB to 8 GiB',
    ],
    [
      'hardly any RAM',
      { ramBytes: 0 },
      'BOOT_ERR_NO_RAM',
      'too little RAM: 0 B; pc64 takes 8 MiB to 8 GiB',
    ],
    [
      'too much RAM',
      { ramBytes: 2 * maxRamBytes },
      'BOOT_ERR_NO_RAM',
      'too much RAM: 16 GiB; pc64 takes 8 MiB to 8 GiB',
    ],
    [
      'part of a page of RAM',
      { ramBytes: 8 * MIB + 100 },
      'BOOT_ERR_NO_RAM',
      'RAM comes in whole pages: 8388708 is not a multiple of 4096',
    ],
    ['no cores', { coreCount: 0 }, 'LIB_ERR_BAD_INPUT', `pc64 has 1 to ${maxCores} cores, not 0`],
    [
      'too many cores',
      { coreCount: maxCores + 1 },
      'LIB_ERR_BAD_INPUT',
      `pc64 has 1 to ${maxCores} cores, not ${maxCores + 1}`,
    ],
    [
      'more cores than the topology has',
      { coreCount: 33, topology: TOPOLOGIES['8x4'] },
      'LIB_ERR_BAD_INPUT',
      'the topology has 32 cores, not 33',
    ],
    [
      'more packages than the board has cores for',
      {
        topology: {
          packageOf: Array.from({ length: 65 }, () => 1),
          hops: [
            [0, 1],
            [1, 0],
          ],
        },
      },
      'LIB_ERR_BAD_INPUT',
      'the topology has 65 cores, pc64 has 64 at most',
    ],
    [
      'a CPU driver of another machine',
      { menu: 'title x\ncpudriver /armv7/cpu\nmodule /sbin/init' },
      'BOOT_ERR_NO_MODULE',
      "menu.lst:2: no CPU driver '/armv7/cpu' (there is /sbin/cpu)",
    ],
    [
      'a module that does not exist',
      { menu: `${MENU}\n\nmodule /sbin/none x` },
      'BOOT_ERR_NO_MODULE',
      "menu.lst:4: no such file '/sbin/none' (there is /sbin/init, /data)",
    ],
    [
      'data in the place of the first program',
      { menu: 'cpudriver /sbin/cpu\nmodule /data\nmodule /sbin/init' },
      'BOOT_ERR_IMAGE',
      'menu.lst:2: the first module must be a program',
    ],
    [
      'more modules than can be described',
      { menu: MENU + '\nmodule /data'.repeat(300) },
      'BOOT_ERR_MENU',
      'menu.lst:196: more than 194 modules',
    ],
    [
      'a module larger than RAM',
      {
        menu: `${MENU}\nmodule /big`,
        files: { ...FILES, '/big': { bytes: new Uint8Array(7 * MIB) } },
      },
      'BOOT_ERR_NO_RAM',
      `too little RAM: the modules need ${8 * MIB + OVERHEAD} bytes, there are ${8 * MIB}`,
    ],
  ])('is refused: %s', (_, choices, err, message) => {
    const result = boot(choices);
    expect(result.ok ? [] : [errName(result.err), result.message]).toEqual([err, message]);
  });
});

describe('a system that boots', () => {
  it('enters the first module with its dispatcher frame and the boot information mapped', () => {
    const seen: Record<string, number> = {};
    const init = programOf('init', (cpu, gate) => {
      if (gate !== Gate.Start) return;
      const { upcallArgs, bootInfoBase, dispatcherBase } = cpu.arch;
      expect(cpu.regs[2 * upcallArgs[0]]).toBe(dispatcherBase);
      expect(cpu.regs[2 * upcallArgs[1]]).toBe(bootInfoBase);
      seen['magic'] = cpu.load32(bootInfoBase + BootInfo.magic.offset);
      seen['seed'] = cpu.load32(bootInfoBase + BootInfo.seed.offset);
      seen['cores'] = cpu.load32(bootInfoBase + BootInfo.coreCount.offset);
      const index = cpu.load32(bootInfoBase + BootInfo.initModule.offset);
      const region = bootInfoBase + bootRegionOffset(index);
      seen['init'] = cpu.load32(region + BootRegion.fileBytes.offset);
    });
    const files = { '/other': { program: idle }, '/sbin/init': { program: init } };
    const { machine } = booted({ files, coreCount: 2 });
    expect(machine.run(1e8)).toEqual({ kind: 'idle' });
    expect(seen).toEqual({ magic: BOOTINFO_MAGIC, seed: 5, cores: 2, init: PAGE });
    expect(machine.programFailures).toEqual([]);
  });

  it('says in its boot information where cores and RAM are, if that is known', () => {
    const packagesWith = (topology?: Topology): number => {
      const { machine, plan } = booted({ coreCount: 5, topology });
      const info = asPtr<'BootInfo'>(plan.bootInfo);
      const packageCount = BootInfo.packageCount.get(machine.mem, info);
      const second = asPtr<'BootPackage'>(info + BOOT_TOPOLOGY_OFFSET + BootPackage.$bytes);
      const base = packageCount > 1 ? MIB + MIB : 0; // RAM begins at 1 MiB, 1 MiB for each
      expect(BootPackage.ramBase.get(machine.mem, second)).toBe(base);
      return packageCount;
    };
    expect(packagesWith(TOPOLOGIES['8x4'])).toBe(8);
    expect(packagesWith(TOPOLOGIES['flat'])).toBe(1);
    expect(packagesWith()).toBe(0);
  });

  it('cannot write to the boot information from user mode', () => {
    let outcome: boolean | undefined;
    const init = programOf('init', (cpu, gate) => {
      if (gate === Gate.Start) outcome = cpu.store32(cpu.arch.bootInfoBase, 0);
    });
    const { machine, plan } = booted({ files: { '/sbin/init': { program: init } } });
    machine.run(1e6);
    expect(outcome).toBe(false);
    expect(machine.mem.load32(plan.bootInfo)).toBe(BOOTINFO_MAGIC);
  });

  it('has every module in memory under its name and arguments', () => {
    const menu = `${MENU} verbose\nmodule /data  a  b\nmodule /none`;
    const files = { ...FILES, '/none': { bytes: new Uint8Array() } };
    const { machine, plan } = booted({ menu, files });
    const { mem } = machine;
    expect([...mem.read(plan.modules[1] ?? asPaddr(0), 3)]).toEqual([1, 2, 3]);
    const nameAt = (i: number): string =>
      BootRegion.name.get(mem, asPtr<'BootRegion'>(plan.bootInfo + bootRegionOffset(i)));
    expect([1, 2, 3].map(nameAt)).toEqual(['/sbin/init verbose', '/data a  b', '/none']);
    expect(machine.run(1e8)).toEqual({ kind: 'idle' });
  });

  it('may have all the cores of its board, and all the RAM', () => {
    const { maxCores } = boardPc64;
    expect(booted({ coreCount: maxCores }).machine.cores.length).toBe(maxCores);
    const parsed = parseMenu(MENU, 'menu.lst');
    const target = { ...targetOf(FILES), board: { ...boardPc64, maxRamBytes: 16 * MIB } };
    const results = [16 * MIB, 16 * MIB + PAGE].map((ramBytes) => {
      if (!parsed.ok) throw new Error(parsed.message);
      return bootSystem({ target, menu: parsed.menu, coreCount: 1, ramBytes, seed: 1 }).ok;
    });
    expect(results).toEqual([true, false]);
  });

  it('starts only the bootstrap core', () => {
    const { machine } = booted({ coreCount: 3 });
    machine.run(1e8);
    expect(machine.cores.map((core) => core.handler !== undefined)).toEqual([true, false, false]);
  });

  it('starts no core over a control block that is in use, or is no memory', () => {
    const { machine, plan } = booted({ coreCount: 2 });
    const { mem, cores } = machine;
    const [, core] = cores;
    const page = asPtr<'BootInfo'>(plan.end + PAGE);
    BootInfo.magic.set(mem, page, BOOTINFO_MAGIC);
    BootInfo.coreId.set(mem, page, 1);
    for (const kcb of [plan.kcb, 1, 2 ** 40]) {
      BootInfo.kcb.set(mem, page, asPtr<'Kcb'>(kcb));
      expect(core !== undefined && machine.firmware(core, page)).toBe(false);
      expect(core?.handler).toBeUndefined();
    }
    expect(Kcb.coreId.get(mem, plan.kcb)).toBe(0);
  });

  it('puts another driver over the block of a core, wrapped as the first was', () => {
    const seen: CpuDriver[] = [];
    const { machine, driver, drivers } = booted({
      wrapDriver(inner) {
        seen.push(inner);
        return inner;
      },
    });
    expect(machine.bsp.replaceDriver(driver.kernel.kcb)).toBe(true);
    expect(seen).toEqual([driver, drivers.get(0)]);
    expect(seen[0]).not.toBe(seen[1]);
    expect(machine.run(1e8).kind).not.toBe('budget');
  });

  it('lets a test watch every kernel entry', () => {
    const kinds: number[] = [];
    const { machine, driver } = booted({
      wrapDriver: (inner) => ({
        onTrap(kind) {
          kinds.push(kind);
          inner.onTrap(kind);
        },
      }),
    });
    machine.run(1e8);
    expect(kinds.length).toBeGreaterThan(0);
    expect(kinds.length).toBe(Kcb.kernelEntries.get(machine.mem, driver.kernel.kcb));
  });
});

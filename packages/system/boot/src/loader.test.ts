/** The boot loader: what goes where, and what the boot information says of it. */

import { asPaddr, asPtr, PhysMem } from '@barreleye/core';
import { type Board, boardPc64, boardVexpress } from '@barreleye/machine';
import {
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BOOTINFO_REGION_COUNT,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  DeviceClass,
  errName,
  FIRST_DOMAIN_BYTES,
  KCB_BYTES,
  RegionType,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  type LoadedModule,
  loadMemory,
  type MemoryPlan,
  maxModules,
  planMemory,
} from './loader.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
/** RAM that must stay free. */
const MIN_FREE = MIB;

function moduleOf(name: string, bytes: number): LoadedModule {
  return { name, bytes: new Uint8Array(bytes).map((_, i) => (i * 7 + name.length) & 255) };
}

function must(board: Board, ramBytes: number, modules: readonly LoadedModule[]): MemoryPlan {
  const planned = planMemory(board, ramBytes, modules);
  if (!planned.ok) throw new Error(planned.message);
  return planned.plan;
}

const pagesOf = (bytes: number): number => Math.max(Math.ceil(bytes / PAGE), 1) * PAGE;

describe.each([boardPc64, boardVexpress])('the plan for $name', (board) => {
  const base = board.ramRanges(board.minRamBytes)[0]?.base ?? 0;

  it('puts everything one behind the other at the bottom of RAM, in whole pages', () => {
    const modules = [moduleOf('/a', 100), moduleOf('/b', PAGE), moduleOf('/c', PAGE + 1)];
    const plan = must(board, board.minRamBytes, modules);
    expect(plan.kcb).toBe(base);
    expect(plan.bootInfo).toBe(base + pagesOf(KCB_BYTES));
    expect(plan.arena).toBe(plan.bootInfo + pagesOf(BOOTINFO_BYTES));
    const first = plan.arena + pagesOf(FIRST_DOMAIN_BYTES);
    expect(plan.modules).toEqual([first, first + PAGE, first + 2 * PAGE]);
    expect(plan.end).toBe(first + 4 * PAGE);
  });

  it('leaves a MiB of RAM free, to the page', () => {
    const room = base + board.minRamBytes - MIN_FREE - must(board, board.minRamBytes, []).end;
    const fitting = must(board, board.minRamBytes, [moduleOf('/a', room)]);
    expect(fitting.end).toBe(base + board.minRamBytes - MIN_FREE);
    const planned = planMemory(board, board.minRamBytes, [moduleOf('/a', room + 1)]);
    expect(planned.ok ? '' : errName(planned.err)).toBe('BOOT_ERR_NO_RAM');
    expect(planned.ok ? '' : planned.message).toBe(
      `too little RAM: the modules need ${board.minRamBytes + PAGE} bytes, ` +
        `there are ${board.minRamBytes}`,
    );
  });

  it('takes as many modules as the boot information has room to describe', () => {
    const besides = 1 + board.ramRanges(board.maxRamBytes).length + board.devices.length;
    const most = maxModules(board);
    expect(most).toBeGreaterThan(BOOTINFO_REGION_COUNT - besides - 4);
    expect(most).toBeLessThanOrEqual(BOOTINFO_REGION_COUNT - besides);
    const modules = Array.from({ length: most }, (_, i) => moduleOf(`/m${i}`, 1));
    expect(planMemory(board, 64 * MIB, modules).ok).toBe(true);
  });
});

interface Region {
  readonly base: number;
  readonly bytes: number;
  readonly type: number;
  readonly name: string;
}

/** Load `modules` and read back what the kernel will find. */
function load(board: Board, ramBytes: number, modules: readonly LoadedModule[]) {
  const plan = must(board, ramBytes, modules);
  const ranges = board.ramRanges(ramBytes);
  const origin = ranges[0]?.base ?? 0;
  const last = ranges.at(-1);
  const end = (last?.base ?? 0) + (last?.bytes ?? 0);
  const mem = new PhysMem(new ArrayBuffer(end - origin), origin);
  loadMemory(mem, board, plan, modules, { coreCount: 3, ramBytes, seed: 0xfedc_ba98 });
  const info = asPtr<'BootInfo'>(plan.bootInfo);
  const at = (i: number) => asPtr<'BootRegion'>(plan.bootInfo + bootRegionOffset(i));
  const regions: Region[] = Array.from({ length: BootInfo.regionCount.get(mem, info) }, (_, i) => ({
    base: BootRegion.base.get(mem, at(i)),
    bytes: BootRegion.bytes.get(mem, at(i)),
    type: BootRegion.type.get(mem, at(i)),
    name: BootRegion.name.get(mem, at(i)),
  }));
  return { mem, plan, info, at, regions };
}

describe.each([boardPc64, boardVexpress])('boot information of $name', (board) => {
  const modules = [moduleOf('/sbin/init', 5000), moduleOf('/data x=1', 3), moduleOf('/empty', 0)];

  it('says what the machine is', () => {
    const { mem, info } = load(board, 16 * MIB, modules);
    expect(BootInfo.magic.get(mem, info)).toBe(BOOTINFO_MAGIC);
    expect(BootInfo.coreCount.get(mem, info)).toBe(3);
    expect(BootInfo.ramBytes.get(mem, info)).toBe(16 * MIB);
    expect(BootInfo.frequency.get(mem, info)).toBe(board.frequency);
    expect(BootInfo.seed.get(mem, info)).toBe(0xfedc_ba98);
  });

  it('names modules as the menu does, with their exact lengths, and the first as init', () => {
    const { mem, info, at, plan, regions } = load(board, 16 * MIB, modules);
    const found = [...regions.entries()].filter(([, region]) => region.type === RegionType.Module);
    expect(found.map(([, region]) => region.name)).toEqual(modules.map(({ name }) => name));
    expect(found.map(([, region]) => region.base)).toEqual(plan.modules);
    expect(found.map(([i]) => BootRegion.fileBytes.get(mem, at(i)))).toEqual([5000, 3, 0]);
    expect(found[0]?.[0]).toBe(BootInfo.initModule.get(mem, info));
  });

  it('has the modules in memory, with zeros up to the end of their pages', () => {
    const { mem, plan } = load(board, 16 * MIB, modules);
    for (const [i, { bytes }] of modules.entries()) {
      const base = asPaddr(plan.modules[i] ?? 0);
      expect(mem.read(base, bytes.length)).toEqual(bytes);
      const rest = mem.read(asPaddr(base + bytes.length), pagesOf(bytes.length) - bytes.length);
      expect(rest.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('accounts for every byte of RAM once', () => {
    const { regions } = load(board, 16 * MIB, modules);
    const ram = regions
      .filter(({ type }) => type !== RegionType.PhysAddr)
      .filter(({ bytes }) => bytes > 0)
      .sort((a, b) => a.base - b.base);
    const [range] = board.ramRanges(16 * MIB);
    let at: number = range?.base ?? 0;
    for (const region of ram) {
      expect(region.base).toBe(at);
      expect(region.bytes % PAGE).toBe(0);
      at += region.bytes;
    }
    expect(at).toBe((range?.base ?? 0) + 16 * MIB);
  });

  it('lists the devices with class and interrupt line', () => {
    const { mem, at, regions } = load(board, 16 * MIB, modules);
    const found = [...regions.entries()].filter(([, { type }]) => type === RegionType.PhysAddr);
    const seen = found.map(([i, { base, bytes, name }]) => ({
      name,
      class: BootRegion.device.get(mem, at(i)),
      base,
      bytes,
      irq: BootRegion.irq.get(mem, at(i)),
    }));
    expect(seen).toEqual(board.devices);
    expect(seen.some((device) => device.class === DeviceClass.Power)).toBe(true);
  });
});

describe('RAM in two pieces', () => {
  const board: Board = {
    ...boardPc64,
    ramRanges: (ramBytes) => [
      { base: asPaddr(MIB), bytes: 4 * MIB },
      { base: asPaddr(8 * MIB), bytes: ramBytes - 4 * MIB },
    ],
  };

  it('takes modules in the first only', () => {
    expect(planMemory(board, 64 * MIB, [moduleOf('/a', 100)]).ok).toBe(true);
    const planned = planMemory(board, 64 * MIB, [moduleOf('/a', 3 * MIB)]);
    expect(planned.ok ? '' : errName(planned.err)).toBe('BOOT_ERR_NO_RAM');
  });

  it('is free behind the modules, and all of the second', () => {
    const { regions, plan } = load(board, 8 * MIB, [moduleOf('/sbin/init', 10)]);
    const free = regions.filter(({ type }) => type === RegionType.Empty);
    expect(free.map(({ base, bytes }) => [base, bytes])).toEqual([
      [plan.end, 5 * MIB - plan.end],
      [8 * MIB, 4 * MIB],
    ]);
  });
});

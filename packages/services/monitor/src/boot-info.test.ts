/** The boot information as init reads it. */

import { asPtr, paddr } from '@barreleye/core';
import { formatCapref } from '@barreleye/libos';
import { HandCpu } from '@barreleye/libos/testing';
import {
  archX86_64,
  BOOT_TOPOLOGY_OFFSET,
  BOOTINFO_MAGIC,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  DeviceClass,
  packBootTopology,
  RegionType,
  RootSlot,
  Scheduler,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { deviceCap, type Region, ramCap, readBootInfo } from './boot-info.ts';

const AT = archX86_64.dispatcherBase + 4096;
const SERIAL: Region = {
  base: 0xfe00_1000,
  bytes: 4096,
  type: RegionType.PhysAddr,
  device: DeviceClass.Uart16550,
  irq: 4,
  fileBytes: 0,
  slot: 2,
  name: 'serial0',
};
const RAM: Region = {
  base: 5 * 2 ** 32,
  bytes: 3 * 2 ** 32,
  type: RegionType.Empty,
  device: 0,
  irq: 0,
  fileBytes: 0,
  slot: 1,
  name: 'x'.repeat(BootRegion.name.bytes),
};

/** A processor that sees this boot information at `AT`. */
function create(regions: readonly Region[]): HandCpu {
  const cpu = new HandCpu(archX86_64);
  const { mem } = cpu;
  const info = asPtr<'BootInfo'>(AT);
  BootInfo.magic.set(mem, info, BOOTINFO_MAGIC);
  BootInfo.regionCount.set(mem, info, regions.length);
  BootInfo.coreCount.set(mem, info, 12);
  BootInfo.coreId.set(mem, info, 3);
  BootInfo.startedBy.set(mem, info, 1);
  BootInfo.usedIds.set(mem, info, 77);
  BootInfo.scheduler.set(mem, info, Scheduler.Rbed);
  BootInfo.seed.set(mem, info, 99);
  BootInfo.frequency.set(mem, info, 5_000_000_000);
  BootInfo.ramBytes.set(mem, info, 8 * 2 ** 32);
  for (const [i, region] of regions.entries()) {
    const at = asPtr<'BootRegion'>(AT + bootRegionOffset(i));
    BootRegion.base.set(mem, at, paddr(region.base));
    BootRegion.bytes.set(mem, at, region.bytes);
    BootRegion.type.set(mem, at, region.type);
    BootRegion.device.set(mem, at, region.device);
    BootRegion.irq.set(mem, at, region.irq);
    BootRegion.slot.set(mem, at, region.slot);
    BootRegion.name.set(mem, at, region.name);
  }
  cpu.hold();
  return cpu;
}

describe('the boot information', () => {
  it('is read through the page tables as the loader wrote it', () => {
    expect(readBootInfo(create([SERIAL, RAM]), AT)).toEqual({
      coreCount: 12,
      coreId: 3,
      startedBy: 1,
      usedIds: 77,
      scheduler: Scheduler.Rbed,
      seed: 99,
      frequency: 5_000_000_000,
      ramBytes: 8 * 2 ** 32,
      regions: [SERIAL, RAM],
      places: undefined,
    });
  });

  it('says where cores and RAM are, if that is known', () => {
    const cpu = create([]);
    const places = {
      topology: {
        packageOf: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
        hops: [
          [0, 1],
          [1, 0],
        ],
      },
      packageRam: [
        { base: 0x10_0000, end: 4 * 2 ** 32 },
        { base: 4 * 2 ** 32, end: 8 * 2 ** 32 },
      ],
    };
    BootInfo.packageCount.set(cpu.mem, asPtr<'BootInfo'>(AT), 2);
    cpu.mem.write(paddr(AT + BOOT_TOPOLOGY_OFFSET), packBootTopology(places));
    expect(readBootInfo(cpu, AT)).toMatchObject({ scheduler: Scheduler.Rbed, places });
  });

  it('must be there', () => {
    const cpu = create([]);
    expect(() => readBootInfo(cpu, AT + 4096)).toThrow('no boot information there');
  });

  it('says in which slot the capability of a region is', () => {
    expect(formatCapref(ramCap(RAM))).toBe(`${RootSlot.SuperCn}.1`);
    expect(formatCapref(deviceCap(SERIAL))).toBe(`${RootSlot.PhysAddrCn}.2`);
    expect(() => ramCap(SERIAL)).toThrow('only free regions');
    expect(() => deviceCap(RAM)).toThrow('only device regions');
  });
});

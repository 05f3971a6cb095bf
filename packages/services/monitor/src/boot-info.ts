/**
 * The boot information as init sees it: a page in its address space, read through the page tables.
 */

import { assert, fromWords } from '@barreleye/core';
import { type Capref, capref } from '@barreleye/libos';
import {
  BOOT_TOPOLOGY_BYTES,
  BOOT_TOPOLOGY_OFFSET,
  BOOTINFO_MAGIC,
  BootInfo,
  BootRegion,
  type BootTopology,
  bootRegionOffset,
  type DeviceClass,
  RegionType,
  RootSlot,
  type Scheduler,
  type UserCpu,
  unpackBootTopology,
} from '@barreleye/spec';

/** One region of physical addresses that the kernel told init about. */
export interface Region {
  readonly base: number;
  readonly bytes: number;
  readonly type: RegionType;
  readonly device: DeviceClass;
  readonly irq: number;
  /** Exact length of a module. */
  readonly fileBytes: number;
  /** Slot in the CNode of the type. */
  readonly slot: number;
  readonly name: string;
}

/** What the machine is and what there is in it. */
export interface BootView {
  /** Cores of the board. */
  readonly coreCount: number;
  /** This core, and the one that has started it; the bootstrap core has started itself. */
  readonly coreId: number;
  readonly startedBy: number;
  /** Identifiers that the core has made before, when it was stopped. */
  readonly usedIds: number;
  readonly scheduler: Scheduler;
  readonly seed: number;
  /** Cycles per second. */
  readonly frequency: number;
  readonly ramBytes: number;
  readonly regions: readonly Region[];
  /** How far cores are from each other, and whose RAM is where; if anybody knows. */
  readonly places: BootTopology | undefined;
}

/** Read the boot information at virtual address `at`, where it is mapped. */
export function readBootInfo(cpu: UserCpu, at: number): BootView {
  assert(cpu.load32(at + BootInfo.magic.offset) === BOOTINFO_MAGIC, 'no boot information there');
  const regionCount = cpu.load32(at + BootInfo.regionCount.offset);
  const regions: Region[] = [];
  for (let i = 0; i < regionCount; i++) regions.push(readRegion(cpu, at + bootRegionOffset(i)));
  const coreCount = cpu.load32(at + BootInfo.coreCount.offset);
  // Two fields of a byte in one load: to know nothing about places costs nothing.
  const pair = cpu.load16(at + BootInfo.scheduler.offset);
  const packageCount = pair >>> 8;
  const coreId = cpu.load8(at + BootInfo.coreId.offset);
  const startedBy = cpu.load8(at + BootInfo.startedBy.offset);
  return {
    coreCount,
    coreId,
    startedBy,
    // The bootstrap core is not started anew.
    usedIds: coreId === startedBy ? 0 : cpu.load32(at + BootInfo.usedIds.offset),
    scheduler: (pair & 0xff) as Scheduler,
    seed: cpu.load32(at + BootInfo.seed.offset),
    frequency: load64(cpu, at + BootInfo.frequency.offset),
    ramBytes: load64(cpu, at + BootInfo.ramBytes.offset),
    regions,
    places: packageCount > 0 ? readPlaces(cpu, at, packageCount, coreCount) : undefined,
  };
}

/** The RAM capability of an `Empty` region. */
export function ramCap(region: Region): Capref<'RAM'> {
  assert(region.type === RegionType.Empty, 'only free regions have a RAM capability');
  return capref(RootSlot.SuperCn, region.slot);
}

/** The capability of a device region. */
export function deviceCap(region: Region): Capref<'PhysAddr'> {
  assert(region.type === RegionType.PhysAddr, 'only device regions have a PhysAddr capability');
  return capref(RootSlot.PhysAddrCn, region.slot);
}

/** The first device whose class is one of `classes`. Panics when the machine has none. */
export function findDevice(boot: BootView, classes: readonly DeviceClass[]): Region {
  const device = boot.regions.find(
    (r) => r.type === RegionType.PhysAddr && classes.includes(r.device),
  );
  assert(device !== undefined, 'the machine lacks a device that the system needs');
  return device;
}

function readPlaces(
  cpu: UserCpu,
  at: number,
  packageCount: number,
  coreCount: number,
): BootTopology {
  const bytes = new Uint8Array(BOOT_TOPOLOGY_BYTES);
  for (let i = 0; i < bytes.length; i++) bytes[i] = cpu.load8(at + BOOT_TOPOLOGY_OFFSET + i);
  return unpackBootTopology(bytes, packageCount, coreCount);
}

function readRegion(cpu: UserCpu, at: number): Region {
  return {
    base: load64(cpu, at + BootRegion.base.offset),
    bytes: load64(cpu, at + BootRegion.bytes.offset),
    type: cpu.load8(at + BootRegion.type.offset) as RegionType,
    device: cpu.load8(at + BootRegion.device.offset) as DeviceClass,
    irq: cpu.load32(at + BootRegion.irq.offset),
    fileBytes: cpu.load32(at + BootRegion.fileBytes.offset),
    slot: cpu.load32(at + BootRegion.slot.offset),
    name: loadText(cpu, at + BootRegion.name.offset, BootRegion.name.bytes),
  };
}

function load64(cpu: UserCpu, at: number): number {
  return fromWords(cpu.load32(at), cpu.load32(at + 4));
}

function loadText(cpu: UserCpu, at: number, bytes: number): string {
  let text = '';
  for (let i = 0; i < bytes; i++) {
    const code = cpu.load8(at + i);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}

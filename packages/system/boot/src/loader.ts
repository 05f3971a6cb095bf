/**
 * The boot loader: lays out physical memory, puts the modules and the boot information into it, and
 * says where everything is. From the bottom of the first RAM region:
 *
 *     KCB | boot information | arena of the first domain | modules | free RAM
 */

import {
  alignUp,
  asPaddr,
  asPtr,
  BASE_PAGE_BITS,
  type Paddr,
  type PhysMem,
  type Ptr,
  paddr,
} from '@barreleye/core';
import type { Board } from '@barreleye/machine';
import {
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BOOTINFO_REGION_COUNT,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  type DeviceClass,
  Err,
  FIRST_DOMAIN_BYTES,
  KCB_BYTES,
  Kcb,
  RegionType,
} from '@barreleye/spec';
import { type BootFailure, bootFailure } from './failure.ts';

/** A module, ready to be put into memory. */
export interface LoadedModule {
  /** Path and arguments. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What goes where in physical memory. */
export interface MemoryPlan {
  readonly kcb: Ptr<'Kcb'>;
  readonly bootInfo: Paddr;
  readonly arena: Paddr;
  readonly modules: readonly Paddr[];
  /** First address behind everything that was placed. */
  readonly end: number;
}

/** A plan, or why the machine is too small for it. */
export type PlanResult = { readonly ok: true; readonly plan: MemoryPlan } | BootFailure;

/** How one region of the boot information is described. */
interface RegionSpec {
  readonly base: number;
  readonly bytes: number;
  readonly type: RegionType;
  readonly name: string;
  readonly device?: DeviceClass;
  readonly irq?: number;
  readonly fileBytes?: number;
}

/** Regions of the boot information that are not modules or devices, at most. */
const OTHER_REGIONS = 4;

/** How many modules the boot information of a board has room for. */
export function maxModules(board: Board): number {
  return BOOTINFO_REGION_COUNT - board.devices.length - OTHER_REGIONS;
}

/** Least free RAM that a system is started with. */
const MIN_FREE_BYTES = 2 ** 20;

/**
 * Decide where everything goes.
 * @errors BOOT_ERR_NO_RAM it does not fit the first region
 */
export function planMemory(
  board: Board,
  ramBytes: number,
  modules: readonly LoadedModule[],
): PlanResult {
  const [first] = board.ramRanges(ramBytes);
  let at: number = first?.base ?? 0;
  const place = (bytes: number): Paddr => {
    const base = paddr(at);
    at = alignUp(at + bytes, BASE_PAGE_BITS);
    return base;
  };
  const kcb = asPtr<'Kcb'>(place(KCB_BYTES));
  const bootInfo = place(BOOTINFO_BYTES);
  const arena = place(FIRST_DOMAIN_BYTES);
  const bases = modules.map((module) => place(moduleBytes(module)));
  const end = (first?.base ?? 0) + (first?.bytes ?? 0);
  if (at + MIN_FREE_BYTES > end) {
    const needed = at + MIN_FREE_BYTES - (first?.base ?? 0);
    return bootFailure(
      Err.BOOT_ERR_NO_RAM,
      `too little RAM: the modules need ${needed} bytes, there are ${ramBytes}`,
    );
  }
  return { ok: true, plan: { kcb, bootInfo, arena, modules: bases, end: at } };
}

/** What the boot information says besides the regions. */
export interface BootFacts {
  readonly coreCount: number;
  readonly ramBytes: number;
  readonly seed: number;
}

/** Carry out a plan: modules, KCB and boot information are in memory afterwards. */
export function loadMemory(
  mem: PhysMem,
  board: Board,
  plan: MemoryPlan,
  modules: readonly LoadedModule[],
  facts: BootFacts,
): void {
  for (const [i, { bytes }] of modules.entries()) mem.write(asPaddr(plan.modules[i] ?? 0), bytes);
  Kcb.coreId.set(mem, plan.kcb, 0);
  const info = asPtr<'BootInfo'>(plan.bootInfo);
  const regions = describeRegions(board, plan, modules, facts.ramBytes);
  BootInfo.magic.set(mem, info, BOOTINFO_MAGIC);
  BootInfo.regionCount.set(mem, info, regions.length);
  BootInfo.coreCount.set(mem, info, facts.coreCount);
  BootInfo.initModule.set(
    mem,
    info,
    regions.findIndex((region) => region.type === RegionType.Module),
  );
  BootInfo.frequency.set(mem, info, board.frequency);
  BootInfo.ramBytes.set(mem, info, facts.ramBytes);
  BootInfo.seed.set(mem, info, facts.seed);
  for (const [i, region] of regions.entries()) writeRegion(mem, plan.bootInfo, i, region);
}

function describeRegions(
  board: Board,
  plan: MemoryPlan,
  modules: readonly LoadedModule[],
  ramBytes: number,
): RegionSpec[] {
  const regions: RegionSpec[] = [];
  const base = plan.kcb;
  const tail = plan.modules[0] ?? plan.end;
  regions.push({ base, bytes: tail - base, type: RegionType.RootTask, name: 'kernel and init' });
  for (const [i, module] of modules.entries()) {
    const at = plan.modules[i] ?? 0;
    const bytes = moduleBytes(module);
    const fileBytes = module.bytes.length;
    regions.push({ base: at, bytes, type: RegionType.Module, name: module.name, fileBytes });
  }
  for (const range of board.ramRanges(ramBytes)) {
    const free = Math.max(range.base, range.base <= plan.kcb ? plan.end : range.base);
    const bytes = range.base + range.bytes - free;
    regions.push({ base: free, bytes, type: RegionType.Empty, name: 'RAM' });
  }
  for (const device of board.devices) {
    const { name, irq, bytes } = device;
    const type = RegionType.PhysAddr;
    regions.push({ base: device.base, bytes, type, name, irq, device: device.class });
  }
  return regions;
}

/** Whole pages, also for an empty file: its capability needs a size. */
function moduleBytes({ bytes }: LoadedModule): number {
  return alignUp(Math.max(bytes.length, 1), BASE_PAGE_BITS);
}

function writeRegion(mem: PhysMem, bootInfo: Paddr, index: number, spec: RegionSpec): void {
  const region = asPtr<'BootRegion'>(bootInfo + bootRegionOffset(index));
  BootRegion.base.set(mem, region, paddr(spec.base));
  BootRegion.bytes.set(mem, region, spec.bytes);
  BootRegion.type.set(mem, region, spec.type);
  BootRegion.device.set(mem, region, spec.device ?? 0);
  BootRegion.irq.set(mem, region, spec.irq ?? 0);
  BootRegion.fileBytes.set(mem, region, spec.fileBytes ?? 0);
  BootRegion.name.set(mem, region, spec.name);
}

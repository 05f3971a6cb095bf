/** The boot information of a core that another one starts. `boot-info.ts` reads it there. */

import { asPaddr, asPtr, PhysMem } from '@barreleye/core';
import type { RamBlock } from '@barreleye/libos';
import {
  BOOT_TOPOLOGY_OFFSET,
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  FIRST_DOMAIN_BYTES,
  packBootTopology,
  RegionType,
} from '@barreleye/spec';
import type { BootView, Region } from './boot-info.ts';
import { LINK_BYTES } from './link.ts';

/** Where things of a new core are; addresses. */
export interface CoreFacts {
  readonly core: number;
  /** See `CoreRequest`. */
  readonly usedIds: number;
  readonly kcb: number;
  readonly arena: number;
  readonly linkFrame: number;
  readonly ram: RamBlock;
}

/** The words of its boot information, `BOOTINFO_BYTES` in all. */
export function describeCore(boot: BootView, facts: CoreFacts): Uint32Array {
  const buffer = new ArrayBuffer(BOOTINFO_BYTES);
  const mem = new PhysMem(buffer);
  const info = asPtr<'BootInfo'>(0);
  const { arena, linkFrame, ram } = facts;
  const none = { device: 0, irq: 0, slot: 0, fileBytes: 0 } as const;
  const modules = boot.regions.filter(({ type }) => type === RegionType.Module);
  const regions: readonly Region[] = [
    ...modules,
    { ...none, base: ram.base, bytes: ram.bytes, type: RegionType.Empty, name: 'RAM' },
    { ...none, base: arena, bytes: FIRST_DOMAIN_BYTES, type: RegionType.RootTask, name: 'init' },
    {
      ...none,
      base: linkFrame,
      bytes: LINK_BYTES,
      type: RegionType.Channel,
      name: 'channel',
    },
  ];
  BootInfo.magic.set(mem, info, BOOTINFO_MAGIC);
  BootInfo.regionCount.set(mem, info, regions.length);
  BootInfo.coreCount.set(mem, info, boot.coreCount);
  BootInfo.frequency.set(mem, info, boot.frequency);
  BootInfo.ramBytes.set(mem, info, boot.ramBytes);
  BootInfo.seed.set(mem, info, boot.seed);
  BootInfo.kcb.set(mem, info, asPtr<'Kcb'>(facts.kcb));
  BootInfo.arena.set(mem, info, asPaddr(arena));
  BootInfo.coreId.set(mem, info, facts.core);
  BootInfo.startedBy.set(mem, info, boot.coreId);
  BootInfo.usedIds.set(mem, info, facts.usedIds);
  BootInfo.scheduler.set(mem, info, boot.scheduler);
  if (boot.places !== undefined) {
    BootInfo.packageCount.set(mem, info, boot.places.packageRam.length);
    mem.write(asPaddr(BOOT_TOPOLOGY_OFFSET), packBootTopology(boot.places));
  }
  for (const [i, spec] of regions.entries()) {
    const region = asPtr<'BootRegion'>(bootRegionOffset(i));
    BootRegion.base.set(mem, region, asPaddr(spec.base));
    BootRegion.bytes.set(mem, region, spec.bytes);
    BootRegion.type.set(mem, region, spec.type);
    BootRegion.fileBytes.set(mem, region, spec.fileBytes);
    BootRegion.name.set(mem, region, spec.name);
  }
  return new Uint32Array(buffer);
}

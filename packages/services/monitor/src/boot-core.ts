/**
 * Starting another core. It gets a control block, RAM of its own, the boot modules, and a channel
 * to this core, all written down in boot information like that of the first core.
 */

import {
  asPaddr,
  asPtr,
  BASE_PAGE_SIZE,
  errPush,
  fail,
  isOk,
  PhysMem,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  KernelCap,
  type Os,
  type RamBlock,
  type RamSource,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import { createMemorySource, type Vspace } from '@barreleye/paging';
import { mustUndo, Parts } from '@barreleye/spawn';
import {
  BOOT_TOPOLOGY_OFFSET,
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  Err,
  FIRST_DOMAIN_BYTES,
  KCB_BYTES,
  type PackageRam,
  packageOfCore,
  packBootTopology,
  RegionType,
} from '@barreleye/spec';
import type { BootView, Region } from './boot-info.ts';
import { LentRam } from './lent-ram.ts';
import { LINK_BYTES } from './link.ts';

/** What a core takes beside the RAM that is its own. */
export const CORE_OVERHEAD_BYTES = KCB_BYTES + FIRST_DOMAIN_BYTES + BOOTINFO_BYTES + LINK_BYTES;

/** What a core is started with. */
export interface CoreRequest {
  readonly core: number;
  /** RAM that is to be its own, whole pages, beside what its kernel and first domain take. */
  readonly ramBytes: number;
  /** Identifiers that it has made before, and must not use again. */
  readonly usedIds: number;
}

/** A core that has been started. */
export interface StartedCore {
  readonly core: number;
  /** Shared with its first domain. */
  readonly channel: Capref<'Frame'>;
  /** RAM that it has got. */
  readonly givenBytes: number;
  /** Give it more RAM. @errors those of `RamSource.alloc` */
  giveRam(bytes: number): Result<RamBlock>;
  /** When it is off: all that it was given comes back. */
  takeBack(): void;
}

/** RAM for other cores. */
export interface CoreRam extends RamSource {
  /** `RamSource.alloc`, all of it in one part of RAM. */
  alloc(bytes: number, alignBytes: number, within?: PackageRam): Result<RamBlock>;
}

/** What `startCore` works with. */
export interface CoreStarter {
  readonly os: Os;
  readonly boot: BootView;
  /** What other cores are given comes from here. */
  readonly account: CoreRam;
  readonly vspace: Vspace;
}

/**
 * Start a core.
 * @errors INIT_ERR_CORE over the reason: no memory, or SYS_ERR_CORE_START
 * @post on failure nothing is left
 */
export function startCore(starter: CoreStarter, request: CoreRequest): Result<StartedCore> {
  const { os, account } = starter;
  const parts = new Parts(os.sys, createMemorySource(os.sys, account, os.slots));
  const made = build(starter, request, parts);
  if (made.ok) return made;
  mustUndo(parts);
  return fail(errPush(made.err, Err.INIT_ERR_CORE));
}

function build(
  { os, boot, account, vspace }: CoreStarter,
  { core, ramBytes, usedIds }: CoreRequest,
  parts: Parts,
): Result<StartedCore> {
  const kcb = parts.make('KernelControlBlock');
  if (!kcb.ok) return kcb;
  const arena = parts.make('Frame', FIRST_DOMAIN_BYTES);
  if (!arena.ok) return arena;
  const page = parts.make('Frame', BOOTINFO_BYTES);
  if (!page.ok) return page;
  const channel = parts.make('Frame', LINK_BYTES);
  if (!channel.ok) return channel;
  const lent = new LentRam(os, boot.coreId, core);
  const giveRam = (bytes: number): Result<RamBlock> => {
    const block = allocNear(account, boot, { core, ramBytes: bytes });
    if (!block.ok) return block;
    parts.adopt(block.value);
    const err = lent.lend(block.value);
    return isOk(err) ? block : fail(err);
  };
  const ram = giveRam(ramBytes);
  if (!ram.ok) return ram;
  const baseOf = (cap: Capref): number => unwrap(capIdentify(os.sys, cap)).base;
  const info = describeCore(boot, {
    core,
    usedIds,
    kcb: baseOf(kcb.value),
    arena: baseOf(arena.value),
    channel: baseOf(channel.value),
    ram: ram.value,
  });
  let err = vspace.write(page.value, [[0, info]]);
  if (isOk(err)) err = new KernelCap(os.sys, TASK_KERNEL).spawnCore(core, page.value);
  if (!isOk(err)) {
    lent.takeBack();
    return fail(err);
  }
  const takeBack = (): void => {
    lent.takeBack();
    mustUndo(parts);
  };
  return succeed({
    core,
    channel: channel.value,
    get givenBytes() {
      return CORE_OVERHEAD_BYTES + lent.bytes;
    },
    giveRam,
    takeBack,
  });
}

/** RAM for a core: of its own package, if that is known and there is as much. */
function allocNear(
  account: CoreRam,
  { places }: BootView,
  { core, ramBytes }: Pick<CoreRequest, 'core' | 'ramBytes'>,
): Result<RamBlock> {
  const near = places?.packageRam[packageOfCore(places.topology, core)];
  if (near !== undefined) {
    const block = account.alloc(ramBytes, BASE_PAGE_SIZE, near);
    if (block.ok) return block;
  }
  return account.alloc(ramBytes, BASE_PAGE_SIZE);
}

interface CoreFacts {
  readonly core: number;
  readonly usedIds: number;
  readonly kcb: number;
  readonly arena: number;
  readonly channel: number;
  readonly ram: RamBlock;
}

/** The boot information of a core. */
function describeCore(boot: BootView, facts: CoreFacts): Uint32Array {
  const buffer = new ArrayBuffer(BOOTINFO_BYTES);
  const mem = new PhysMem(buffer);
  const info = asPtr<'BootInfo'>(0);
  const { arena, channel, ram } = facts;
  const none = { device: 0, irq: 0, slot: 0, fileBytes: 0 } as const;
  const modules = boot.regions.filter(({ type }) => type === RegionType.Module);
  const regions: readonly Region[] = [
    ...modules,
    { ...none, base: ram.base, bytes: ram.bytes, type: RegionType.Empty, name: 'RAM' },
    { ...none, base: arena, bytes: FIRST_DOMAIN_BYTES, type: RegionType.RootTask, name: 'init' },
    {
      ...none,
      base: channel,
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

/**
 * The first kernel entry of a core: build the first domain by hand, out of memory that the boot
 * loader has set aside, and give it everything there is. Only this code makes capabilities from
 * nothing; all of them are in the mapping database like any other (T46).
 */

import { copyToSlot, createCap, type Slot } from '@barreleye/caps';
import { asPtr, assert, BASE_PAGE_SIZE, coreId, type Paddr, type Ptr } from '@barreleye/core';
import {
  BOOTINFO_BYTES,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  CTE_BYTES,
  Cte,
  DCB_BYTES,
  Dcb,
  DISPATCHER_FRAME_BYTES,
  DispatcherFrame,
  FIRST_DOMAIN_BYTES,
  GATES_AT,
  IMAGE_BYTES,
  IMAGE_MAGIC,
  ImageHeader,
  KCB_MAGIC,
  Kcb,
  L1_CNODE_GRANULE,
  L2_CNODE_BYTES,
  L2CNode,
  ObjType,
  PageFlag,
  RegionType,
  RootSlot,
  type Scheduler,
  TaskSlot,
} from '@barreleye/spec';
import { Arena } from './arena.ts';
import type { Kernel } from './kernel.ts';
import { makeRunnable } from './schedule.ts';
import { VspaceBuilder } from './startup-vspace.ts';

/** What the boot loader hands over. */
export interface FirstDomain {
  /** Boot information, filled in but for the capability slots; `BOOTINFO_BYTES` of its own. */
  readonly bootInfo: Paddr;
  /** Zeroed RAM for the objects of the first domain: `FIRST_DOMAIN_BYTES`, page-aligned. */
  readonly arena: Paddr;
  readonly scheduler: Scheduler;
  /** Time slice of the scheduler, cycles. */
  readonly timeslice: number;
}

/** L2 CNodes of the first domain, by root slot. */
const CNODES = [
  RootSlot.TaskCn,
  RootSlot.PageCn,
  RootSlot.SuperCn,
  RootSlot.SegCn,
  RootSlot.PhysAddrCn,
  RootSlot.ModuleCn,
  RootSlot.SlotAlloc0,
  RootSlot.SlotAlloc1,
  RootSlot.SlotAlloc2,
  RootSlot.RootMappingCn,
] as const;

/** CNode and capability type of the regions of a type, by `RegionType`. */
const REGION_HOMES: { readonly [type: number]: { cnode: number; type: number } | undefined } = {
  [RegionType.Empty]: { cnode: RootSlot.SuperCn, type: ObjType.RAM },
  [RegionType.PhysAddr]: { cnode: RootSlot.PhysAddrCn, type: ObjType.PhysAddr },
  [RegionType.Platform]: { cnode: RootSlot.PhysAddrCn, type: ObjType.PhysAddr },
  [RegionType.Module]: { cnode: RootSlot.ModuleCn, type: ObjType.DevFrame },
};

/** Build the first domain and make it runnable. */
export function spawnFirst(k: Kernel, first: FirstDomain): void {
  const arena = new Arena(first.arena, FIRST_DOMAIN_BYTES);
  initKcb(k, first);
  createCnodes(k, arena);
  createTokens(k);
  createRegions(k, first.bootInfo);
  const image = loadImage(k, arena, first.bootInfo);
  const dcb = createDispatcher(k, arena);
  createVspace(k, arena, dcb, image, first.bootInfo);
  startDispatcher(k, dcb);
}

function initKcb(k: Kernel, first: FirstDomain): void {
  const { mem, kcb } = k;
  assert(Kcb.magic.get(mem, kcb) !== KCB_MAGIC, 'a control block is started once');
  Kcb.magic.set(mem, kcb, KCB_MAGIC);
  const usedIds = BootInfo.usedIds.get(mem, asPtr<'BootInfo'>(first.bootInfo));
  Kcb.nextId.set(mem, kcb, usedIds + 1);
  Kcb.nextDomainId.set(mem, kcb, usedIds + 1);
  Kcb.tagEpoch.set(mem, kcb, 1);
  Kcb.scheduler.set(mem, kcb, first.scheduler);
  Kcb.timeslice.set(mem, kcb, first.timeslice);
  Kcb.bootInfo.set(mem, kcb, first.bootInfo);
}

/** The root CNode, whose capability is in the KCB, and the L2 CNodes in it. */
function createCnodes(k: Kernel, arena: Arena): void {
  const root = Kcb.rootCn.at(k.kcb);
  const base = arena.take(L1_CNODE_GRANULE, L1_CNODE_GRANULE);
  createCap(k.caps, root, ObjType.L1CNode, { base, bytes: L1_CNODE_GRANULE });
  for (const l1Index of CNODES) {
    const cnode = arena.take(L2_CNODE_BYTES, L2_CNODE_BYTES);
    createCap(k.caps, rootSlot(k, l1Index), ObjType.L2CNode, { base: cnode });
  }
  copyToSlot(k.caps, root, slotIn(k, RootSlot.TaskCn, TaskSlot.RootCn));
  createCap(k.caps, rootSlot(k, RootSlot.BspKcb), ObjType.KernelControlBlock, { base: k.kcb });
}

/** Authority that is not memory. */
function createTokens(k: Kernel): void {
  const tokens = [
    [TaskSlot.Irq, ObjType.IRQTable],
    [TaskSlot.Kernel, ObjType.Kernel],
    [TaskSlot.PerfMon, ObjType.PerfMon],
    [TaskSlot.Ipi, ObjType.IPI],
    [TaskSlot.ProcessManager, ObjType.ProcessManager],
  ] as const;
  for (const [slot, type] of tokens) createCap(k.caps, slotIn(k, RootSlot.TaskCn, slot), type);
}

/** A capability for every region of the boot information; slots count up within each type. */
function createRegions(k: Kernel, bootInfo: Paddr): void {
  const { mem } = k;
  const nextSlot = new Map<number, number>();
  const info = asPtr<'BootInfo'>(bootInfo);
  const regionCount = BootInfo.regionCount.get(mem, info);
  const starter = coreId(BootInfo.startedBy.get(mem, info));
  for (let i = 0; i < regionCount; i++) {
    const region = asPtr<'BootRegion'>(bootInfo + bootRegionOffset(i));
    const type = BootRegion.type.get(mem, region);
    const base = BootRegion.base.get(mem, region);
    const bytes = BootRegion.bytes.get(mem, region);
    // Modules and channels are those of the core that has started this one.
    if (type === RegionType.Channel) {
      const channel = slotIn(k, RootSlot.TaskCn, TaskSlot.MonUrpc);
      createCap(k.caps, channel, ObjType.Frame, { base, bytes, owner: starter });
    }
    const home = REGION_HOMES[type];
    if (home === undefined) continue;
    const slot = nextSlot.get(home.cnode) ?? 0;
    nextSlot.set(home.cnode, slot + 1);
    BootRegion.slot.set(mem, region, slot);
    const owner = type === RegionType.Module ? starter : k.hal.coreId;
    createCap(k.caps, slotIn(k, home.cnode, slot), home.type, { base, bytes, owner });
  }
  const spec = { base: bootInfo, bytes: BOOTINFO_BYTES };
  createCap(k.caps, slotIn(k, RootSlot.TaskCn, TaskSlot.BootInfo), ObjType.DevFrame, spec);
}

/** Copy the image of the first domain into a frame of its own. */
function loadImage(k: Kernel, arena: Arena, bootInfo: Paddr): Slot {
  const { mem } = k;
  const index = BootInfo.initModule.get(mem, asPtr<'BootInfo'>(bootInfo));
  const module = asPtr<'BootRegion'>(bootInfo + bootRegionOffset(index));
  const source = BootRegion.base.get(mem, module);
  const header = asPtr<'ImageHeader'>(source);
  assert(ImageHeader.magic.get(mem, header) === IMAGE_MAGIC, 'the first module is not a program');
  const base = arena.take(IMAGE_BYTES, IMAGE_BYTES);
  mem.copyWithin(base, source, IMAGE_BYTES);
  const slot = slotIn(k, RootSlot.SegCn, 0);
  createCap(k.caps, slot, ObjType.Frame, { base, bytes: IMAGE_BYTES });
  return slot;
}

/** DCB and dispatcher frame; the DCB holds copies of the capabilities that it lives by. */
function createDispatcher(k: Kernel, arena: Arena): Ptr<'Dcb'> {
  const { mem, caps } = k;
  const dcb = asPtr<'Dcb'>(arena.take(DCB_BYTES, DCB_BYTES));
  createCap(caps, slotIn(k, RootSlot.TaskCn, TaskSlot.Dispatcher), ObjType.Dispatcher, {
    base: dcb,
  });
  const frameSlot = slotIn(k, RootSlot.TaskCn, TaskSlot.DispatcherFrame);
  const base = asPtr<'DispatcherFrame'>(arena.take(DISPATCHER_FRAME_BYTES, BASE_PAGE_SIZE));
  createCap(caps, frameSlot, ObjType.Frame, { base, bytes: DISPATCHER_FRAME_BYTES });
  copyToSlot(caps, Kcb.rootCn.at(k.kcb), Dcb.cspace.at(dcb));
  copyToSlot(caps, frameSlot, Dcb.frame.at(dcb));
  Dcb.frameBase.set(mem, dcb, base);
  return dcb;
}

/** Page tables, and in them the image, the dispatcher frame and the boot information. */
function createVspace(
  k: Kernel,
  arena: Arena,
  dcb: Ptr<'Dcb'>,
  image: Slot,
  bootInfo: Paddr,
): void {
  const { hal, mem } = k;
  const { arch } = hal;
  const builder = new VspaceBuilder({
    kernel: k,
    arena,
    tableSlot: (i) => slotIn(k, RootSlot.PageCn, i),
    mappingSlot: (i) => slotIn(k, RootSlot.RootMappingCn, i),
  });
  const { Read, Write, Execute } = PageFlag;
  builder.map(image, arch.imageBase, Read | Execute);
  const frame = slotIn(k, RootSlot.TaskCn, TaskSlot.DispatcherFrame);
  builder.map(frame, arch.dispatcherBase, Read | Write);
  const info = slotIn(k, RootSlot.TaskCn, TaskSlot.BootInfo);
  assert(Cte.base.get(mem, info) === bootInfo, 'the boot information has its capability');
  builder.map(info, arch.bootInfoBase, Read);
  copyToSlot(k.caps, builder.root, Dcb.vspace.at(dcb));
  Dcb.vspaceRoot.set(mem, dcb, Cte.base.get(mem, builder.root));
}

/** Registers for the first instruction; a new dispatcher starts disabled. */
function startDispatcher(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { hal, mem } = k;
  const { arch } = hal;
  const frame = Dcb.frameBase.get(mem, dcb);
  Dcb.frameVaddr.set(mem, dcb, arch.dispatcherBase);
  Dcb.disabled.set(mem, dcb, 1);
  DispatcherFrame.disabled.set(mem, frame, 1);
  DispatcherFrame.udisp.set(mem, frame, arch.dispatcherBase);
  DispatcherFrame.coreId.set(mem, frame, hal.coreId);
  DispatcherFrame.frequency.set(mem, frame, hal.frequency);
  DispatcherFrame.name.set(mem, frame, 'init');
  const setInitial = (r: number, value: number): void => {
    DispatcherFrame.disabledArea.set(mem, frame, 2 * r, value);
  };
  setInitial(arch.upcallArgs[0], arch.dispatcherBase);
  setInitial(arch.upcallArgs[1], arch.bootInfoBase);
  setInitial(arch.pc, arch.imageBase + GATES_AT);
  makeRunnable(k, dcb);
}

/** Slot `l1Index` of the root CNode. */
function rootSlot(k: Kernel, l1Index: number): Slot {
  const root = Cte.base.get(k.mem, Kcb.rootCn.at(k.kcb));
  return asPtr<'Cte'>(root + l1Index * CTE_BYTES);
}

/** Slot `slot` of the L2 CNode in root slot `l1Index`. */
function slotIn(k: Kernel, l1Index: number, slot: number): Slot {
  return L2CNode.slots.at(Cte.base.get(k.mem, rootSlot(k, l1Index)), slot);
}

/**
 * What the boot loader found and put where: it hands this page to the CPU driver of the bootstrap
 * core, which fills in the capability slots and maps it for init.
 * Source: Barrelfish init.h `struct bootinfo`; the names of the fields are ours.
 */

import { layout, type Paddr, type Ptr, text, u8, u32, u64 } from '@barreleye/core';
import type { DeviceClass } from './devices.ts';
import type { Scheduler } from './kcb.ts';

/** Bytes that the objects of the first domain of a core take at most. */
export const FIRST_DOMAIN_BYTES = 2 ** 20;
/** The boot information occupies this many bytes. */
export const BOOTINFO_BYTES = 16384;
/** "BINF": the loader has filled it in. */
export const BOOTINFO_MAGIC = 0x464e4942;
/** Regions that fit behind the header. */
export const BOOTINFO_REGION_COUNT = 200;

/** What a region of physical addresses is. */
export const RegionType = {
  Empty: 0, //    RAM, free: a RAM capability in the super CNode
  RootTask: 1, // RAM, used to build the kernel's objects and init: no capability
  PhysAddr: 2, // devices: a PhysAddr capability in the PhysAddr CNode
  Platform: 3, // tables that describe the machine, likewise
  Module: 4, //   a boot module: a DevFrame capability in the module CNode
  Channel: 5, //  shared with the core that starts this one: a Frame capability, TaskSlot.MonUrpc
} as const;
export type RegionType = (typeof RegionType)[keyof typeof RegionType];

export const BootInfo = layout('BootInfo', 64, {
  magic: u32(0),
  regionCount: u32(4),
  coreCount: u32(8), // cores of the board
  initModule: u32(12), // index of the region that holds init's image
  frequency: u64(16), // of the cycle clock, per second
  ramBytes: u64(24), // of the board in all
  seed: u32(32), // of this run
  flags: u32(36),
  // For a core that another one starts.
  kcb: u64<Ptr<'Kcb'>>(40), // its control block, zeroed
  arena: u64<Paddr>(48), // RAM for the objects of its first domain
  coreId: u8(56), // which core it is for
  startedBy: u8(57), // and which core starts it; the same for the bootstrap core
  scheduler: u8<Scheduler>(58),
  packageCount: u8(59), // of the topology, whose packages follow the regions; 0: none is known
  usedIds: u32(60), // identifiers that the core has made before: none is used again
});

/** One region. `slot` counts up within the CNode of its type, in the order of the array. */
export const BootRegion = layout('BootRegion', 80, {
  base: u64<Paddr>(0),
  bytes: u64(8),
  type: u8<RegionType>(16),
  device: u8<DeviceClass>(17),
  slot: u32(20), // in the CNode of the type
  irq: u32(24), // interrupt line of a device, 0 for none
  fileBytes: u32(28), // exact length of a module
  name: text(32, 48), // of a module or device; menu.lst arguments follow the path
});

/** Address of the `index`-th region of the boot information at `at`. */
export function bootRegionOffset(index: number): number {
  return BootInfo.$bytes + index * BootRegion.$bytes;
}

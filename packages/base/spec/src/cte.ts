/**
 * A capability in memory, and the CNodes that hold them. 64 bytes and two levels on every
 * architecture, so that cores of different ones can read each other's descriptions.
 */

import { type CoreId, inner, layout, type Paddr, u8, u16, u32, u64 } from '@barreleye/core';
import type { ObjType } from './cap-types.ts';

/** log2 of the bytes of one slot. */
export const CTE_BITS = 6;
export const CTE_BYTES = 64;
/** log2 of the slots of an L2 CNode. */
export const L2_CNODE_BITS = 8;
export const L2_CNODE_SLOTS = 256;
export const L2_CNODE_BYTES = L2_CNODE_SLOTS * CTE_BYTES;
/** An L1 CNode is a multiple of this many bytes. */
export const L1_CNODE_GRANULE = L2_CNODE_BYTES;

/**
 * Rights of a capability: a bit mask. `Revoke` is ours: who holds it may end all copies of the
 * capability, and a copy in a message comes without it (ADR 12).
 */
export const Rights = {
  Read: 1,
  Write: 2,
  Execute: 4,
  Grant: 8, //    it may go along in a message
  Identify: 16,
  Revoke: 32,
  All: 63,
  /** What a copy has that somebody else is to use. */
  Lent: 31,
} as const;

/** State bits of a slot. */
export const CteFlag = {
  RemoteCopies: 1,
  RemoteAncestors: 2,
  RemoteDescendants: 4,
  /** An operation between cores is under way on this object. */
  Locked: 8,
  /** The slot waits in the delete or clear list. */
  InDelete: 16,
} as const;

/**
 * Capability table entry. An empty slot is all zero (I9).
 * Tree links and list links are slot addresses divided by 64, 0 for none: 32 bits reach 256 GiB.
 * What `base`, `bytes`, `arg0` and `arg1` mean is the type's `identity` (cap-types.ts).
 * @source Barrelfish kernel/include/capabilities.h `struct cte`, lib/mdb; the fields are ours
 */
export const Cte = layout('Cte', CTE_BYTES, {
  // What the capability says. Written by: the CPU driver when it is made, never changed (I10, I27).
  type: u8<ObjType>(0),
  rights: u8(1), // Rights bits
  iftype: u16(6), // endpoints: interface type; mappings: type of the page table
  base: u64<Paddr>(8), // bytes
  bytes: u64(16), // bytes; for a mapping the address of its page table
  arg0: u32(24),
  arg1: u32(28),
  // Relations to other cores. Written by: the monitor, through the Kernel capability.
  owner: u8<CoreId>(2),
  flags: u8(3), // CteFlag bits
  // Mapping database (one balanced tree per core). Written by: the CPU driver.
  level: u8(4), // of the node in the tree; a leaf has 0
  endRoot: u8(5), // largest type root in the subtree
  left: u32(32),
  right: u32(36),
  end: u64(40), // furthest end of the extents of endRoot in the subtree (caps/src/key.ts)
  // Lists. Written by: the CPU driver.
  next: u32(48), // delete list or clear list
  tableNext: u32(52), // mappings of the same page table
  tablePrev: u32(56),
  // A page table: its first mapping. A mapping: how many pages the mapped object has. An object
  // that is being deleted: how far the sweep has got.
  tableHead: u32(60),
});

/** An L2 CNode: 256 slots. */
export const L2CNode = layout('L2CNode', L2_CNODE_BYTES, {
  slots: inner(0, Cte, L2_CNODE_SLOTS),
});

/** Capability address of slot `slot` of the L2 CNode in L1 slot `l1Index`. */
export function capAddrOf(l1Index: number, slot: number): number {
  return ((l1Index << L2_CNODE_BITS) | slot) >>> 0;
}

/** Slots of the root CNode that every domain has. Source: Barrelfish init.h, our own numbers. */
export const RootSlot = {
  TaskCn: 0,
  PageCn: 1, //       page tables; slot 0 is the root of the VSpace
  BasePageCn: 2, //   RAM of one page each, for the first steps of a domain
  SuperCn: 3, //      RAM regions from the kernel (init only)
  SegCn: 4, //        frames of the program image
  PhysAddrCn: 5, //   PhysAddr capabilities (init only)
  ModuleCn: 6, //     frames of the boot modules (init only)
  SlotAlloc0: 7, //   for the memory manager
  SlotAlloc1: 8, //   default slot allocator
  SlotAlloc2: 9, //   default slot allocator, reserve
  RootMappingCn: 10, // mappings of the initial page tables
  ArgCn: 11, //       capabilities from the spawner
  BspKcb: 12, //      KCB of the bootstrap core (init only)
  EarlyCn: 13, //     RAM of one CNode each, for the first steps of a domain
  User: 14, //        first free slot
} as const;

/** Slots of the task CNode that every domain has. */
export const TaskSlot = {
  Dispatcher: 1,
  RootCn: 2,
  DispatcherFrame: 4,
  Irq: 5,
  Io: 6,
  BootInfo: 7,
  Kernel: 8,
  TraceBuf: 9,
  ArgsPage: 10,
  MonUrpc: 11,
  SessionId: 12,
  FdsPage: 13,
  PerfMon: 14,
  Ipi: 17,
  ProcessManager: 18,
  DomainId: 19,
  SelfEp: 21,
  InitEp: 22,
  MonitorEp: 22,
  User: 23, // first free slot
} as const;

/** Capability address of a domain's own root CNode. */
export const CPTR_ROOTCN = TaskSlot.RootCn;

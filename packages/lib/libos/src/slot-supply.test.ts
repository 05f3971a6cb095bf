/** The slot supply: CNodes and roots that grow, and what stays when a step fails. */

import { type Errval, errPush, fail, isOk, OK, type Result, succeed } from '@barreleye/core';
import {
  archX86_64,
  Err,
  errNames,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  RootSlot,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { type Capref, capref, type Slot } from './capref.ts';
import { capDelete, capRetype } from './caps.ts';
import { HandCpu } from './hand-cpu.ts';
import { HandKernel } from './hand-kernel.ts';
import { SLOT_RESERVE, SlotAllocator } from './slot-alloc.ts';
import { type RamBlock, SlotSupply } from './slot-supply.ts';
import { Sys } from './sys.ts';

/** Root slots that are free at first. */
const FREE_ROOT_SLOTS = L2_CNODE_SLOTS - RootSlot.User;
/** Holds the RAM of the test, and a frame's worth to fill slots with. */
const RAM_CNODES = [RootSlot.SuperCn, RootSlot.SlotAlloc0];
const NO_SHAPE = { levels: [], entryIndex: () => 0 };

/** A domain with one CNode of slots, and books of the RAM that is out. */
class World {
  readonly kernel: HandKernel;
  readonly sys: Sys;
  readonly slots = new SlotAllocator();
  readonly ram = new Set<RamBlock>();
  readonly supply: SlotSupply;
  ramError: Errval = OK;
  private readonly ramSlots = new SlotAllocator();
  private nextBase = 2 ** 30;

  constructor() {
    const cpu = new HandCpu(archX86_64);
    cpu.hold();
    this.sys = new Sys(cpu, cpu.arch.dispatcherBase);
    this.kernel = new HandKernel(cpu, NO_SHAPE, [RootSlot.SlotAlloc1, ...RAM_CNODES]);
    this.slots.addCnode(RootSlot.SlotAlloc1);
    for (const cnode of RAM_CNODES) this.ramSlots.addCnode(cnode);
    const ram = {
      alloc: (bytes: number, align: number) => this.allocRam(bytes, align),
      free: (block: RamBlock) => this.freeRam(block),
    };
    this.supply = new SlotSupply(this.sys, this.slots, ram, L2_CNODE_BYTES);
  }

  grow(times: number): void {
    for (let i = 0; i < times; i++) {
      const err = this.supply.grow();
      if (!isOk(err)) throw new Error(errNames(err).join(' '));
    }
  }

  /** Slots that were handed out and are not free. */
  get slotsTaken(): number {
    return this.slots.totalCount - this.slots.freeCount;
  }

  private allocRam(bytes: number, alignBytes: number): Result<RamBlock> {
    if (!isOk(this.ramError)) return fail(this.ramError);
    const slot = this.ramSlots.alloc();
    if (!slot.ok) return slot;
    const cap: Capref<'RAM'> = capref(slot.value.cptr >>> 8, slot.value.cptr & 255);
    const base = Math.ceil(this.nextBase / alignBytes) * alignBytes;
    this.nextBase = base + bytes;
    this.kernel.put(cap, 'RAM', base, bytes);
    const block = { cap, base, bytes };
    this.ram.add(block);
    return succeed(block);
  }

  private freeRam(block: RamBlock): Errval {
    if (!this.ram.delete(block)) return Err.MM_ERR_NOT_ALLOCATED;
    this.kernel.remove(block.cap);
    return this.ramSlots.free(block.cap);
  }
}

describe('a slot supply', () => {
  it('makes 256 more slots out of RAM for one CNode', () => {
    const world = new World();
    world.grow(1);
    expect(world.slots.totalCount).toBe(2 * L2_CNODE_SLOTS);
    expect([...world.ram].map(({ bytes }) => bytes)).toEqual([L2_CNODE_BYTES]);
    expect(world.slotsTaken).toBe(0);
  });

  it('refills an allocator before that is down to less than a refill may need', () => {
    const world = new World();
    world.slots.refill = () => world.supply.grow();
    const spare = world.slots.freeCount - SLOT_RESERVE;
    for (let i = 0; i <= spare; i++) world.slots.alloc();
    expect([world.slots.totalCount, world.slots.isLow()]).toEqual([L2_CNODE_SLOTS, true]);
    world.slots.alloc();
    expect([world.slots.totalCount, world.slots.isLow()]).toEqual([2 * L2_CNODE_SLOTS, false]);
  });

  it('that fails leaves the reserve to be used up', () => {
    const world = new World();
    let calls = 0;
    world.slots.refill = () => {
      calls += 1;
      return world.slots.alloc().ok ? Err.LIB_ERR_RAM_ALLOC : OK;
    };
    let taken = 0;
    while (world.slots.alloc().ok) taken += 1;
    expect(taken + calls).toBe(L2_CNODE_SLOTS);
    expect(calls, 'once for each slot of the reserve, and never inside itself').toBeLessThan(
      SLOT_RESERVE,
    );
  });

  it('doubles the root CNode when that is full, and gives the old one back', () => {
    const world = new World();
    world.grow(FREE_ROOT_SLOTS);
    expect(world.kernel.rootSlotCount).toBe(L2_CNODE_SLOTS);
    world.grow(1);
    expect(world.kernel.rootSlotCount).toBe(2 * L2_CNODE_SLOTS);
    expect(world.slots.totalCount).toBe((FREE_ROOT_SLOTS + 2) * L2_CNODE_SLOTS);
    expect(world.slotsTaken).toBe(0);
    expect(world.ram.size).toBe(FREE_ROOT_SLOTS + 2); // a block for each CNode and one for the root
  });

  it('hands out slots that exist, also those that only the larger root can name', () => {
    const world = new World();
    world.grow(FREE_ROOT_SLOTS + 1);
    const source: Capref<'RAM'> = capref(RootSlot.SuperCn, 255);
    world.kernel.put(source, 'RAM', 2 ** 40, 2 ** 20);
    const first = world.slots.allocRun(L2_CNODE_SLOTS - 1);
    for (let slot: Result<Slot> = first; slot.ok; slot = world.slots.allocRun(L2_CNODE_SLOTS)) {
      const range = { offset: 0, objectBytes: 4096, count: 1 };
      const made = capRetype(world.sys, slot.value, source, 'Frame', range);
      expect(made.ok).toBe(true);
      expect(capDelete(world.sys, slot.value)).toBe(OK);
    }
    expect(world.slots.freeCount).toBe(1);
  });

  it('can grow the root again, and then frees the root that it made before', () => {
    const world = new World();
    world.grow(FREE_ROOT_SLOTS + L2_CNODE_SLOTS);
    const roots = (): number[] =>
      [...world.ram].map(({ bytes }) => bytes).filter((bytes) => bytes !== L2_CNODE_BYTES);
    expect(roots()).toEqual([2 * L2_CNODE_BYTES]);
    world.grow(1);
    expect(roots()).toEqual([4 * L2_CNODE_BYTES]);
    expect(world.kernel.rootSlotCount).toBe(4 * L2_CNODE_SLOTS);
  });

  it('changes nothing when there is no RAM', () => {
    const world = new World();
    world.ramError = errPush(Err.MM_ERR_NOT_FOUND, Err.LIB_ERR_RAM_ALLOC);
    const names = ['LIB_ERR_SLOT_ALLOC', 'LIB_ERR_RAM_ALLOC', 'MM_ERR_NOT_FOUND'];
    expect(errNames(world.supply.grow())).toEqual(names);
    expect([world.slots.totalCount, world.kernel.callCount]).toEqual([L2_CNODE_SLOTS, 0]);
  });

  it('gives everything back when the kernel refuses a step, and can try again', () => {
    // Calls 3 and 4 delete what is not in use any more; a kernel does not refuse that.
    for (const n of [1, 2, 5]) {
      const world = new World();
      world.grow(FREE_ROOT_SLOTS); // the next one needs a larger root first
      const [caps, ram, total] = [world.kernel.capCount, world.ram.size, world.slots.totalCount];
      world.kernel.refuse(n, Err.SYS_ERR_CAP_LOCKED);
      const names = errNames(world.supply.grow());
      expect([names.at(0), names.at(-1)]).toEqual(['LIB_ERR_SLOT_ALLOC', 'SYS_ERR_CAP_LOCKED']);
      const hasGrown = world.kernel.rootSlotCount > L2_CNODE_SLOTS;
      expect(hasGrown).toBe(n === 5);
      expect(world.slotsTaken).toBe(0);
      expect(world.slots.totalCount).toBe(total);
      expect(world.ram.size).toBe(ram + (hasGrown ? 1 : 0));
      expect(world.kernel.capCount).toBe(caps + (hasGrown ? 1 : 0)); // the RAM of the root
      world.grow(1);
      expect(world.slots.totalCount).toBe(total + L2_CNODE_SLOTS);
    }
  });
});

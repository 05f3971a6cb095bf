/**
 * A domain that does what a `drive caps` document says: it keeps capabilities in slots by name, and
 * every operation is a real system call. It has no threads; the machine enters it once and it works
 * through its list.
 */

import type { Errval } from '@barreleye/core';
import {
  type CapIdentity,
  type Capref,
  capDelete,
  capIdentify,
  capRetypeAny,
  capRevoke,
  capref,
  nextSlot,
  placeOf,
  rootCapref,
  type Slot,
  SlotAllocator,
  Sys,
} from '@barreleye/libos';
import {
  CNodeCmd,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  packHalves,
  RootSlot,
  TaskSlot,
  type UserCpu,
  VNodeCmd,
} from '@barreleye/spec';

/** A 64-bit argument as two words, low first. */
export type Words = readonly [number, number];

const ROOT_CN: Capref<'L1CNode'> = capref(RootSlot.TaskCn, TaskSlot.RootCn);
const ROOT_SLOTS = 256;

/** Where the domain's RAM lies: a region of the machine, and the part that documents work with. */
export interface RamLayout {
  /** Offset of `ram0` in the region, bytes; before it the domain makes its own CNodes. */
  readonly ramOffset: number;
  readonly ramBytes: number;
  /** First offset in the region at which a CNode can begin. */
  readonly cnodeOffset: number;
}

export class CapsDomain {
  private readonly sys: Sys;
  private readonly slots: SlotAllocator;
  private readonly names: Map<string, Slot>;
  private readonly layout: RamLayout;
  private nextRootSlot: number;

  constructor(cpu: UserCpu, frame: number, layout: RamLayout) {
    this.sys = new Sys(cpu, frame);
    this.slots = new SlotAllocator();
    this.names = new Map();
    this.layout = layout;
    this.nextRootSlot = RootSlot.User;
    for (const l1 of [RootSlot.SlotAlloc0, RootSlot.SlotAlloc1, RootSlot.SlotAlloc2]) {
      this.slots.addCnode(l1);
    }
    const range = { offset: layout.ramOffset, objectBytes: layout.ramBytes, count: 1 };
    const made = capRetypeAny(this.sys, this.slotOf('ram0'), this.region, 'RAM', range);
    if (!made.ok) throw new Error('the machine has not the RAM that was asked for');
  }

  /** Names whose slots are full, and what is in them. */
  *held(): Generator<readonly [string, CapIdentity]> {
    for (const [name, slot] of this.names) {
      const found = capIdentify(this.sys, slot);
      if (found.ok) yield [name, found.value];
    }
  }

  /** The kernel's own answers: what the library would push on top is left out. */
  retype(
    source: string,
    type: number,
    offset: Words,
    bytes: Words,
    count: number,
    targets: readonly string[],
  ): Errval {
    const { sys } = this;
    const from = this.slotOf(source);
    const place = placeOf(this.run(targets, count));
    sys.begin(ROOT_CN, CNodeCmd.Retype);
    sys.arg(from.croot);
    sys.arg(from.cptr);
    for (const word of offset) sys.arg(word);
    sys.arg(packHalves(type, Math.min(count, 0xffff)));
    for (const word of bytes) sys.arg(word);
    sys.arg(from.croot);
    sys.argPlace(place);
    return sys.call();
  }

  copy(source: string, target: string): Errval {
    this.beginCopy(CNodeCmd.Copy, source, target);
    return this.sys.call();
  }

  mint(source: string, target: string, rights: number, param1: number, param2: number): Errval {
    this.beginCopy(CNodeCmd.Mint, source, target);
    this.sys.arg(rights);
    this.sys.arg(param1);
    this.sys.arg(param2);
    return this.sys.call();
  }

  delete(name: string): Errval {
    return capDelete(this.sys, this.slotOf(name));
  }

  revoke(name: string): Errval {
    return capRevoke(this.sys, this.slotOf(name));
  }

  /** What `name` holds, or why that cannot be said. */
  identify(name: string): ReturnType<typeof capIdentify> {
    return capIdentify(this.sys, this.slotOf(name));
  }

  map(
    table: string,
    entry: number,
    frame: string,
    offset: Words,
    count: number,
    flags: number,
    target: string,
  ): Errval {
    const { sys } = this;
    const source = this.slotOf(frame);
    const place = placeOf(this.slotOf(target));
    sys.begin(this.slotOf(table), VNodeCmd.Map);
    sys.arg(packHalves(entry & 0xffff, Math.min(count, 0xffff)));
    sys.arg(source.croot);
    sys.arg(source.cptr);
    sys.arg(packHalves(flags, source.level));
    for (const word of offset) sys.arg(word);
    sys.arg(source.croot);
    sys.argPlace(place);
    return sys.call();
  }

  unmap(table: string, mapping: string): Errval {
    const { sys } = this;
    const cap = this.slotOf(mapping);
    sys.begin(this.slotOf(table), VNodeCmd.Unmap);
    sys.arg(cap.cptr);
    sys.arg(cap.level);
    return sys.call();
  }

  /** The RAM of the machine, which the kernel gave to the first domain. */
  private get region(): Capref<'RAM'> {
    return capref(RootSlot.SuperCn, 0);
  }

  private beginCopy(command: number, source: string, target: string): void {
    const { sys } = this;
    const from = this.slotOf(source);
    const to = placeOf(this.slotOf(target));
    sys.begin(ROOT_CN, command);
    sys.arg(from.croot);
    sys.arg(to.cnode);
    sys.arg(to.slot);
    sys.arg(from.croot);
    sys.arg(from.cptr);
    sys.arg(to.cnodeLevel | (from.level << 4));
  }

  /** The slot of a name; a name that was never used has an empty one. */
  private slotOf(name: string): Slot {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const slot = this.newRun(1);
    this.names.set(name, slot);
    return slot;
  }

  /**
   * The first of `count` slots in a row for `names`. Names that hold nothing get new slots; when
   * one holds something its slot is used, so that the kernel can refuse to overwrite it.
   */
  private run(names: readonly string[], count: number): Slot {
    for (const [i, name] of names.entries()) {
      const slot = this.names.get(name);
      if (slot === undefined || !capIdentify(this.sys, slot).ok) continue;
      const first = Math.max(0, placeOf(slot).slot - i);
      return nextSlot(slot, first - placeOf(slot).slot);
    }
    const first = this.newRun(Math.min(Math.max(count, names.length, 1), L2_CNODE_SLOTS));
    for (const [i, name] of names.entries()) this.names.set(name, nextSlot(first, i));
    return first;
  }

  private newRun(count: number): Slot {
    let run = this.slots.allocRun(count);
    if (!run.ok) {
      this.addCnode();
      run = this.slots.allocRun(count);
    }
    if (!run.ok) throw new Error('there are too many names');
    return run.value;
  }

  private addCnode(): void {
    const l1 = this.nextRootSlot;
    if (l1 >= ROOT_SLOTS) throw new Error('there are too many names');
    const offset = this.layout.cnodeOffset + (l1 - RootSlot.User) * L2_CNODE_BYTES;
    const range = { offset, objectBytes: L2_CNODE_BYTES, count: 1 };
    const made = capRetypeAny(this.sys, rootCapref(l1), this.region, 'L2CNode', range);
    if (!made.ok) throw new Error('a CNode could not be made');
    this.slots.addCnode(l1);
    this.nextRootSlot = l1 + 1;
  }
}

/**
 * A second core of a bench, which the first domain of the first core starts as init does: out of
 * its own memory, with nothing but system calls; only the boot information is written by hand.
 */

import { asPtr } from '@barreleye/core';
import {
  BOOTINFO_BYTES,
  BootInfo,
  CPTR_ROOTCN,
  CteFlag,
  FIRST_DOMAIN_BYTES,
  IMAGE_BYTES,
  Kcb,
  KernelCmd,
  ObjType,
  RegionType,
  Scheduler,
} from '@barreleye/spec';
import { type BenchOptions, writeBootInfo } from './bench.ts';
import { type Answer, KERNEL, must, User } from './user.ts';

/** RAM of the core's own. */
const CORE_RAM_BYTES = 2 * 2 ** 20;
/** All that it is made of, and that too. */
const CORE_BYTES = 4 * 2 ** 20;
/** Its number. */
const SECOND = 1;
/** What other cores may have of an object: all bits of spec `CteFlag` that say so. */
const ALL_RELATIONS = CteFlag.RemoteCopies | CteFlag.RemoteAncestors | CteFlag.RemoteDescendants;

/** Room for a second core beside the first. */
export const TWO_CORES: BenchOptions = { coreCount: 2, ramBytes: 8 * 2 ** 20 };

/** What a core is made of: capability addresses in the CSpace of the first domain. */
export class SecondCore {
  readonly first: User;
  /** All its memory, so that all of it can be taken back. */
  readonly memory: number;
  readonly arena: number;
  readonly page: number;
  readonly kcb: number;
  readonly ram: number;
  private second: User | undefined;

  /** @param first has `TWO_CORES` */
  constructor(first: User) {
    this.first = first;
    this.memory = first.make(ObjType.RAM, CORE_BYTES, 2 ** 14);
    this.arena = first.newSlot();
    this.page = first.newSlot();
    this.kcb = first.newSlot();
    this.ram = first.newSlot();
    this.second = undefined;
  }

  /** The first domain of the second core. */
  get user(): User {
    if (this.second === undefined) throw new Error('the second core has not been started');
    return this.second;
  }

  /** Make all that it needs, and start it. */
  start(): Answer {
    const { first } = this;
    let at = 0;
    for (const [slot, type, bytes] of [
      [this.arena, ObjType.Frame, FIRST_DOMAIN_BYTES],
      [this.page, ObjType.Frame, BOOTINFO_BYTES],
      [this.kcb, ObjType.KernelControlBlock, Kcb.$bytes],
      [this.ram, ObjType.RAM, CORE_RAM_BYTES],
    ] as const) {
      must(first.retype(this.memory, at, type, bytes, 1, slot));
      at += bytes;
    }
    must(this.setOwner(SECOND));
    this.writePage();
    first.bench.machine.firmware = (core, page) => {
      const { bench } = first;
      const kcb = BootInfo.kcb.get(bench.mem, asPtr<'BootInfo'>(page));
      Kcb.coreId.set(bench.mem, kcb, core.coreId);
      this.second = new User(bench.target, { starter: { bench, core, page } });
      return true;
    };
    return first.invoke(KERNEL, KernelCmd.SpawnCore, SECOND, this.page, 2);
  }

  /** Whether nothing runs on it, as its starter sees it. */
  isOff(): boolean {
    return must(this.first.invoke(KERNEL, KernelCmd.IsCoreOff, SECOND)).value === 1;
  }

  /** Take everything back that it was made of, as init does. */
  takeBack(): void {
    const { first } = this;
    must(this.setOwner(0));
    const words = [CPTR_ROOTCN, this.ram, 2, ALL_RELATIONS << 8];
    must(first.invoke(KERNEL, KernelCmd.RemoteRelations, ...words));
    must(first.revoke(this.memory));
  }

  private setOwner(core: number): Answer {
    return this.first.invoke(KERNEL, KernelCmd.SetCapOwner, CPTR_ROOTCN, this.ram, 2, core);
  }

  private writePage(): void {
    const { first } = this;
    const { mem, plan } = first.bench;
    const page = first.base(this.page);
    const info = asPtr<'BootInfo'>(page);
    writeBootInfo(mem, page, [
      { base: first.base(this.arena), bytes: FIRST_DOMAIN_BYTES, type: RegionType.RootTask },
      { base: plan.module, bytes: IMAGE_BYTES, type: RegionType.Module },
      { base: first.base(this.ram), bytes: CORE_RAM_BYTES, type: RegionType.Empty },
    ]);
    BootInfo.coreId.set(mem, info, SECOND);
    BootInfo.kcb.set(mem, info, asPtr<'Kcb'>(first.base(this.kcb)));
    BootInfo.arena.set(mem, info, first.base(this.arena));
    BootInfo.scheduler.set(mem, info, Scheduler.RoundRobin);
  }
}

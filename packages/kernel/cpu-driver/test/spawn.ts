/**
 * More dispatchers on a bench, built by hand the way the kernel builds the first: own frame and
 * VSpace, the image and the CSpace of the first domain. Until a program can ask for it, this is
 * the only way to have several.
 */

import { copyToSlot, createCap, type Slot } from '@barreleye/caps';
import { asPtr, type Paddr, type Ptr } from '@barreleye/core';
import {
  Cte,
  capAddrOf,
  DCB_BYTES,
  Dcb,
  DISPATCHER_FRAME_BYTES,
  DispatcherFrame,
  Gate,
  Kcb,
  ObjType,
  PageFlag,
  RootSlot,
} from '@barreleye/spec';
import { Arena } from '../src/arena.ts';
import { makeRunnable } from '../src/schedule.ts';
import { VspaceBuilder } from '../src/startup-vspace.ts';
import { type Behaviour, gateAt, UPCALL_GATES } from './bench.ts';
import type { User } from './user.ts';

/** A dispatcher made by hand. */
export interface Spawned {
  readonly dcb: Ptr<'Dcb'>;
  readonly frame: Ptr<'DispatcherFrame'>;
  /** Capability addresses, in the CSpace that all of them share. */
  readonly dispatcher: number;
  readonly frameCap: number;
  readonly rootTable: number;
}

export class Spawner {
  /** Root CNode of new dispatchers: that of the first domain, unless a test changes it. */
  cspace: Slot;
  private readonly user: User;
  private readonly arena: Arena;
  private nextSlot: number;

  /**
   * @param base zeroed memory for their objects, `bytes` bytes; the spare RAM if left out
   * @param firstSlot first of the slots for their capabilities
   */
  constructor(user: User, base?: Paddr, bytes = 0, firstSlot = 0) {
    this.user = user;
    this.cspace = Kcb.rootCn.at(user.bench.plan.kcb);
    const { spare, spareBytes } = user.bench.plan;
    this.arena = base === undefined ? new Arena(spare, spareBytes) : new Arena(base, bytes);
    this.nextSlot = firstSlot;
  }

  /** A dispatcher that can run, though it is not in the run queue yet. */
  create(behaviour?: Behaviour): Spawned {
    const { bench } = this.user;
    const { mem, arch, kernel } = bench;
    const dispatcher = this.newSlot();
    const dcb = asPtr<'Dcb'>(this.arena.take(DCB_BYTES, DCB_BYTES));
    createCap(kernel.caps, this.user.slot(dispatcher), ObjType.Dispatcher, { base: dcb });
    const frameCap = this.newSlot();
    const frame = asPtr<'DispatcherFrame'>(this.arena.take(DISPATCHER_FRAME_BYTES, 4096));
    const bytes = DISPATCHER_FRAME_BYTES;
    createCap(kernel.caps, this.user.slot(frameCap), ObjType.Frame, { base: frame, bytes });
    const rootTable = this.createVspace(dcb, this.user.slot(frameCap));
    copyToSlot(kernel.caps, this.cspace, Dcb.cspace.at(dcb));
    copyToSlot(kernel.caps, this.user.slot(frameCap), Dcb.frame.at(dcb));
    Dcb.frameBase.set(mem, dcb, frame);
    Dcb.frameVaddr.set(mem, dcb, arch.dispatcherBase);
    Dcb.disabled.set(mem, dcb, 1);
    DispatcherFrame.disabled.set(mem, frame, 1);
    this.setEntries(frame);
    const area = DispatcherFrame.disabledArea;
    area.set(mem, frame, 2 * arch.upcallArgs[0], arch.dispatcherBase);
    area.set(mem, frame, 2 * arch.pc, gateAt(arch, Gate.Start));
    if (behaviour !== undefined) bench.behaviours.set(dcb, behaviour);
    return { dcb, frame, dispatcher, frameCap, rootTable };
  }

  /** A dispatcher in the run queue. */
  spawn(behaviour?: Behaviour): Spawned {
    const spawned = this.create(behaviour);
    makeRunnable(this.user.bench.kernel, spawned.dcb);
    return spawned;
  }

  /** Let every upcall enter at its gate. */
  setEntries(frame: Ptr<'DispatcherFrame'>): void {
    const { mem, arch } = this.user.bench;
    for (const [field, gate] of Object.entries(UPCALL_GATES)) {
      DispatcherFrame[field as keyof typeof UPCALL_GATES].set(mem, frame, gateAt(arch, gate));
    }
  }

  private createVspace(dcb: Ptr<'Dcb'>, frame: Slot): number {
    const { bench } = this.user;
    const { mem, arch, kernel } = bench;
    const rootTable = this.newSlot();
    const builder = new VspaceBuilder({
      kernel,
      arena: this.arena,
      tableSlot: (i) => this.user.slot(i === 0 ? rootTable : this.newSlot()),
      mappingSlot: () => this.user.slot(this.newSlot()),
    });
    const image = this.user.slot(capAddrOf(RootSlot.SegCn, 0));
    builder.map(image, arch.imageBase, PageFlag.Read | PageFlag.Execute);
    builder.map(frame, arch.dispatcherBase, PageFlag.Read | PageFlag.Write);
    copyToSlot(kernel.caps, builder.root, Dcb.vspace.at(dcb));
    Dcb.vspaceRoot.set(mem, dcb, Cte.base.get(mem, builder.root));
    return rootTable;
  }

  private newSlot(): number {
    return capAddrOf(RootSlot.SlotAlloc2, this.nextSlot++);
  }
}

/**
 * Another domain, built by the first with nothing but system calls: CSpace, VSpace, dispatcher
 * frame, image. All memory comes out of one RAM capability, so that revoking it ends all of it.
 */

import { asPtr, highWord, lowWord, type Ptr } from '@barreleye/core';
import {
  CNodeCmd,
  CPTR_ROOTCN,
  capAddrOf,
  capTypeInfo,
  DISPATCHER_FRAME_BYTES,
  DispatcherCmd,
  DispatcherFrame,
  Gate,
  L1_CNODE_GRANULE,
  ObjType,
  PageFlag,
  RootSlot,
  TaskSlot,
} from '@barreleye/spec';
import { gateAt, UPCALL_GATES } from './bench.ts';
import { type Answer, must, type User } from './user.ts';

/** RAM that a domain is built of. */
export const DOMAIN_BYTES = 1024 * 1024;
/** Capability address, in the CSpace of the new domain, of the root of its VSpace. */
export const NEW_ROOT_TABLE = capAddrOf(RootSlot.PageCn, 0);
/** Likewise of its dispatcher frame. */
export const NEW_FRAME = capAddrOf(RootSlot.TaskCn, TaskSlot.DispatcherFrame);
/** An L2 CNode of its own that is empty. */
export const NEW_HOME = RootSlot.SlotAlloc1;
const IMAGE = capAddrOf(RootSlot.SegCn, 0);

export interface DomainOptions {
  /** Bytes of the dispatcher frame. */
  readonly frameBytes?: number;
}

/** What another domain is made of: capability addresses in the CSpace of the first. */
export class Domain {
  readonly ram: number;
  readonly rootCn: number;
  readonly taskCn: number;
  readonly pageCn: number;
  readonly homeCn: number;
  readonly dispatcher: number;
  readonly frameCap: number;
  readonly rootTable: number;
  readonly dcb: Ptr<'Dcb'>;
  readonly frame: Ptr<'DispatcherFrame'>;
  private readonly user: User;
  private nextByte: number;

  constructor(user: User, options: DomainOptions = {}) {
    const { frameBytes = DISPATCHER_FRAME_BYTES } = options;
    this.user = user;
    this.nextByte = 0;
    this.ram = user.make(ObjType.RAM, DOMAIN_BYTES, 16384);
    this.rootCn = this.make(ObjType.L1CNode, L1_CNODE_GRANULE);
    this.taskCn = this.make(ObjType.L2CNode);
    this.pageCn = this.make(ObjType.L2CNode);
    this.homeCn = this.make(ObjType.L2CNode);
    this.rootTable = this.make(user.bench.paging.levels[0]?.type ?? 0);
    this.dispatcher = this.make(ObjType.Dispatcher);
    this.frameCap = this.make(ObjType.Frame, frameBytes);
    this.dcb = asPtr<'Dcb'>(user.base(this.dispatcher));
    this.frame = asPtr<'DispatcherFrame'>(user.base(this.frameCap));
    this.fillCspace();
    this.fillVspace(frameBytes);
    this.fillFrame();
  }

  /** The arguments of a setup that is all right; others in the place of those that `change` has. */
  setupWords(change: Partial<Record<SetupWord, number>> = {}): number[] {
    const { dispatcherBase } = this.user.bench.arch;
    const words: Record<SetupWord, number> = {
      cspace: this.rootCn,
      level: 2,
      vspace: NEW_ROOT_TABLE,
      frame: NEW_FRAME,
      run: 1,
      low: lowWord(dispatcherBase),
      high: highWord(dispatcherBase),
      other: 0,
      ...change,
    };
    const { cspace, level, vspace, frame, run, low, high, other } = words;
    return [cspace, level, vspace, frame, run, low, high, other];
  }

  /** Set it up, and run it unless `change` says otherwise. */
  setup(change: Partial<Record<SetupWord, number>> = {}): Answer {
    return this.user.invoke(this.dispatcher, DispatcherCmd.Setup, ...this.setupWords(change));
  }

  /** Put a copy of `source` of the first domain into slot `slot` of our L1 slot `l1Index`. */
  give(source: number, l1Index: number, slot: number): void {
    const words = [this.rootCn, l1Index << 8, slot, CPTR_ROOTCN, source, 0x21];
    must(this.user.invokeRoot(CNodeCmd.Copy, ...words));
  }

  /** Our task, without its RAM: delete all that the first domain has of it. */
  abandon(): void {
    const { rootCn, taskCn, pageCn, homeCn, rootTable, frameCap, dispatcher } = this;
    for (const cap of [rootCn, taskCn, pageCn, homeCn, rootTable, frameCap, dispatcher]) {
      must(this.user.delete(cap));
    }
  }

  /** A new object out of our RAM. */
  private make(type: ObjType, bytes = 0): number {
    const { user } = this;
    const info = capTypeInfo(type);
    const objectBytes = info.bytes === 0 ? bytes : info.bytes;
    const base = user.base(this.ram);
    const at = Math.ceil((base + this.nextByte) / info.granule) * info.granule - base;
    this.nextByte = at + objectBytes;
    const slot = user.newSlot();
    must(user.retype(this.ram, at, type, objectBytes, 1, slot));
    return slot;
  }

  private fillCspace(): void {
    const { user } = this;
    for (const [l1Index, cnode] of [
      [RootSlot.TaskCn, this.taskCn],
      [RootSlot.PageCn, this.pageCn],
      [NEW_HOME, this.homeCn],
    ] as const) {
      const words = [this.rootCn, 0, l1Index, CPTR_ROOTCN, cnode, 0x20];
      must(user.invokeRoot(CNodeCmd.Copy, ...words));
    }
    this.give(this.rootCn, RootSlot.TaskCn, TaskSlot.RootCn);
    this.give(this.dispatcher, RootSlot.TaskCn, TaskSlot.Dispatcher);
    this.give(this.frameCap, RootSlot.TaskCn, TaskSlot.DispatcherFrame);
    this.give(this.rootTable, RootSlot.PageCn, 0);
  }

  /** Tables for image and frame, and both in them. */
  private fillVspace(frameBytes: number): void {
    const { user } = this;
    const { arch, paging } = user.bench;
    const tables = new Map<string, number>();
    const leaf = paging.levels.length - 1;
    const tableFor = (va: number): number => {
      let table = this.rootTable;
      for (let level = 0; level < leaf; level++) {
        const spanBits = paging.levels[level]?.spanBits ?? 0;
        const key = `${level}:${Math.floor(va / 2 ** spanBits)}`;
        let child = tables.get(key);
        if (child === undefined) {
          child = this.make(paging.levels[level + 1]?.type ?? 0);
          must(user.map(table, child, user.newSlot(), { first: paging.entryIndex(level, va) }));
          tables.set(key, child);
        }
        table = child;
      }
      return table;
    };
    const { Read, Write, Execute } = PageFlag;
    const image = user.newSlot();
    must(user.copy(IMAGE, image));
    const first = paging.entryIndex(leaf, arch.imageBase);
    const table = tableFor(arch.imageBase);
    must(user.map(table, image, user.newSlot(), { first, flags: Read | Execute }));
    for (let offset = 0; offset < frameBytes; ) {
      const va = arch.dispatcherBase + offset;
      const at = paging.entryIndex(leaf, va);
      const room = (paging.levels[leaf]?.entryCount ?? 0) - at;
      const count = Math.min(room, (frameBytes - offset) / 4096);
      const options = { first: at, count, offset, flags: Read | Write };
      must(user.map(tableFor(va), this.frameCap, user.newSlot(), options));
      offset += count * 4096;
    }
  }

  /** Entry points and first registers, written through a mapping of the frame in our own VSpace. */
  private fillFrame(): void {
    const { user } = this;
    const { bench } = user;
    const { arch } = bench;
    const window = windowOf(user);
    const mapping = user.newSlot();
    const first = user.entryOf(window.va);
    const flags = PageFlag.Read | PageFlag.Write;
    must(user.map(window.table, this.frameCap, mapping, { first, flags }));
    const { disabledArea, udisp } = DispatcherFrame;
    bench.act((cpu) => {
      const store = (at: number, value: number): void => {
        cpu.store32(window.va + at, lowWord(value));
        cpu.store32(window.va + at + 4, highWord(value));
      };
      for (const [field, gate] of Object.entries(UPCALL_GATES)) {
        const { offset } = DispatcherFrame[field as keyof typeof UPCALL_GATES];
        store(offset, gateAt(arch, gate));
      }
      store(udisp.offset, arch.dispatcherBase);
      store(disabledArea.offset + 8 * arch.upcallArgs[0], arch.dispatcherBase);
      store(disabledArea.offset + 8 * arch.pc, gateAt(arch, Gate.Start));
    });
    must(user.unmap(window.table, mapping));
  }
}

/** The argument words of a setup. */
export type SetupWord = 'cspace' | 'level' | 'vspace' | 'frame' | 'run' | 'low' | 'high' | 'other';

/** Where the first domain looks at the frames of others, and the last table for it. */
const windows = new WeakMap<User, { readonly va: number; readonly table: number }>();

function windowOf(user: User): { readonly va: number; readonly table: number } {
  let window = windows.get(user);
  if (window === undefined) {
    const va = user.bench.arch.heapBase;
    window = { va, table: user.makeTables(va) };
    windows.set(user, window);
  }
  return window;
}

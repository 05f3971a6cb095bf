/**
 * A dispatcher of the second core in the address space of the first domain of the first: its root
 * table and its frame are memory of the first core, and capabilities by description on the second.
 */

import { asPtr, highWord, lowWord, type Ptr } from '@barreleye/core';
import {
  CAP_WORDS,
  CNodeCmd,
  CPTR_ROOTCN,
  CteFlag,
  DISPATCHER_FRAME_BYTES,
  DispatcherCmd,
  DispatcherFrame,
  Gate,
  KernelCmd,
  L1_CNODE_GRANULE,
  ObjType,
  PageFlag,
  RootSlot,
  Syscall,
  TaskSlot,
  type UserCpu,
} from '@barreleye/spec';
import { gateAt, type Target, UPCALL_GATES } from './bench.ts';
import { NEW_FRAME, NEW_ROOT_TABLE } from './domain.ts';
import { SecondCore, TWO_CORES } from './second-core.ts';
import { type Answer, KERNEL, must, OWN_DISPATCHER, placeOf, ROOT_TABLE, User } from './user.ts';

/** First entry of the frame in the table that is also that of the shared page. */
const FRAME_ENTRY = 64;
const PAGE = 4096;
const ON_SECOND = CteFlag.RemoteCopies | (CteFlag.RemoteCopies << 8);

/** The words that describe a capability of `user` to another core. */
export function describeTo(user: User, address: number): number[] {
  const { value } = must(user.invoke(KERNEL, KernelCmd.IdentifyCap, address, 2));
  return [value, ...Array.from({ length: CAP_WORDS - 1 }, (_, i) => user.message(i))];
}

export class Span {
  readonly second: SecondCore;
  /** The first domain, and who speaks for the second core. */
  readonly home: User;
  readonly away: User;
  /** Where both see the shared page, and its frame, table and mapping on the first core. */
  readonly va: number;
  readonly page: number;
  readonly table: number;
  readonly mapping: number;
  /** On the first core: the frame of the other dispatcher. */
  readonly frameCap: number;
  readonly frame: Ptr<'DispatcherFrame'>;
  /** On the second core: root table, frame, CSpace and dispatcher. */
  readonly root: number;
  readonly frameCopy: number;
  readonly cspace: number;
  readonly dispatcher: number;
  readonly dcb: Ptr<'Dcb'>;

  constructor(target: Target) {
    this.second = new SecondCore(new User(target, TWO_CORES));
    must(this.second.start());
    this.home = this.second.first;
    this.away = this.second.user;
    const { home, away } = this;
    this.va = home.bench.arch.heapBase;
    this.table = home.makeTables(this.va);
    this.page = home.make(ObjType.Frame, PAGE);
    this.mapping = home.newSlot();
    const flags = PageFlag.Read | PageFlag.Write;
    must(home.map(this.table, this.page, this.mapping, { first: home.entryOf(this.va), flags }));
    this.frameCap = home.make(ObjType.Frame, DISPATCHER_FRAME_BYTES);
    const run = { first: FRAME_ENTRY, count: DISPATCHER_FRAME_BYTES / PAGE, flags };
    must(home.map(this.table, this.frameCap, home.newSlot(), run));
    this.frame = asPtr<'DispatcherFrame'>(home.base(this.frameCap));
    this.fillFrame();
    this.root = this.send(ROOT_TABLE);
    this.frameCopy = this.send(this.frameCap);
    this.cspace = this.makeCspace();
    this.dispatcher = away.make(ObjType.Dispatcher);
    this.dcb = asPtr<'Dcb'>(away.base(this.dispatcher));
  }

  /** Where the domain sees the frame of its dispatcher on the second core. */
  get frameVa(): number {
    return this.va + FRAME_ENTRY * PAGE;
  }

  setup(): Answer {
    const va = this.frameVa;
    const words = [this.cspace, 2, NEW_ROOT_TABLE, NEW_FRAME, 1, lowWord(va), highWord(va), 0];
    return this.away.invoke(this.dispatcher, DispatcherCmd.Setup, ...words);
  }

  /** Run `action` once as user mode of the dispatcher on the second core. */
  act<T>(action: (cpu: UserCpu, gate: number) => T): T {
    const { away } = this;
    DispatcherFrame.haswork.set(away.bench.mem, away.frame, 1);
    if (away.bench.current !== this.dcb) {
      DispatcherFrame.disabled.set(away.bench.mem, away.frame, 1);
      away.call(Syscall.Yield, this.dispatcher);
    }
    return away.bench.act(action);
  }

  /** Give the second core back to who speaks for it. */
  rest(): void {
    const { bench } = this.away;
    while (bench.current === this.dcb) {
      bench.endTurn();
      bench.run(1);
    }
  }

  /** The word at `va` as the dispatcher on the second core reads it, undefined for a page fault. */
  reads(va: number): number | undefined {
    const word = this.act((cpu) => {
      DispatcherFrame.disabled.set(this.away.bench.mem, this.frame, 0);
      return cpu.load32(va);
    });
    return word < 0 ? undefined : word;
  }

  /** A capability of the first core for the second, which both know to have it. */
  send(address: number): number {
    const { home, away } = this;
    const slot = away.newSlot();
    const words = describeTo(home, address);
    must(away.invoke(KERNEL, KernelCmd.CreateCap, ...words, ...placeOf(slot)));
    const shared = [CPTR_ROOTCN, address, 2, ON_SECOND];
    must(home.invoke(KERNEL, KernelCmd.RemoteRelations, ...shared));
    return slot;
  }

  /** With the Kernel capability, and the dispatcher of who speaks for the core. */
  private makeCspace(): number {
    const { away } = this;
    const root = away.make(ObjType.L1CNode, L1_CNODE_GRANULE);
    for (const [source, cnode, slot, level] of [
      [away.make(ObjType.L2CNode), 0, RootSlot.TaskCn, 0],
      [away.make(ObjType.L2CNode), 0, RootSlot.PageCn, 0],
      [this.root, RootSlot.PageCn, 0, 1],
      [this.frameCopy, RootSlot.TaskCn, TaskSlot.DispatcherFrame, 1],
      [KERNEL, RootSlot.TaskCn, TaskSlot.Kernel, 1],
      [OWN_DISPATCHER, RootSlot.TaskCn, TaskSlot.User, 1],
    ] as const) {
      const words = [root, cnode << 8, slot, CPTR_ROOTCN, source, level + 2 * 16];
      must(away.invokeRoot(CNodeCmd.Copy, ...words));
    }
    return root;
  }

  /** Entry points and first registers. */
  private fillFrame(): void {
    const { mem, arch } = this.home.bench;
    for (const [field, gate] of Object.entries(UPCALL_GATES)) {
      const entry = DispatcherFrame[field as keyof typeof UPCALL_GATES];
      entry.set(mem, this.frame, gateAt(arch, gate));
    }
    DispatcherFrame.udisp.set(mem, this.frame, this.frameVa);
    const set = (register: number, value: number): void => {
      DispatcherFrame.disabledArea.set(mem, this.frame, 2 * register, lowWord(value));
      DispatcherFrame.disabledArea.set(mem, this.frame, 2 * register + 1, highWord(value));
    };
    set(arch.upcallArgs[0], this.frameVa);
    set(arch.pc, gateAt(arch, Gate.Start));
  }
}

/**
 * System calls of the first domain of a bench, one line each. Like a domain's library it knows its
 * own CSpace and hands out slots; unlike one it says nothing about errors, it returns their names.
 */

import { type Slot, slotAt } from '@barreleye/caps';
import {
  asErrval,
  asPaddr,
  asPtr,
  fromWords,
  highWord,
  lowWord,
  type Paddr,
  type Ptr,
} from '@barreleye/core';
import {
  CNodeCmd,
  CPTR_ROOTCN,
  Cte,
  capAddrOf,
  capTypeInfo,
  DispatcherFrame,
  errNames,
  invokeHeader,
  Kcb,
  ObjType,
  PageFlag,
  Rights,
  RootSlot,
  Syscall,
  TaskSlot,
  type UserCpu,
  VNodeCmd,
} from '@barreleye/spec';
import { Bench, type BenchOptions, gateAt, type Target, UPCALL_GATES } from './bench.ts';

/** What the kernel answered: no names for success, `['left']` when it gave the core away. */
export interface Answer {
  readonly names: readonly string[];
  readonly value: number;
}

/** Arguments of `User.map`. */
export interface MapOptions {
  readonly first?: number;
  readonly count?: number;
  readonly flags?: number;
  readonly offset?: number;
}

/** Capability addresses of what the first domain has from the start. */
export const RAM = capAddrOf(RootSlot.SuperCn, 0);
export const MODULE = capAddrOf(RootSlot.ModuleCn, 0);
export const DEVICE = capAddrOf(RootSlot.PhysAddrCn, 0);
export const ROOT_TABLE = capAddrOf(RootSlot.PageCn, 0);
export const OWN_DISPATCHER = capAddrOf(RootSlot.TaskCn, TaskSlot.Dispatcher);
export const OWN_FRAME = capAddrOf(RootSlot.TaskCn, TaskSlot.DispatcherFrame);
export const IRQ_TABLE = capAddrOf(RootSlot.TaskCn, TaskSlot.Irq);
export const KERNEL = capAddrOf(RootSlot.TaskCn, TaskSlot.Kernel);
export const BOOT_INFO = capAddrOf(RootSlot.TaskCn, TaskSlot.BootInfo);
/** The empty CNode that tests put things into. */
const HOME = RootSlot.SlotAlloc1;
/** Level of that CNode in the CSpace. */
const CNODE_LEVEL = 1;

/** Put the words of a system call where the architecture wants them. */
export function loadCall(cpu: UserCpu, words: readonly number[]): void {
  const { arch, regs } = cpu;
  const { argWords } = arch;
  for (const [i, word] of words.entries()) {
    const register = argWords[i];
    if (register !== undefined) regs[register] = word;
    else cpu.store32(messageAt(arch.dispatcherBase, i - argWords.length), word);
  }
}

/** One system call. */
export function systemCall(cpu: UserCpu, words: readonly number[]): Answer {
  const { arch, regs } = cpu;
  loadCall(cpu, words);
  if (!cpu.syscall()) return { names: ['left'], value: 0 };
  const [errLow, errHigh, valueLow, valueHigh] = arch.resultWords;
  const err = fromWords(regs[errLow] ?? 0, regs[errHigh] ?? 0);
  const value = fromWords(regs[valueLow] ?? 0, regs[valueHigh] ?? 0);
  return { names: errNames(asErrval(err)), value };
}

export class User {
  readonly bench: Bench;
  private nextSlot: number;
  private nextByte: number;

  constructor(target: Target, options: BenchOptions = {}) {
    this.bench = new Bench(target, options);
    this.nextSlot = 0;
    this.nextByte = 0;
    const { mem, arch } = this.bench;
    for (const [field, gate] of Object.entries(UPCALL_GATES)) {
      const entry = DispatcherFrame[field as keyof typeof UPCALL_GATES];
      entry.set(mem, this.frame, gateAt(arch, gate));
    }
  }

  /** The DCB of the first domain, wherever the core is. */
  get dcb(): Ptr<'Dcb'> {
    return asPtr<'Dcb'>(this.base(OWN_DISPATCHER));
  }

  /** The dispatcher frame of the first domain. */
  get frame(): Ptr<'DispatcherFrame'> {
    return asPtr<'DispatcherFrame'>(this.base(OWN_FRAME));
  }

  /** The slot that a capability address of two levels names, full or empty. */
  slot(address: number): Slot {
    const { mem, plan } = this.bench;
    const cnode = slotAt(mem, Kcb.rootCn.at(plan.kcb), address >>> 8);
    return slotAt(mem, cnode, address & 0xff);
  }

  /** Physical address of the object of a capability. */
  base(address: number): Paddr {
    return Cte.base.get(this.bench.mem, this.slot(address));
  }

  /** The physical address `offset` bytes into the object of a capability. */
  at(address: number, offset: number): Paddr {
    return asPaddr(this.base(address) + offset);
  }

  /** The word at `va` as an enabled program reads it, undefined for a page fault. */
  reads(va: number): number | undefined {
    DispatcherFrame.disabled.set(this.bench.mem, this.frame, 0);
    const word = this.bench.act((cpu) => cpu.load32(va));
    return word < 0 ? undefined : word;
  }

  /** Whether an enabled program can write the word at `va`. */
  writes(va: number, word: number): boolean {
    DispatcherFrame.disabled.set(this.bench.mem, this.frame, 0);
    return this.bench.act((cpu) => cpu.store32(va, word));
  }

  /** Message word `i` of our frame. */
  message(i: number): number {
    return DispatcherFrame.message.get(this.bench.mem, this.frame, i);
  }

  /** The next empty slot of ours. */
  newSlot(count = 1): number {
    const slot = capAddrOf(HOME, this.nextSlot);
    this.nextSlot += count;
    return slot;
  }

  /** One system call. */
  call(...words: number[]): Answer {
    return this.bench.act((cpu) => systemCall(cpu, words));
  }

  /** Invoke the capability at `address`. */
  invoke(address: number, command: number, ...args: number[]): Answer {
    return this.call(Syscall.Invoke, invokeHeader(command, 2), address, ...args);
  }

  /** Invoke our root CNode. */
  invokeRoot(command: number, ...args: number[]): Answer {
    return this.invoke(CPTR_ROOTCN, command, ...args);
  }

  retype(
    source: number,
    offset: number,
    type: ObjType,
    bytes: number,
    count: number,
    slot: number,
  ): Answer {
    return this.invokeRoot(
      CNodeCmd.Retype,
      CPTR_ROOTCN,
      source,
      lowWord(offset),
      highWord(offset),
      type + count * 0x1_0000,
      lowWord(bytes),
      highWord(bytes),
      CPTR_ROOTCN,
      ...placeOf(slot),
    );
  }

  copy(source: number, slot: number): Answer {
    return this.invokeRoot(CNodeCmd.Copy, ...copyWords(source, slot));
  }

  mint(source: number, slot: number, rights: number, param1 = 0, param2 = 0): Answer {
    return this.invokeRoot(CNodeCmd.Mint, ...copyWords(source, slot), rights, param1, param2);
  }

  delete(address: number): Answer {
    return this.invokeRoot(CNodeCmd.Delete, address, 2);
  }

  revoke(address: number): Answer {
    return this.invokeRoot(CNodeCmd.Revoke, address, 2);
  }

  map(table: number, source: number, slot: number, options: MapOptions = {}): Answer {
    return this.invoke(table, VNodeCmd.Map, ...mapWords(source, slot, options));
  }

  unmap(table: number, mapping: number): Answer {
    return this.invoke(table, VNodeCmd.Unmap, mapping, 2);
  }

  /** A new object out of our RAM, at the next address that suits its type; its slot. */
  make(type: ObjType, bytes = 0, alignBytes = 0): number {
    const info = capTypeInfo(type);
    const objectBytes = info.bytes === 0 ? bytes : info.bytes;
    const unit = Math.max(info.granule, alignBytes);
    const { ram } = this.bench.plan;
    const at = Math.ceil((ram + this.nextByte) / unit) * unit - ram;
    this.nextByte = at + objectBytes;
    const slot = this.newSlot();
    must(this.retype(RAM, at, type, objectBytes, 1, slot));
    return slot;
  }

  /** An endpoint of ours with a ring of `ringWords` words at `offset` in our frame; its slot. */
  makeEndpoint(offset: number, ringWords: number, dispatcher = OWN_DISPATCHER): number {
    const blank = this.newSlot();
    must(this.retype(dispatcher, 0, ObjType.EndPointLMP, 0, 1, blank));
    const endpoint = this.newSlot();
    must(this.mint(blank, endpoint, Rights.All, offset, ringWords));
    must(this.delete(blank));
    return endpoint;
  }

  /** Page tables for the page at `va`, below tables that nobody uses; the slot of the last. */
  makeTables(va: number, levelCount = this.bench.paging.levels.length): number {
    const { paging } = this.bench;
    let table = ROOT_TABLE;
    for (let level = 1; level < levelCount; level++) {
      const child = this.make(paging.levels[level]?.type ?? 0);
      const first = paging.entryIndex(level - 1, va);
      must(this.map(table, child, this.newSlot(), { first }));
      table = child;
    }
    return table;
  }

  /** Entry of the last table for the page at `va`. */
  entryOf(va: number): number {
    const { paging } = this.bench;
    return paging.entryIndex(paging.levels.length - 1, va);
  }
}

/** `answer`, which must be a success. */
export function must(answer: Answer): Answer {
  if (answer.names.length > 0) throw new Error(`refused: ${answer.names.join(', ')}`);
  return answer;
}

/** Argument words of a map, without those of every invocation. */
export function mapWords(source: number, slot: number, options: MapOptions = {}): number[] {
  const { first = 0, count = 1, flags = PageFlag.Read, offset = 0 } = options;
  return [
    first + count * 0x1_0000,
    CPTR_ROOTCN,
    source,
    flags + 2 * 0x1_0000,
    lowWord(offset),
    highWord(offset),
    CPTR_ROOTCN,
    ...placeOf(slot),
  ];
}

/** The CNode of a slot, and the index in it with the CNode's level: how most calls name a slot. */
export function placeOf(slot: number): [number, number] {
  return [slot & ~0xff, (slot & 0xff) + CNODE_LEVEL * 0x100_0000];
}

function copyWords(source: number, slot: number): number[] {
  return [CPTR_ROOTCN, slot & ~0xff, slot & 0xff, CPTR_ROOTCN, source, CNODE_LEVEL + 2 * 16];
}

/** Virtual address of message word `i` of the dispatcher frame at `frame`. */
function messageAt(frame: number, i: number): number {
  return frame + DispatcherFrame.message.offset + 4 * i;
}

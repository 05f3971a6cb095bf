/**
 * For tests of library code without a kernel: as much of capabilities and page tables as it takes
 * to hold a library to account. It knows slots, retype, delete, resize and map from the system call
 * interface alone, refuses what a kernel refuses, and can be told to refuse the n-th call.
 */

import { assert, type Errval, highWord, isOk, lowWord, OK } from '@barreleye/core';
import {
  CAP_TYPE_NAMES,
  type CapTypeName,
  CNodeCmd,
  capTypeInfo,
  Err,
  headerCommand,
  headerLevel,
  highHalf,
  INVOKE_ARGS_AT,
  isRetypeEdge,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  lowHalf,
  MappingCmd,
  ObjType,
  type Paging,
  packCapHead,
  placeLevel,
  placeSlot,
  Rights,
  RootSlot,
  VNodeCmd,
} from '@barreleye/spec';
import type { Capref } from './capref.ts';
import type { HandCpu } from './hand-cpu.ts';
import { TASK_ROOT_CN } from './well-known.ts';

/** A capability as this kernel knows it. */
export interface HeldCap {
  readonly type: CapTypeName;
  /** Of the memory that it stands for; of mappings: first entry and number of entries. */
  readonly base: number;
  readonly bytes: number;
  readonly parent: HeldCap | undefined;
  /** Page tables: what their entries show. */
  readonly entries: Map<number, Entry>;
  /** Mappings: the table that they belong to, and what is mapped. */
  readonly table?: HeldCap;
  readonly object?: HeldCap;
}

const PAGE_BYTES = 4096;

/** What an entry of a page table shows: another table, or the page at `offset` of a frame. */
interface Entry {
  readonly object: HeldCap;
  readonly offset: number;
  readonly flags: number;
}

/** The shape of page tables: what of them a library knows. */
type Shape = Pick<Paging, 'levels' | 'entryIndex'>;

export class HandKernel {
  /** Slots of the root CNode. */
  rootSlotCount: number;
  /** System calls so far. */
  callCount: number;
  private readonly cpu: HandCpu;
  private readonly shape: Shape;
  /** By capability address and level. */
  private readonly slots: Map<string, HeldCap>;
  /** Value of the answer under way. */
  private answerValue: number;
  private refusal: { readonly atCall: number; readonly err: Errval } | undefined;

  /** Takes over the system calls of `cpu`. The domain has a root CNode and in it `cnodes`. */
  constructor(cpu: HandCpu, shape: Shape, cnodes: readonly number[]) {
    this.cpu = cpu;
    this.shape = shape;
    this.rootSlotCount = L2_CNODE_SLOTS;
    this.callCount = 0;
    this.answerValue = 0;
    this.slots = new Map();
    this.refusal = undefined;
    for (const l1Index of [RootSlot.TaskCn, ...cnodes]) {
      this.slots.set(keyOf(l1Index * L2_CNODE_SLOTS, 1), newCap('L2CNode', 0, L2_CNODE_BYTES));
    }
    this.put(TASK_ROOT_CN, 'L1CNode', 0, L2_CNODE_BYTES);
    cpu.onSyscall = () => this.syscall();
  }

  /** Capabilities there are, in all slots. */
  get capCount(): number {
    return this.slots.size;
  }

  /** Make a capability from nothing, as a boot does. */
  put(slot: Capref, type: CapTypeName, base: number, bytes: number): void {
    assert(this.isEmptySlot(slot.cptr, slot.level), 'the slot is full or does not exist');
    this.slots.set(keyOf(slot.cptr, slot.level), newCap(type, base, bytes));
  }

  /** Take a capability away that nothing was made of. */
  remove(slot: Capref): void {
    const cap = this.held(slot);
    const hasChildren = [...this.slots.values()].some(({ parent }) => parent === cap);
    assert(cap !== undefined && !hasChildren, 'the capability is gone or still in use');
    this.slots.delete(keyOf(slot.cptr, slot.level));
  }

  /** What a slot holds. */
  held(slot: Capref): HeldCap | undefined {
    return this.slots.get(keyOf(slot.cptr, slot.level));
  }

  /** Answer the `count`-th call from now with `err` and do nothing; all others as usual. */
  refuse(count: number, err: Errval): void {
    this.refusal = { atCall: this.callCount + count, err };
  }

  /** What the tables below `root` show at `va`: frame, offset of the 4 KiB page, flags. */
  translate(root: Capref, va: number): Entry | undefined {
    let table = this.held(root);
    for (const [level, { spanBits, childType }] of this.shape.levels.entries()) {
      const entry = table?.entries.get(this.shape.entryIndex(level, va));
      if (entry === undefined) return undefined;
      if (ObjType[entry.object.type] !== childType) {
        const inPage = (va % 2 ** spanBits) - (va % PAGE_BYTES);
        return { ...entry, offset: entry.offset + inPage };
      }
      table = entry.object;
    }
    return undefined;
  }

  private syscall(): void {
    this.callCount += 1;
    const isRefused = this.refusal?.atCall === this.callCount;
    this.answerValue = 0;
    const err = isRefused ? (this.refusal?.err ?? OK) : this.invoke();
    this.cpu.answer(err, this.answerValue);
  }

  private invoke(): Errval {
    const header = this.cpu.argWord(1);
    const cap = this.slots.get(keyOf(this.cpu.argWord(2), headerLevel(header)));
    if (cap === undefined) return Err.SYS_ERR_CAP_NOT_FOUND;
    const command = headerCommand(header);
    if (capTypeInfo(ObjType[cap.type]).vnode) {
      return command === VNodeCmd.Map ? this.map(cap) : Err.SYS_ERR_ILLEGAL_INVOCATION;
    }
    if (cap.table !== undefined) {
      return command === MappingCmd.Modify ? this.modify(cap) : Err.SYS_ERR_ILLEGAL_INVOCATION;
    }
    if (cap.type !== 'L1CNode') return Err.SYS_ERR_ILLEGAL_INVOCATION;
    if (command === CNodeCmd.Retype) return this.retype();
    if (command === CNodeCmd.Delete) return this.delete();
    if (command === CNodeCmd.Identify) return this.identify();
    return command === CNodeCmd.Resize ? this.resize() : Err.SYS_ERR_ILLEGAL_INVOCATION;
  }

  private retype(): Errval {
    const source = this.slots.get(keyOf(this.arg(1), 2));
    if (source === undefined) return Err.SYS_ERR_SOURCE_CAP_LOOKUP;
    const type = CAP_TYPE_NAMES[lowHalf(this.arg(4))] ?? 'Null';
    if (!isRetypeEdge(ObjType[source.type], ObjType[type])) return Err.SYS_ERR_INVALID_RETYPE;
    if (highHalf(this.arg(4)) !== 1) return Err.SYS_ERR_RETYPE_INVALID_COUNT;
    const offset = this.arg64(2);
    const bytes = capTypeInfo(ObjType[type]).bytes || this.arg64(5);
    if (offset + bytes > source.bytes) return Err.SYS_ERR_RETYPE_INVALID_OFFSET;
    const base = source.base + offset;
    if (base % capTypeInfo(ObjType[type]).granule !== 0) return Err.SYS_ERR_RETYPE_INVALID_OFFSET;
    const overlaps = (cap: HeldCap): boolean =>
      isBelow(cap, source) && cap.base < base + bytes && base < cap.base + cap.bytes;
    if ([...this.slots.values()].some(overlaps)) return Err.SYS_ERR_REVOKE_FIRST;
    return this.fill(8, newCap(type, base, bytes, source));
  }

  private delete(): Errval {
    const key = keyOf(this.arg(0), this.arg(1));
    const cap = this.slots.get(key);
    if (cap === undefined) return Err.SYS_ERR_CAP_NOT_FOUND;
    this.drop(key, cap);
    for (const [other, mapping] of [...this.slots]) {
      if (mapping.object === cap || mapping.table === cap) this.drop(other, mapping);
    }
    return OK;
  }

  private drop(key: string, cap: HeldCap): void {
    this.slots.delete(key);
    for (let i = 0; i < cap.bytes && cap.table !== undefined; i++) {
      cap.table.entries.delete(cap.base + i);
    }
  }

  private identify(): Errval {
    const cap = this.slots.get(keyOf(this.arg(0), this.arg(1)));
    if (cap === undefined) return Err.SYS_ERR_CAP_NOT_FOUND;
    this.answerValue = packCapHead(ObjType[cap.type], Rights.All, 0);
    const words = [cap.base, cap.bytes].flatMap((n) => [lowWord(n), highWord(n)]);
    for (const [i, word] of [...words, 0, 0, 0].entries()) this.cpu.setMessage(i, word);
    return OK;
  }

  /** Entries of a mapping get other flags. */
  private modify(mapping: HeldCap): Errval {
    const [first, count, flags] = [this.arg(0), this.arg(1), this.arg(2)];
    if (first >= mapping.bytes) return Err.SYS_ERR_VNODE_SLOT_INVALID;
    if (count === 0 || count > mapping.bytes - first) return Err.SYS_ERR_VM_MAP_SIZE;
    for (let at = mapping.base + first; at < mapping.base + first + count; at++) {
      const entry = mapping.table?.entries.get(at);
      if (entry === undefined) return Err.SYS_ERR_VNODE_NOT_INSTALLED;
      mapping.table?.entries.set(at, { ...entry, flags });
    }
    return OK;
  }

  /** The new root goes into use; its slot keeps it. The old one goes to the return slot. */
  private resize(): Errval {
    const root = this.slots.get(keyOf(this.arg(0), 2));
    if (root?.type !== 'L1CNode') return Err.SYS_ERR_RESIZE_NOT_L1;
    if (root.bytes / 64 < this.rootSlotCount) return Err.SYS_ERR_INVALID_SIZE;
    const cptr = this.arg(1) + this.arg(2);
    if (!this.isEmptySlot(cptr, 2)) return Err.SYS_ERR_SLOT_IN_USE;
    this.slots.set(keyOf(cptr, 2), newCap('L1CNode', 0, this.rootSlotCount * 64));
    this.rootSlotCount = root.bytes / 64;
    return OK;
  }

  private map(table: HeldCap): Errval {
    const level = this.shape.levels.findIndex(({ type }) => type === ObjType[table.type]);
    const shape = this.shape.levels[level];
    if (shape === undefined) return Err.SYS_ERR_VNODE_TYPE;
    const source = this.slots.get(keyOf(this.arg(2), highHalf(this.arg(3)) & 0xff));
    if (source === undefined) return Err.SYS_ERR_SOURCE_CAP_LOOKUP;
    const [first, count] = [lowHalf(this.arg(0)), highHalf(this.arg(0))];
    if (count < 1 || first + count > shape.entryCount) return Err.SYS_ERR_VM_MAP_SIZE;
    if (first + count > shape.reservedFrom) return Err.SYS_ERR_VNODE_SLOT_RESERVED;
    const [offset, pageBytes] = [this.arg64(4), 2 ** shape.spanBits];
    if (ObjType[source.type] !== shape.childType) {
      if (!shape.mapsPages) return Err.SYS_ERR_WRONG_MAPPING;
      if (offset % PAGE_BYTES !== 0) return Err.SYS_ERR_VM_MAP_OFFSET;
      if ((source.base + offset) % pageBytes !== 0) return Err.SYS_ERR_VM_FRAME_UNALIGNED;
      if (offset + count * pageBytes > source.bytes) return Err.SYS_ERR_FRAME_OFFSET_INVALID;
    }
    const places = Array.from({ length: count }, (_, i) => first + i);
    if (places.some((at) => table.entries.has(at))) return Err.SYS_ERR_VNODE_SLOT_INUSE;
    const type = CAP_TYPE_NAMES[capTypeInfo(ObjType[source.type]).mappingType] ?? 'Null';
    const err = this.fill(7, { ...newCap(type, first, count), table, object: source });
    if (!isOk(err)) return err;
    const flags = lowHalf(this.arg(3));
    for (const [i, at] of places.entries()) {
      table.entries.set(at, { object: source, offset: offset + i * pageBytes, flags });
    }
    return OK;
  }

  /** Put `cap` into the slot that arguments `at` (CNode) and `at` + 1 (slot, level) name. */
  private fill(at: number, cap: HeldCap): Errval {
    const level = placeLevel(this.arg(at + 1));
    const slot = placeSlot(this.arg(at + 1));
    const cptr = level === 0 ? slot * L2_CNODE_SLOTS : this.arg(at) + slot;
    if (!this.isEmptySlot(cptr, level + 1)) return Err.SYS_ERR_SLOTS_IN_USE;
    this.slots.set(keyOf(cptr, level + 1), cap);
    return OK;
  }

  /** A slot of the root, or of an L2 CNode that is there, with nothing in it. */
  private isEmptySlot(cptr: number, level: number): boolean {
    if (cptr / L2_CNODE_SLOTS >= this.rootSlotCount) return false;
    const l1Address = cptr - (cptr % L2_CNODE_SLOTS);
    const hasCnode = level === 1 || this.slots.get(keyOf(l1Address, 1))?.type === 'L2CNode';
    return hasCnode && !this.slots.has(keyOf(cptr, level));
  }

  /** Argument `i` of the invocation. */
  private arg(i: number): number {
    return this.cpu.argWord(INVOKE_ARGS_AT + i);
  }

  private arg64(i: number): number {
    return this.cpu.argWord64(INVOKE_ARGS_AT + i);
  }
}

function newCap(type: CapTypeName, base: number, bytes: number, parent?: HeldCap): HeldCap {
  return { type, base, bytes, parent, entries: new Map() };
}

function isBelow(cap: HeldCap, ancestor: HeldCap): boolean {
  for (let at = cap.parent; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}

function keyOf(cptr: number, level: number): string {
  return `${level}:${cptr}`;
}

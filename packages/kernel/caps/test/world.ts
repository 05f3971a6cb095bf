/**
 * A small capability space for tests: one root CNode, four L2 CNodes of slots, and RAM. It keeps a
 * log of what the hooks were told, and says in one line what most tests want to do.
 */

import { asPaddr, asPtr, type Errval, isOk, type Paddr, PhysMem } from '@barreleye/core';
import { CTE_BYTES, Cte, capTypeName, type ErrName, errNames, Kcb, ObjType } from '@barreleye/spec';
import { expect } from 'vitest';
import {
  applyDelete,
  type CapHooks,
  Caps,
  checkCaps,
  copy,
  createCap,
  createMapping,
  decodeDelete,
  deleteCap,
  describeCap,
  eachCap,
  isEmpty,
  NO_HOOKS,
  retype,
  type Slot,
  slotAt,
} from '../src/index.ts';

const ORIGIN = 0x10_0000;
const MEMORY_BYTES = 0x30_0000;
const ROOT_BASE = 0x12_0000;
export const CNODE_BASE = 0x12_4000;
const CNODE_COUNT = 4;
/** 2 MiB for tests to retype. */
export const RAM_BASE = 0x20_0000;
export const RAM_BYTES = 0x20_0000;
export const KIB = 1024;
export const PAGE = 4096;

export interface WorldOptions {
  readonly core?: number;
  /** Bytes of RAM to retype; RAM_BYTES, if left out. */
  readonly ramBytes?: number;
  /** Whether there is RAM; everywhere, if left out. */
  readonly isRam?: CapHooks['isRam'];
}

/** What a test asks of `World.retype`; the rest is left out. */
export interface RetypeOptions {
  readonly offset?: number;
  readonly bytes?: number;
  readonly count?: number;
  readonly cnode?: Slot;
  readonly isFromMonitor?: boolean;
}

export class World {
  readonly mem: PhysMem;
  readonly caps: Caps;
  /** Calls of hooks, in words. */
  readonly log: string[];
  /** The root CNode capability, in the KCB. */
  readonly root: Slot;
  /** The RAM to retype, in slot 0 of CNode 1. */
  readonly ram: Slot;

  constructor(options: WorldOptions = {}) {
    this.mem = new PhysMem(new ArrayBuffer(MEMORY_BYTES), ORIGIN);
    this.log = [];
    const kcb = asPtr<'Kcb'>(ORIGIN);
    Kcb.coreId.set(this.mem, kcb, options.core ?? 0);
    this.caps = new Caps(this.mem, kcb, logInto(this.log, options.isRam ?? NO_HOOKS.isRam));
    this.root = Kcb.rootCn.at(kcb);
    createCap(this.caps, this.root, ObjType.L1CNode, {
      base: asPaddr(ROOT_BASE),
      bytes: 16 * KIB,
    });
    for (let i = 0; i < CNODE_COUNT; i++) {
      const base = asPaddr(CNODE_BASE + i * 16 * KIB);
      createCap(this.caps, this.rootSlot(i), ObjType.L2CNode, { base });
    }
    // Where a domain has its own root CNode, so that addresses can name it.
    createCap(this.caps, this.at(0, 2), ObjType.L1CNode, {
      base: asPaddr(ROOT_BASE),
      bytes: 16 * KIB,
    });
    this.ram = this.at(1, 0);
    const bytes = options.ramBytes ?? RAM_BYTES;
    createCap(this.caps, this.ram, ObjType.RAM, { base: asPaddr(RAM_BASE), bytes });
  }

  /** Slot `index` of the root CNode. */
  rootSlot(index: number): Slot {
    return slotAt(this.mem, this.root, index);
  }

  /** Slot `index` of L2 CNode `cnode`. */
  at(cnode: number, index: number): Slot {
    return slotAt(this.mem, this.rootSlot(cnode), index);
  }

  /** Retype into slots from `target`, a slot of one of our CNodes. */
  retype(source: Slot, type: ObjType, target: Slot, options: RetypeOptions = {}): Errval {
    const { offset = 0, bytes = 0, count = 1, isFromMonitor = false } = options;
    const place = this.placeOf(target);
    const cnode = options.cnode ?? place.cnode;
    return retype(this.caps, {
      source,
      type,
      offset,
      objectBytes: bytes,
      count,
      cnode,
      slotIndex: place.index,
      isFromMonitor,
    });
  }

  copy(source: Slot, target: Slot): Errval {
    const { cnode, index } = this.placeOf(target);
    return this.copyInto(source, cnode, index);
  }

  /** Copy to slot `index` of any capability that may or may not be a CNode. */
  copyInto(source: Slot, cnode: Slot, index: number): Errval {
    const none = { isMint: false, keptRights: 0, param1: 0, param2: 0 };
    return copy(this.caps, { source, cnode, slotIndex: index, ...none });
  }

  mint(source: Slot, target: Slot, keptRights: number, param1 = 0, param2 = 0): Errval {
    const { cnode, index } = this.placeOf(target);
    const place = { source, cnode, slotIndex: index };
    return copy(this.caps, { ...place, isMint: true, keptRights, param1, param2 });
  }

  delete(slot: Slot): Errval {
    return deleteCap(this.caps, slot);
  }

  /** Delete without running the sweep. */
  deleteUnswept(slot: Slot): Errval {
    const err = decodeDelete(this.caps, slot);
    if (isOk(err)) applyDelete(this.caps, slot);
    return err;
  }

  /** One of the slots of the kernel control block. */
  kcbSlot(field: 'rootCn' | 'monitorEp'): Slot {
    return Kcb[field].at(this.caps.kcb);
  }

  map(object: Slot, table: Slot, target: Slot, first: number, count = 1): void {
    createMapping(this.caps, target, { object, table, first, count });
  }

  /** The capability in words, without the slot. */
  show(slot: Slot): string {
    return describeCap(this.mem, slot);
  }

  isEmpty(slot: Slot): boolean {
    return isEmpty(this.mem, slot);
  }

  /** `Frame 0x400000 4096` and so on for every capability that is not of the world itself. */
  dump(): string[] {
    const lines: string[] = [];
    for (const slot of eachCap(this.caps)) {
      const base = Cte.base.get(this.mem, slot);
      if (base >= ROOT_BASE && base < RAM_BASE) continue;
      const bytes = Cte.bytes.get(this.mem, slot);
      lines.push(
        `${capTypeName(Cte.type.get(this.mem, slot))} +${(base - RAM_BASE) / KIB}K ${bytes / KIB}K`,
      );
    }
    return lines;
  }

  /** Everything in memory, to show that a call changed nothing. */
  snapshot(): Uint8Array {
    return this.mem.read(asPaddr(ORIGIN), MEMORY_BYTES);
  }

  private placeOf(slot: Slot): { cnode: Slot; index: number } {
    const isRoot = slot < CNODE_BASE;
    const base = isRoot ? ROOT_BASE : CNODE_BASE;
    const index = (slot - base) / CTE_BYTES;
    if (isRoot) return { cnode: this.root, index };
    return { cnode: this.rootSlot(Math.floor(index / 256)), index: index % 256 };
  }
}

/** All is well: the call succeeded and no invariant is broken. */
export function expectOk(world: World, err: Errval): void {
  expect(errNames(err)).toEqual([]);
  expect(checkCaps(world.caps)).toEqual([]);
}

/** The call was refused with these codes, most recent first, and changed no byte of memory. */
export function expectRefused(world: World, names: readonly ErrName[], call: () => Errval): void {
  const before = world.snapshot();
  const calls = world.log.length;
  expect(errNames(call())).toEqual(names);
  expect(Buffer.compare(before, world.snapshot()), 'no byte of memory changed').toBe(0);
  expect(world.log.length, 'no hook was called').toBe(calls);
}

/** A physical address in RAM. */
export function ramAt(offset: number): Paddr {
  return asPaddr(RAM_BASE + offset);
}

function logInto(log: string[], isRam: CapHooks['isRam']): CapHooks {
  const at = (base: number): string => `+${(base - RAM_BASE) / KIB}K`;
  return {
    isRam,
    dispatcherDied: (dcb) => void log.push(`dispatcher ${at(dcb)} died`),
    dispatcherDismantled: (dcb) => void log.push(`dispatcher ${at(dcb)} was dismantled`),
    unmapEntries: (_type, table, first, count) =>
      void log.push(`unmap ${at(table)} [${first}..${first + count - 1}]`),
    vnodeCreated: (type, base) => void log.push(`${capTypeName(type)} ${at(base)} made`),
    vnodeDied: (type, base) => void log.push(`${capTypeName(type)} ${at(base)} died`),
    ramFreed: (base, bytes) => void log.push(`free ${at(base)} ${bytes / KIB}K`),
  };
}

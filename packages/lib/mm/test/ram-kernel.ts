/**
 * A kernel that knows nothing but RAM capabilities: as much of retype and delete as it takes to
 * hold a memory manager to account. A capability is named by the number of its slot.
 */

import {
  type Errval,
  errval,
  fail,
  OK,
  type Paddr,
  paddr,
  type Result,
  succeed,
} from '@barreleye/core';
import { Err } from '@barreleye/spec';
import type { MmBlock, MmHost, MmRegion, RetypeRequest } from '../src/index.ts';

export const PAGE = 4096;
/** Slots of the capabilities that a test starts with; the manager never gets one of them. */
const FIRST_BOOT_SLOT = 1_000_000;

interface RamCap {
  readonly base: number;
  readonly bytes: number;
  readonly source: RamCap | undefined;
}

export class RamKernel implements MmHost<number> {
  /** Errors for the next calls to answer with instead of doing anything. */
  readonly refuse: { retype?: Errval; delete?: Errval; slot?: Errval } = {};
  private readonly caps = new Map<number, RamCap>();
  private readonly freeSlots: number[] = [];
  private slotCount = 0;
  private bootCount = 0;

  constructor(slotCount: number) {
    this.addSlots(slotCount);
  }

  addSlots(count: number): void {
    for (let i = 0; i < count; i++) this.freeSlots.push(this.slotCount++);
  }

  /** A capability for RAM that nothing else covers, as the boot loader leaves it. */
  boot(base: number, pageCount: number): MmRegion<number> {
    const cap = FIRST_BOOT_SLOT + this.bootCount++;
    this.caps.set(cap, { base, bytes: pageCount * PAGE, source: undefined });
    return { cap, base: paddr(base), bytes: pageCount * PAGE };
  }

  retype({ source, offsetBytes, bytes, target }: RetypeRequest<number>): Errval {
    if (this.refuse.retype !== undefined) return this.refuse.retype;
    const from = this.caps.get(source);
    if (from === undefined) return Err.SYS_ERR_SOURCE_CAP_LOOKUP;
    if (this.caps.has(target)) return Err.SYS_ERR_SLOTS_IN_USE;
    if (offsetBytes % PAGE !== 0) return Err.SYS_ERR_RETYPE_INVALID_OFFSET;
    if (offsetBytes < 0 || offsetBytes >= from.bytes) return Err.SYS_ERR_RETYPE_INVALID_OFFSET;
    if (bytes <= 0 || bytes > from.bytes - offsetBytes) return Err.SYS_ERR_RETYPE_INVALID_COUNT;
    const made = { base: from.base + offsetBytes, bytes, source: from };
    for (const cap of this.caps.values()) {
      if (descendsFrom(cap, from) && overlap(cap, made)) return Err.SYS_ERR_REVOKE_FIRST;
    }
    this.caps.set(target, made);
    return OK;
  }

  deleteCap(slot: number): Errval {
    if (this.refuse.delete !== undefined) return this.refuse.delete;
    if (!this.caps.delete(slot)) return Err.SYS_ERR_CAP_NOT_FOUND;
    if (slot < FIRST_BOOT_SLOT) this.freeSlots.push(slot);
    return OK;
  }

  allocSlot(): Result<number> {
    if (this.refuse.slot !== undefined) return fail(this.refuse.slot);
    const slot = this.freeSlots.pop();
    return slot === undefined ? fail(Err.LIB_ERR_SLOT_ALLOC_NO_SPACE) : succeed(slot);
  }

  freeSlot(slot: number): void {
    if (this.caps.has(slot)) throw new Error(`slot ${slot} is full`);
    if (this.freeSlots.includes(slot)) throw new Error(`slot ${slot} is free`);
    this.freeSlots.push(slot);
  }

  freeSlotCount(): number {
    return this.freeSlots.length;
  }

  /** Slots that are neither free nor hold a capability: lost, unless an operation is under way. */
  lostSlotCount(): number {
    const bootCaps = [...this.caps.keys()].filter((slot) => slot >= FIRST_BOOT_SLOT);
    return this.slotCount - this.freeSlots.length - (this.caps.size - bootCaps.length);
  }

  identify(slot: number): { readonly base: number; readonly bytes: number } | undefined {
    const cap = this.caps.get(slot);
    return cap && { base: cap.base, bytes: cap.bytes };
  }

  /** Replace the capability of `block` by one for each of its parts, which tile it. */
  split(block: MmBlock<number>, partBytes: readonly number[]): MmBlock<number>[] {
    const parts: MmBlock<number>[] = [];
    let offsetBytes = 0;
    for (const bytes of partBytes) {
      const base: Paddr = paddr(block.base + offsetBytes);
      const target = must(this.allocSlot());
      const err = this.retype({ source: block.cap, offsetBytes, bytes, target });
      if (err !== OK) throw new Error(`split: error ${err}`);
      parts.push({ cap: target, base, bytes });
      offsetBytes += bytes;
    }
    if (offsetBytes !== block.bytes) throw new Error('the parts do not tile the block');
    if (this.deleteCap(block.cap) !== OK) throw new Error('the block is gone');
    return parts;
  }
}

/** The value of a Result that a test expects to have one. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`error ${result.err}`);
  return result.value;
}

/** The error of a Result that a test expects to have failed. */
export function errorOf<T>(result: Result<T>): Errval {
  return result.ok ? OK : result.err;
}

/** The address that a store has answered where a test expects one. */
export function mustTake(answer: number): Paddr {
  if (answer < 0) throw new Error(`error ${-answer}`);
  return paddr(answer);
}

/** The error that a store has answered, if any. */
export function errorIn(answer: number): Errval {
  return answer < 0 ? errval(-answer) : OK;
}

function descendsFrom(cap: RamCap, ancestor: RamCap): boolean {
  for (let at = cap.source; at !== undefined; at = at.source) if (at === ancestor) return true;
  return false;
}

function overlap(a: { base: number; bytes: number }, b: { base: number; bytes: number }): boolean {
  return a.base < b.base + b.bytes && b.base < a.base + a.bytes;
}

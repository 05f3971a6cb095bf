/**
 * I19 to I22, I38: memory that goes back to its manager. A log of what the hook was told, looked at
 * when it is told, and compared with what capabilities cover before and after.
 */

import { alignDown, alignUp, BASE_PAGE_BITS, hex } from '@barreleye/core';
import { CAP_TYPE_INFO, ObjType } from '@barreleye/spec';
import type { CapHooks, Caps } from './caps.ts';
import { type Entry, isBusyEntry, readEntry } from './check-entry.ts';
import { eachCap } from './walk.ts';

/** A range of bytes, half open. */
interface Range {
  readonly base: number;
  readonly end: number;
}

export class FreeLog {
  private readonly caps: Caps;
  private readonly freed: Range[];
  private readonly problems: string[];

  /** From now on the log hears of everything that goes back, before the manager does. */
  constructor(caps: Caps) {
    this.caps = caps;
    this.freed = [];
    this.problems = [];
    const { hooks } = caps;
    const watched: CapHooks = {
      ...hooks,
      ramFreed: (base, bytes) => {
        this.note(base, base + bytes);
        hooks.ramFreed(base, bytes);
      },
    };
    Object.assign(caps, { hooks: watched });
  }

  /** Problems of all that went back since the last call, of which `before` was the state. */
  check(before: readonly Entry[], after: readonly Entry[]): string[] {
    const problems = this.problems.splice(0);
    const freed = this.freed.splice(0).sort((a, b) => a.base - b.base);
    for (const [i, range] of freed.entries()) {
      const next = freed[i + 1];
      if (next !== undefined && next.base < range.end)
        problems.push(`I21 ${show(next)} goes back twice`);
    }
    const now = covered(after, () => true);
    const ram = covered(before, ({ info }) => info.ramBacked);
    const other = covered(before, ({ info, flags, isForeign }) => {
      return !info.ramBacked || flags !== 0 || isForeign;
    });
    for (const range of without(freed, ram))
      problems.push(`I22 ${show(range)} goes back, but was no RAM`);
    const due = without(without(ram, now), other);
    for (const range of without(due, freed)) problems.push(`I19 ${show(range)} is lost`);
    return problems;
  }

  /** Nothing that is alive lies in what goes back, and nobody alive covers it. */
  private note(base: number, end: number): void {
    const range = { base, end };
    this.freed.push(range);
    for (const slot of eachCap(this.caps)) {
      const entry = readEntry(this.caps, slot);
      if (isBusyEntry(entry)) continue;
      if (slot >= base && slot < end) {
        this.problems.push(`I38 ${show(range)} goes back with ${hex(slot)} in it`);
      }
      if (isMemory(entry) && entry.base < end && entry.end > base) {
        this.problems.push(`I20 ${show(range)} goes back, but ${hex(slot)} covers some of it`);
      }
    }
  }
}

const MEMORY_ROOT = CAP_TYPE_INFO[ObjType.RAM]?.root;

function isMemory({ info, isLeaf }: Entry): boolean {
  return info.root === MEMORY_ROOT && !isLeaf;
}

/** Whole pages of which some entry covers a byte: in order, and none touching. */
function covered(entries: readonly Entry[], counts: (entry: Entry) => boolean): Range[] {
  const pages = entries
    .filter((entry) => isMemory(entry) && counts(entry))
    .map(({ base, end }) => {
      return { base: alignDown(base, BASE_PAGE_BITS), end: alignUp(end, BASE_PAGE_BITS) };
    })
    .sort((a, b) => a.base - b.base);
  const merged: { base: number; end: number }[] = [];
  for (const range of pages) {
    const last = merged[merged.length - 1];
    if (last !== undefined && range.base <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push(range);
  }
  return merged;
}

/** What of `ranges` is in none of `others`, which are in order. */
function without(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const left: Range[] = [];
  for (const range of ranges) {
    let { base } = range;
    for (const other of others) {
      if (other.end <= base || other.base >= range.end) continue;
      if (other.base > base) left.push({ base, end: other.base });
      base = other.end;
    }
    if (base < range.end) left.push({ base, end: range.end });
  }
  return left;
}

function show({ base, end }: Range): string {
  return `[${hex(base)}, ${hex(end)})`;
}

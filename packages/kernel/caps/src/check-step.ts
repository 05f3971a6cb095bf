/**
 * The invariants that speak of a step from one state to the next, as code: `begin` looks at the
 * state before an operation, `end` compares. Like the checkers of a state (check.ts) it is for
 * tests and knows nothing of how operations work. It costs memory: what it saw before.
 */

import { hex } from '@barreleye/core';
import { type CapTypeInfo, CTE_BYTES, KCB_BYTES, Kcb, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { type Entry, isSameObject, readEntry } from './check-entry.ts';
import { FreeLog } from './check-frees.ts';
import { compareLosses, lossesOf, victimsOf } from './check-losses.ts';
import { checkOrigins, type ZeroBytes } from './check-origins.ts';
import { eachFreeRam, type RamRegion } from './free-ram.ts';
import { isDying } from './guard.ts';
import { isEmpty, type Slot } from './slot.ts';
import { isSweepPending } from './sweep.ts';
import { eachCap } from './walk.ts';

/** Invariants that `StepChecker` looks at, beside those of a state. */
export const STEP_INVARIANTS = [
  ...['I2', 'I3', 'I6', 'I17', 'I31'], // check-origins.ts
  ...['I34', 'I36', 'I37'], // check-losses.ts
  ...['I19', 'I20', 'I21', 'I22', 'I38'], // check-frees.ts
  ...['I8', 'I9', 'I27'], // here
] as const;

/** What was asked for, and what came of it. */
export interface Step {
  /** `trusted`: capabilities from nothing, or whatever a monitor may do. */
  readonly kind: StepKind;
  /**
   * Delete, move, revoke and unmap: the slot of the capability that goes, or loses its relatives.
   */
  readonly target?: Slot;
  /** Undefined where nobody was told. */
  readonly isOk?: boolean;
}

export type StepKind =
  | 'copy'
  | 'create'
  | 'delete'
  | 'map'
  | 'move'
  | 'other'
  | 'reclaim'
  | 'resize'
  | 'retype'
  | 'revoke'
  | 'trusted'
  | 'unmap';

/** The state before a step. */
interface State {
  readonly entries: readonly Entry[];
  /** Kernel objects, byte by byte. */
  readonly objects: readonly Copy[];
  /** RAM that waits to be collected. */
  readonly freeRam: readonly RamRegion[];
  readonly isSweepPending: boolean;
}

/** The words of a kernel object as they were. */
interface Copy {
  /** Index of the first in `PhysMem.words`. */
  readonly first: number;
  readonly copy: Uint32Array;
  /** A page table: the hardware writes it, too. */
  readonly isTable: boolean;
}

/** Words of the KCB that are not about capabilities and change at every kernel entry. */
const COUNTERS = [Kcb.kernelEntries, Kcb.systemCalls].map(({ offset }) => offset / 4);

/** The rest of a KCB is not used. */
const KCB_USED_BYTES = Kcb.irqEndpoint.offset + Kcb.irqEndpoint.count * CTE_BYTES;

export class StepChecker {
  readonly caps: Caps;
  private readonly frees: FreeLog;
  private readonly zeroBytes: ZeroBytes;
  private state: State | undefined;
  /** Whether the last step may have changed any kernel object. */
  hasChanged: boolean;

  constructor(caps: Caps, zeroBytes: ZeroBytes = (_, bytes) => bytes) {
    this.caps = caps;
    this.frees = new FreeLog(caps);
    this.zeroBytes = zeroBytes;
    this.state = undefined;
    this.hasChanged = false;
  }

  /**
   * Look at the state before a step. The end of one step is the beginning of the next, but the
   * hardware may have marked entries of page tables since.
   */
  begin(): void {
    if (this.state === undefined) this.state = this.capture();
    const { words } = this.caps.mem;
    for (const { isTable, first, copy } of this.state.objects) {
      if (isTable) copy.set(words.subarray(first, first + copy.length));
    }
  }

  /** Invariants that the step since `begin` has violated. */
  end(step: Step): string[] {
    const before = this.state;
    if (before === undefined) return ['there was no begin'];
    // Most of what succeeds changes something, so then it is not worth looking.
    this.hasChanged = step.isOk === true || !this.isUnchanged(before);
    if (!this.hasChanged) return this.frees.check(before.entries, before.entries);
    const after = this.capture();
    this.state = after;
    const problems: string[] = [];
    if (step.isOk === false && !mayStopHalfway(step)) {
      problems.push(`I8 a step of kind ${step.kind} failed, but something changed`);
    }
    const isWhole = !before.isSweepPending && !after.isSweepPending;
    if (isWhole) problems.push(...this.frees.check(before.entries, after.entries));
    if (step.kind === 'trusted') return problems;

    const old = new Map(before.entries.map((entry) => [entry.slot, entry]));
    const made = after.entries.filter((entry) => this.checkSlot(entry, old, step, problems));
    checkOrigins(this.caps, before, made, step, this.zeroBytes, problems);
    if (isWhole) this.checkLosses(before, after, step, problems);
    return problems;
  }

  /** Whether the entry is one that was not there before. */
  private checkSlot(
    entry: Entry,
    before: ReadonlyMap<Slot, Entry>,
    step: Step,
    problems: string[],
  ): boolean {
    const { caps } = this;
    const other = before.get(entry.slot);
    if (other === undefined || isDying(caps, entry.slot)) return !isDying(caps, entry.slot);
    if (saysTheSame(entry, other)) return false;
    const isNewRoot = step.kind === 'resize' && entry.type === ObjType.L1CNode;
    if (isNewRoot || this.isKernelSlot(entry.slot)) return true;
    const id = entry.type === other.type && entry.base === other.base ? 'I27' : 'I9';
    problems.push(`${id} the full slot ${hex(entry.slot)} says something else`);
    return true;
  }

  private checkLosses(before: State, after: State, step: Step, problems: string[]): void {
    const { caps } = this;
    const kept = new Set(after.entries.map(({ slot }) => slot));
    const lost = new Set<Slot>();
    for (const { slot } of before.entries) {
      if (!kept.has(slot) && !this.isKernelSlot(slot)) lost.add(slot);
    }
    const target = before.entries.find(({ slot }) => slot === step.target);
    const isRevoke = step.kind === 'revoke';
    if (isRevoke && step.isOk === true && (target === undefined || lost.has(target.slot))) {
      problems.push('I34 the target of a revoke is gone');
    }
    if (step.kind === 'delete' && step.isOk === true && !isEmpty(caps.mem, step.target as Slot)) {
      problems.push('I36 a deleted slot is full');
    }
    const first = target === undefined ? [] : firstLosses(before.entries, target, step);
    // What moves takes nothing along: there is a copy.
    const isMove = step.kind === 'move';
    const expected = isMove ? movedFrom(first, step, lost) : lossesOf(caps, before.entries, first);
    const isPartial = step.isOk === false || before.entries.some(({ flags }) => flags !== 0);
    const due = isPartial ? [...expected].filter((slot) => lost.has(slot)) : expected;
    const outside = [...due].filter((slot) => !this.isKernelSlot(slot));
    compareLosses(isRevoke ? 'I34' : 'I36', lost, new Set(outside), problems);
  }

  /** The kernel's own slots follow what others hold. */
  private isKernelSlot(slot: Slot): boolean {
    return slot >= this.caps.kcb && slot < this.caps.kcb + KCB_BYTES;
  }

  private capture(): State {
    const { caps } = this;
    const { mem } = caps;
    const entries = Array.from(eachCap(caps), (slot) => readEntry(caps, slot));
    const seen = new Set<number>();
    const objects: Copy[] = [];
    const add = (base: number, bytes: number, isTable: boolean): void => {
      if (!seen.has(base) && mem.contains(base, bytes)) {
        const first = (base - mem.origin) / 4;
        objects.push({ first, copy: mem.words.slice(first, first + bytes / 4), isTable });
      }
      seen.add(base);
    };
    add(caps.kcb, KCB_USED_BYTES, false);
    for (const { type, base, end, info } of entries) {
      if (isKernelObject(info))
        add(base, type === ObjType.KernelControlBlock ? KCB_USED_BYTES : end - base, info.vnode);
    }
    const freeRam = [...eachFreeRam(caps)];
    return { entries, objects, freeRam, isSweepPending: isSweepPending(caps) };
  }

  private isUnchanged({ objects }: State): boolean {
    const { mem, kcb } = this.caps;
    const { words } = mem;
    for (const { first, copy } of objects) {
      if (4 * first === kcb - mem.origin) {
        for (const i of COUNTERS) copy.set(words.subarray(first + i, first + i + 2), i);
      }
      for (let i = 0; i < copy.length; i++) if (copy[i] !== words[first + i]) return false;
    }
    return true;
  }
}

/** Objects whose bytes only the kernel writes. */
function isKernelObject({ type, vnode }: CapTypeInfo): boolean {
  return vnode || KERNEL_OBJECTS.has(type);
}

const KERNEL_OBJECTS: ReadonlySet<ObjType> = new Set([
  ObjType.L1CNode,
  ObjType.L2CNode,
  ObjType.Dispatcher,
  ObjType.KernelControlBlock,
]);

function saysTheSame(a: Entry, b: Entry): boolean {
  const isSame = isSameObject(a, b) && a.arg0 === b.arg0 && a.arg1 === b.arg1;
  return isSame && a.rights === b.rights && a.iftype === b.iftype;
}

/** What goes first when a step ends something: the target, or its relatives. */
function firstLosses(entries: readonly Entry[], target: Entry, step: Step): Entry[] {
  switch (step.kind) {
    case 'delete':
    case 'move':
      return [target];
    case 'revoke':
      return victimsOf(entries, target);
    case 'unmap':
      return [target, ...victimsOf(entries, target)];
    default:
      return [];
  }
}

/** The slot that a move leaves; where nobody was told, it may not have moved. */
function movedFrom(first: readonly Entry[], step: Step, lost: ReadonlySet<Slot>): Set<Slot> {
  const slots = first.map(({ slot }) => slot);
  return new Set(slots.filter((slot) => step.isOk !== undefined || lost.has(slot)));
}

/** A revoke ends where it meets what it must leave, or its own target in a CNode that goes. */
function mayStopHalfway({ kind }: Step): boolean {
  return kind === 'revoke' || kind === 'trusted';
}

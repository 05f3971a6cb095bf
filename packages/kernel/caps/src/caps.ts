/**
 * The capability system of one core, as a value to pass around. It knows where its memory is and
 * whom to tell; everything else that it knows is bytes in that memory: the slots, RAM that waits to
 * be collected, and eight fields of the kernel control block (`mdbRoot`, `deleteHead`,
 * `deleteTail`, `clearHead`, `nextId`, `nextDomainId`, `freeRam`, `freeRamBytes`). A second `Caps`
 * over the same memory goes on where the first one was.
 */

import { assert, type CoreId, coreId, type Paddr, type PhysMem, type Ptr } from '@barreleye/core';
import { Kcb, type ObjType } from '@barreleye/spec';
import { MAX_DEPTH } from './balance.ts';
import { createKey, type Key } from './key.ts';
import { createRangeAnswer, type RangeAnswer } from './mdb-range.ts';
import { type CopyPlan, createCopyPlan, createRetypePlan, type RetypePlan } from './plans.ts';

/**
 * What the capability system asks and tells the rest of the CPU driver, most of it about the birth
 * and death of objects. They are called in the middle of operations: none may fail, and none may
 * change capabilities.
 */
export interface CapHooks {
  /** Whether all of a range inside `Caps.mem` is RAM: there may be holes and devices between. */
  isRam(base: Paddr, bytes: number): boolean;
  /**
   * The last capability of this dispatcher is gone: never run it again, and forget it. Its DCB is
   * still intact. May be called again for the same one.
   */
  dispatcherDied(dcb: Ptr<'Dcb'>): void;
  /**
   * This dispatcher, of which there are capabilities, loses its CSpace, its VSpace or its frame:
   * never run it again. May be called again for the same one.
   */
  dispatcherDismantled(dcb: Ptr<'Dcb'>): void;
  /** Clear entries `first` to `first + count - 1` of a page table, and every TLB entry for them. */
  unmapEntries(tableType: ObjType, table: Paddr, first: number, count: number): void;
  /** A page table was made and zeroed: fill in what every table of its type has. */
  vnodeCreated(type: ObjType, base: Paddr): void;
  /**
   * The last capability on this core of a page table is gone: it may not translate through it any
   * more. The table itself may be another core's.
   */
  vnodeDied(type: ObjType, base: Paddr): void;
  /** No capability on this core covers these whole pages any more: `reclaimRam` has them. */
  ramFreed(base: Paddr, bytes: number): void;
}

/** For capability spaces without a kernel around them. */
export const NO_HOOKS: CapHooks = {
  isRam: () => true,
  dispatcherDied() {},
  dispatcherDismantled() {},
  unmapEntries() {},
  vnodeCreated() {},
  vnodeDied() {},
  ramFreed() {},
};

/** Slot links are 32-bit numbers of 64-byte slots. */
const REACHABLE_BYTES = 2 ** 38;

export class Caps {
  readonly mem: PhysMem;
  readonly kcb: Ptr<'Kcb'>;
  readonly coreId: CoreId;
  readonly hooks: CapHooks;
  // Scratch records, so that no operation allocates. They hold nothing between two calls.
  readonly copyPlan: CopyPlan;
  readonly retypePlan: RetypePlan;
  readonly key: Key;
  readonly otherKey: Key;
  readonly rangeAnswer: RangeAnswer;
  /** Links of a path in the mapping database. */
  readonly path: Uint32Array;

  /** @param kcb a kernel control block whose `coreId` is set; all else in it may be zero */
  constructor(mem: PhysMem, kcb: Ptr<'Kcb'>, hooks: CapHooks = NO_HOOKS) {
    assert(mem.contains(kcb, Kcb.$bytes), 'the kernel control block lies in memory');
    assert(mem.origin + mem.bytes <= REACHABLE_BYTES, 'slot links reach all of memory');
    assert(mem.words.length <= 2 ** 32, 'word indices reach all of memory (node.ts)');
    this.mem = mem;
    this.kcb = kcb;
    this.coreId = coreId(Kcb.coreId.get(mem, kcb));
    this.hooks = hooks;
    this.copyPlan = createCopyPlan();
    this.retypePlan = createRetypePlan();
    this.key = createKey();
    this.otherKey = createKey();
    this.rangeAnswer = createRangeAnswer();
    this.path = new Uint32Array(MAX_DEPTH);
  }
}

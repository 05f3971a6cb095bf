/** The slot allocator, also against a set of free slots. */

import { type Errval, isOk, KernelPanic, type Result } from '@barreleye/core';
import { Err, errName, L2_CNODE_SLOTS } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Capref, capref, formatCapref, rootCapref, type Slot } from './capref.ts';
import { SlotAllocator } from './slot-alloc.ts';

function create(...cnodes: number[]): SlotAllocator {
  const slots = new SlotAllocator();
  for (const l1Index of cnodes) slots.addCnode(l1Index);
  return slots;
}

function must(result: Result<Slot>): Slot {
  if (!result.ok) throw new Error(errName(result.err));
  return result.value;
}

const nameOf = (result: Result<Slot>): string =>
  result.ok ? formatCapref(result.value) : errName(result.err);

describe('a slot allocator', () => {
  it('has nothing to give before it has a CNode', () => {
    const slots = create();
    expect([slots.freeCount, slots.totalCount]).toEqual([0, 0]);
    expect(nameOf(slots.alloc())).toBe('LIB_ERR_SLOT_ALLOC_NO_SPACE');
  });

  it('keeps no slot for what could not be made', () => {
    const slots = create(7);
    const err = Err.SYS_ERR_CAP_NOT_FOUND;
    expect(slots.fill(() => ({ ok: false, err }))).toEqual({ ok: false, err });
    expect(slots.freeCount).toBe(L2_CNODE_SLOTS);
    expect(slots.fill((slot) => ({ ok: true, value: formatCapref(slot) })).ok).toBe(true);
    expect(slots.freeCount).toBe(L2_CNODE_SLOTS - 1);
    expect(create().fill((value) => ({ ok: true, value }))).toEqual({
      ok: false,
      err: Err.LIB_ERR_SLOT_ALLOC_NO_SPACE,
    });
  });

  it('hands out every slot of its CNodes once', () => {
    const slots = create(7, 9);
    const seen = new Set<string>();
    for (let i = 0; i < 2 * L2_CNODE_SLOTS; i++) seen.add(formatCapref(must(slots.alloc())));
    expect(seen.size).toBe(2 * L2_CNODE_SLOTS);
    expect([...seen].every((name) => /^[79]\./.test(name))).toBe(true);
    expect([slots.freeCount, slots.totalCount]).toEqual([0, 512]);
    expect(nameOf(slots.alloc())).toBe('LIB_ERR_SLOT_ALLOC_NO_SPACE');
  });

  it('takes each CNode once', () => {
    expect(() => create(7, 7)).toThrow('only once');
  });

  it('goes on in a CNode that comes later', () => {
    const slots = create(7);
    must(slots.allocRun(L2_CNODE_SLOTS));
    slots.addCnode(8);
    expect(nameOf(slots.alloc())).toBe('8.0');
  });

  it('gives a slot again that came back', () => {
    const slots = create(7);
    const all = Array.from({ length: L2_CNODE_SLOTS }, () => must(slots.alloc()));
    expect(slots.free(all[100] as Slot)).toBe(0);
    expect(slots.freeCount).toBe(1);
    expect(nameOf(slots.alloc())).toBe('7.100');
  });

  it('finds runs between slots that are taken, never across two CNodes', () => {
    const slots = create(7, 8);
    must(slots.allocRun(250));
    expect(nameOf(slots.allocRun(6))).toBe('7.250');
    expect(slots.free(capref(7, 253))).toBe(0);
    expect(slots.free(capref(7, 10))).toBe(0);
    expect(slots.free(capref(7, 11))).toBe(0);
    expect(nameOf(slots.allocRun(2))).toBe('7.10');
    expect(nameOf(slots.allocRun(2))).toBe('8.0');
    expect(nameOf(slots.alloc())).toBe('7.253');
  });

  it('has no run longer than a CNode, and no empty one', () => {
    const slots = create(7, 8);
    expect(nameOf(slots.allocRun(L2_CNODE_SLOTS + 1))).toBe('LIB_ERR_SLOT_ALLOC_NO_SPACE');
    expect(() => slots.allocRun(0)).toThrow(KernelPanic);
    expect(() => slots.allocRun(-1)).toThrow(KernelPanic);
    expect(slots.freeCount).toBe(512);
  });

  it.each<[string, Capref, Errval]>([
    ['was never handed out', capref(7, 5), Err.LIB_ERR_SLOT_UNALLOCATED],
    ['lies in no CNode of its own', capref(6, 0), Err.LIB_ERR_SLOT_WRONG_CNODE],
    ['is a root slot', rootCapref(7), Err.LIB_ERR_SLOT_WRONG_CNODE],
    ['is the first root slot', rootCapref(0), Err.LIB_ERR_SLOT_WRONG_CNODE],
    ['is the root CNode', { ...capref(7, 0), level: 0 }, Err.LIB_ERR_SLOT_WRONG_CNODE],
    [
      'lies in another CSpace',
      { ...capref(7, 0), croot: capref(5, 1).cptr },
      Err.LIB_ERR_SLOT_WRONG_CNODE,
    ],
  ])('does not take back a slot that %s', (_, slot, err) => {
    const slots = create(0, 7);
    must(slots.allocRun(1)); // 0.0
    for (let i = 0; i < 255; i++) must(slots.alloc());
    must(slots.alloc()); // 7.0
    const before = slots.freeCount;
    expect(errName(slots.free(slot))).toBe(errName(err));
    expect(slots.freeCount).toBe(before);
  });

  it('does not take back a slot twice', () => {
    const slots = create(7);
    const slot = must(slots.alloc());
    expect(isOk(slots.free(slot))).toBe(true);
    expect(errName(slots.free(slot))).toBe('LIB_ERR_SLOT_UNALLOCATED');
    expect(slots.freeCount).toBe(256);
  });

  it('agrees with a set of free slots over random use (seed 13)', () => {
    const step = fc.oneof(
      fc.record({ run: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ free: fc.nat(2 * L2_CNODE_SLOTS - 1) }),
      fc.record({ free: fc.nat(60) }),
    );
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slots = create(3, 4);
      const taken = new Set<number>();
      const numberOf = (cap: Capref): number => cap.cptr - 3 * L2_CNODE_SLOTS;
      for (const s of steps) {
        if ('run' in s) {
          const got = slots.allocRun(s.run);
          const first = firstRun(taken, s.run);
          expect(got.ok ? numberOf(got.value) : -1).toBe(first);
          for (let i = 0; got.ok && i < s.run; i++) taken.add(first + i);
        } else {
          const cap = capref(3 + Math.floor(s.free / L2_CNODE_SLOTS), s.free % L2_CNODE_SLOTS);
          expect(isOk(slots.free(cap))).toBe(taken.delete(s.free));
        }
        expect(slots.freeCount).toBe(2 * L2_CNODE_SLOTS - taken.size);
      }
    });
    fc.assert(property, { seed: 13, numRuns: 60 });
  });
});

/** The lowest start of `count` numbers that are not taken, within one CNode; -1: none. */
function firstRun(taken: ReadonlySet<number>, count: number): number {
  for (let first = 0; first < 2 * L2_CNODE_SLOTS; first++) {
    const isInOne = (first % L2_CNODE_SLOTS) + count <= L2_CNODE_SLOTS;
    const isFree = Array.from({ length: count }, (_, i) => !taken.has(first + i)).every(Boolean);
    if (isInOne && isFree) return first;
  }
  return -1;
}

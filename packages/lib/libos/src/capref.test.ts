/** Capability references: addresses, places, and what the compiler knows of them. */

import { KernelPanic } from '@barreleye/core';
import { CPTR_ROOTCN, L2_CNODE_SLOTS } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Capref,
  capref,
  formatCapref,
  holds,
  placeOf,
  rootCapref,
  type Slot,
} from './capref.ts';
import { nextSlot } from './caps.ts';

/** Root slots that an address of 24 + 8 bits can name. */
const L1_LIMIT = 2 ** 24;

const l1Index = fc.oneof(fc.nat(L1_LIMIT - 1), fc.constantFrom(0, 255, 256, L1_LIMIT - 1));
const slot = fc.nat(L2_CNODE_SLOTS - 1);

describe('a capability reference', () => {
  it('of an L2 slot says where it lies (seed 11)', () => {
    const property = fc.property(l1Index, slot, (l1, index) => {
      const cap = capref(l1, index);
      expect(cap).toEqual({ croot: CPTR_ROOTCN, cptr: l1 * L2_CNODE_SLOTS + index, level: 2 });
      const place = placeOf(cap);
      expect(place).toEqual({ cnode: l1 * L2_CNODE_SLOTS, cnodeLevel: 1, slot: index });
      expect(capref(place.cnode / L2_CNODE_SLOTS, place.slot)).toEqual(cap);
      expect(formatCapref(cap)).toBe(`${l1}.${index}`);
    });
    fc.assert(property, { seed: 11, numRuns: 100 });
  });

  it('of a root slot says where it lies (seed 12)', () => {
    const property = fc.property(l1Index, (l1) => {
      const cap = rootCapref(l1);
      expect(cap).toEqual({ croot: CPTR_ROOTCN, cptr: l1 * L2_CNODE_SLOTS, level: 1 });
      expect(placeOf(cap)).toEqual({ cnode: 0, cnodeLevel: 0, slot: l1 });
      expect(formatCapref(cap)).toBe(`${l1}`);
    });
    fc.assert(property, { seed: 12, numRuns: 100 });
  });

  it.each([
    [0, -1],
    [0, L2_CNODE_SLOTS],
    [0, 0.5],
    [0, Number.NaN],
    [-1, 0],
    [L1_LIMIT, 0],
    [1.5, 0],
  ])('cannot name slot %d.%d, which no CSpace has', (l1, index) => {
    expect(() => capref(l1, index)).toThrow(KernelPanic);
  });

  it.each([-1, L1_LIMIT, 0.5])('cannot name root slot %d, which no CSpace has', (l1) => {
    expect(() => rootCapref(l1)).toThrow(KernelPanic);
  });

  it('of the root CNode itself has no place in its own CSpace', () => {
    const root: Capref = { ...rootCapref(0), level: 0 };
    expect(() => placeOf(root)).toThrow('not in a slot of its own CSpace');
  });

  it('counts on within its CNode and not beyond', () => {
    expect(nextSlot(capref(5, 10), 3)).toEqual(capref(5, 13));
    expect(nextSlot(capref(5, 10), 0)).toEqual(capref(5, 10));
    expect(() => nextSlot(capref(5, 250), 6)).toThrow(KernelPanic);
  });

  it('of one type does not stand for another', () => {
    const frame = capref<'Frame'>(1, 2);
    const slot2: Slot = capref(1, 3);
    const anything: Capref = frame;
    // @ts-expect-error: a Frame is not RAM
    const ram: Capref<'RAM'> = frame;
    // @ts-expect-error: an empty slot holds no Frame yet
    const early: Capref<'Frame'> = slot2;
    // @ts-expect-error: what is known of a slot is not forgotten into a claim
    const claimed: Capref<'Dispatcher'> = anything;
    const known: Capref<'Frame'> = holds<'Frame'>(slot2);
    expect([ram, early, claimed, known].map((cap) => cap.level)).toEqual([2, 2, 2, 2]);
  });
});

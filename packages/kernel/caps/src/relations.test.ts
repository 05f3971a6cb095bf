import { asPaddr } from '@barreleye/core';
import { Cte, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, KIB, PAGE, RAM_BASE, RAM_BYTES, World } from '../test/world.ts';
import { createCap } from './create.ts';
import { findAncestor, findObject, hasCopies, hasDescendants, isDescendant } from './relations.ts';
import { NO_SLOT, type Slot } from './slot.ts';

/** PhysAddr (2, 0) > RAM (2, 1) > Frame (2, 2) of the same size > Frame (2, 3). */
function createChain(): { w: World; chain: Slot[] } {
  const w = new World();
  const chain = [0, 1, 2, 3].map((i) => w.at(2, i));
  const [physAddr, ram, frame, part] = chain as [Slot, Slot, Slot, Slot];
  expectOk(w, w.delete(w.ram));
  createCap(w.caps, physAddr, ObjType.PhysAddr, { base: asPaddr(RAM_BASE), bytes: RAM_BYTES });
  expectOk(w, w.retype(physAddr, ObjType.RAM, ram, { bytes: 64 * KIB }));
  expectOk(w, w.retype(ram, ObjType.Frame, frame, { bytes: 64 * KIB }));
  expectOk(w, w.retype(frame, ObjType.Frame, part, { offset: PAGE, bytes: PAGE }));
  return { w, chain };
}

describe('relations', () => {
  it('T1: descent is transitive, over equal sizes and over generations that are gone', () => {
    const { w, chain } = createChain();
    for (const [i, older] of chain.entries()) {
      for (const [j, younger] of chain.entries()) {
        expect(isDescendant(w.caps, younger, older)).toBe(j > i);
      }
      expect(hasDescendants(w.caps, older)).toBe(i < 3);
      expect(findAncestor(w.caps, older)).toBe(chain[i - 1] ?? NO_SLOT);
    }
    expectOk(w, w.delete(w.at(2, 1)));
    expectOk(w, w.delete(w.at(2, 2)));
    expect(hasDescendants(w.caps, w.at(2, 0))).toBe(true);
    expect(findAncestor(w.caps, w.at(2, 3))).toBe(w.at(2, 0));
  });

  it('copies are no descendants of one another', () => {
    const { w, chain } = createChain();
    const part = chain[3] as Slot;
    expectOk(w, w.copy(part, w.at(3, 0)));
    expect(isDescendant(w.caps, part, w.at(3, 0))).toBe(false);
    expect(hasDescendants(w.caps, part)).toBe(false);
    expect(hasCopies(w.caps, part)).toBe(true);
    expect(findAncestor(w.caps, w.at(3, 0))).toBe(chain[2]);
  });

  it('an object that ends where another begins is no relative', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(2, 0), { bytes: PAGE }));
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(2, 1), { offset: PAGE }));
    expectOk(w, w.retype(w.at(2, 1), ObjType.EndPointLMP, w.at(2, 2)));
    expect(hasDescendants(w.caps, w.at(2, 0))).toBe(false);
    expect(isDescendant(w.caps, w.at(2, 2), w.at(2, 0))).toBe(false);
    expect(isDescendant(w.caps, w.at(2, 2), w.at(2, 1))).toBe(true);
    expect(findAncestor(w.caps, w.at(2, 2))).toBe(w.at(2, 1));
  });

  it('T33: endpoints are children of their dispatcher, and siblings', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(2, 0)));
    expectOk(w, w.retype(w.at(2, 0), ObjType.EndPointLMP, w.at(2, 1)));
    expect(isDescendant(w.caps, w.at(2, 1), w.at(2, 0))).toBe(true);
    expect(isDescendant(w.caps, w.at(2, 1), w.ram)).toBe(true);
    expect(hasDescendants(w.caps, w.at(2, 1))).toBe(false);
  });

  it('ranges that overlap without nesting are strangers', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.IO, { arg0: 0, arg1: 999 });
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 1), Rights.All, 100, 299));
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 2), Rights.All, 200, 399));
    expectOk(w, w.mint(w.at(2, 2), w.at(2, 3), Rights.All, 210, 220));
    expect(isDescendant(w.caps, w.at(2, 2), w.at(2, 1))).toBe(false);
    expect(hasDescendants(w.caps, w.at(2, 1)), 'numbers do not say who made it').toBe(true);
    expect(findAncestor(w.caps, w.at(2, 2))).toBe(w.at(2, 0));
  });

  it('objects are found by type and place', () => {
    const { w, chain } = createChain();
    const base = Cte.base.get(w.mem, chain[3] as Slot);
    expect(findObject(w.caps, ObjType.Frame, base, PAGE)).toBe(chain[3]);
    expect(findObject(w.caps, ObjType.Frame, base, 2 * PAGE)).toBe(NO_SLOT);
    expect(findObject(w.caps, ObjType.RAM, base, PAGE)).toBe(NO_SLOT);
  });
});

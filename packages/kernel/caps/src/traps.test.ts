/** Pitfalls and invariants that belong to no single file. */

import { asPtr, Prng } from '@barreleye/core';
import { Cte, Dcb, errName, errNames, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, KIB, PAGE, World } from '../test/world.ts';
import { copyToSlot } from './copy.ts';
import { createId } from './create.ts';
import { leave } from './cte.ts';
import { applyDelete } from './delete.ts';
import { firstEntry, successor } from './mdb.ts';
import { createRangeAnswer, findRange } from './mdb-range.ts';
import { findAncestor, hasCopies, hasDescendants } from './relations.ts';
import { decodeRevoke, revokeStep } from './revoke.ts';
import { NO_SLOT } from './slot.ts';
import { isSweepPending, sweepStep } from './sweep.ts';
import { eachCap } from './walk.ts';

/** Three frames, copies of them in another CNode, a CNode that holds a few, and a dispatcher. */
function createScene(): World {
  const w = new World();
  expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: 64 * KIB }));
  const frames = { bytes: PAGE, count: 3 };
  expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(1, 2), frames));
  for (let i = 0; i < 3; i++) expectOk(w, w.copy(w.at(1, 2 + i), w.at(2, i)));
  expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, 10), { offset: 64 * KIB }));
  for (let i = 0; i < 30; i++) expectOk(w, w.copyInto(w.at(1, 2 + (i % 3)), w.at(1, 10), i));
  expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 11), { offset: 128 * KIB }));
  return w;
}

describe('the ends of the database', () => {
  it('T42: have no neighbour on one side, and all questions can be asked of them', () => {
    const w = createScene();
    const entries = [...eachCap(w.caps)];
    expect(firstEntry(w.caps)).toBe(entries[0]);
    for (const slot of [entries[0], entries.at(-1)] as const) {
      if (slot === undefined) throw new Error('the database is not empty');
      const others = entries.filter((other) => other !== slot);
      const key = (at: typeof slot) => `${w.show(at)}`;
      expect(hasCopies(w.caps, slot)).toBe(others.some((other) => key(other) === key(slot)));
      expect([true, false]).toContain(hasDescendants(w.caps, slot));
      expect([NO_SLOT, ...entries]).toContain(findAncestor(w.caps, slot));
      findRange(w.caps, Cte.type.get(w.mem, slot), 0, 2 ** 50, createRangeAnswer());
    }
    expect(successor(w.caps, entries.at(-1) ?? NO_SLOT)).toBe(NO_SLOT);
  });

  it('T42: meet when there is only one entry', () => {
    const w = new World();
    for (const slot of [...eachCap(w.caps)]) if (slot !== w.root) leave(w.caps, slot);
    expect([...eachCap(w.caps)]).toEqual([w.root]);
    expect(hasCopies(w.caps, w.root)).toBe(false);
    expect(hasDescendants(w.caps, w.root)).toBe(false);
    expect(findAncestor(w.caps, w.root)).toBe(NO_SLOT);
    expect(successor(w.caps, w.root)).toBe(NO_SLOT);
  });
});

describe('identifiers', () => {
  it('T45: begin with 1, so none is also "none", and no two are the same', () => {
    const w = new World();
    for (let i = 0; i < 5; i++) expectOk(w, createId(w.caps, ObjType.ID, w.rootSlot(1), 1 + i));
    const numbers = [1, 2, 3, 4, 5].map((i) => Cte.arg1.get(w.mem, w.at(1, i)));
    expect(numbers).toEqual([1, 2, 3, 4, 5]);
    expect(Cte.arg0.get(w.mem, w.at(1, 1))).toBe(w.caps.coreId);
  });

  it('T48: have all rights, whatever was in their slot before', () => {
    const w = new World();
    expectOk(w, w.mint(w.ram, w.at(1, 1), 0));
    expectOk(w, w.delete(w.at(1, 1)));
    expectOk(w, createId(w.caps, ObjType.ID, w.rootSlot(1), 1));
    expect(Cte.rights.get(w.mem, w.at(1, 1))).toBe(Rights.All);
  });
});

describe('bounds', () => {
  it('T50, I12: a message buffer is checked to its last byte, in numbers that do not wrap', () => {
    const w = createScene();
    const dcb = asPtr<'Dcb'>(Cte.base.get(w.mem, w.at(1, 11)));
    const frame = Dcb.frame.at(dcb);
    const bytes = 2 * PAGE;
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 12), { offset: 256 * KIB, bytes }));
    expectOk(w, w.retype(w.at(1, 11), ObjType.EndPointLMP, w.at(1, 13)));
    copyToSlot(w.caps, w.at(1, 12), frame);
    let last = 0;
    for (let words = 1; words < 0x1000; words++) {
      const name = errName(w.mint(w.at(1, 13), w.at(3, 0), 31, PAGE, words));
      if (name !== 'OK') {
        expect(name).toBe('SYS_ERR_EP_OUTSIDE_FRAME');
        break;
      }
      last = words;
      expectOk(w, w.delete(w.at(3, 0)));
    }
    expect(last).toBeGreaterThan(100);
    for (const offset of [0xffff_f000, 0xffff_fff8, 0x8000_0000]) {
      const names = errNames(w.mint(w.at(1, 13), w.at(3, 0), 31, offset, last));
      expect(names).toEqual(['SYS_ERR_EP_OUTSIDE_FRAME']);
    }
  });

  it('I12: no offset, size or count makes a retype reach beyond its source', () => {
    const prng = new Prng(12);
    const edges = [0, 1, PAGE, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53 - PAGE, 2 ** 53 - 1];
    const edge = (): number => Math.max(0, (edges[prng.below(8)] ?? 0) - prng.below(3) * PAGE);
    const w = createScene();
    for (let i = 0; i < 2000; i++) {
      const range = { offset: edge(), bytes: edge(), count: edge() };
      const name = errName(w.retype(w.at(1, 1), ObjType.RAM, w.at(3, 0), range));
      expect(name).not.toBe('OK');
      expect(w.isEmpty(w.at(3, 0))).toBe(true);
    }
  });
});

describe('sweeps', () => {
  it('I40: end, for every step leaves less to do', () => {
    const w = createScene();
    applyDelete(w.caps, w.at(1, 10));
    const slots = 256;
    let stepCount = 0;
    let entries = [...eachCap(w.caps)].length;
    while (isSweepPending(w.caps)) {
      expect(errName(sweepStep(w.caps))).toBe('OK');
      const left = [...eachCap(w.caps)].length;
      expect(left).toBeLessThanOrEqual(entries);
      entries = left;
      stepCount += 1;
      expect(stepCount).toBeLessThan(slots);
    }
    expect(stepCount).toBeGreaterThan(2);
  });
});

describe('two at a time', () => {
  it('I41: revokes whose targets overlap both end, as if one had come after the other', () => {
    for (let seed = 0; seed < 40; seed++) {
      const prng = new Prng(seed);
      const w = createScene();
      const targets = [w.ram, w.at(1, 1)];
      for (const target of targets) expect(decodeRevoke(w.caps, target)).toBe(0);
      const pending = new Set(targets);
      while (pending.size > 0) {
        const target = [...pending][prng.below(pending.size)] ?? w.ram;
        const isGone = w.isEmpty(target);
        if (isGone || errName(revokeStep(w.caps, target)) !== 'OK') pending.delete(target);
      }
      expect(w.dump()).toEqual(['RAM +0K 2048K']);
    }
  });

  it('I42: of retypes whose ranges overlap at most one succeeds', () => {
    for (let seed = 0; seed < 40; seed++) {
      const prng = new Prng(seed);
      const w = new World();
      const taken: [number, number][] = [];
      for (let i = 0; i < 30; i++) {
        const first = prng.below(20);
        const pages = 1 + prng.below(6);
        const range = { offset: first * PAGE, bytes: pages * PAGE };
        const isFree = taken.every(([at, count]) => at + count <= first || at >= first + pages);
        const name = errName(w.retype(w.ram, ObjType.Frame, w.at(1, 1 + i), range));
        expect(name).toBe(isFree ? 'OK' : 'SYS_ERR_REVOKE_FIRST');
        if (isFree) taken.push([first, pages]);
      }
    }
  });

  it('I43: what is derived while a revoke is under way does not survive it', () => {
    for (let seed = 0; seed < 40; seed++) {
      const prng = new Prng(seed);
      const w = createScene();
      let slot = 50;
      while (errName(revokeStep(w.caps, w.ram)) === 'OK') {
        // Another domain goes on using what it still has, for some time.
        const frame = w.at(1, 2 + prng.below(3));
        if (slot < 80 && !w.isEmpty(frame)) w.copy(frame, w.at(1, slot++));
        if (slot < 80 && !w.isEmpty(w.at(1, 1))) {
          const range = { offset: (4 + prng.below(12)) * PAGE, bytes: PAGE };
          w.retype(w.at(1, 1), ObjType.Frame, w.at(1, slot++), range);
        }
      }
      expect(slot).toBeGreaterThan(50);
      expect(w.dump()).toEqual(['RAM +0K 2048K']);
    }
  });
});

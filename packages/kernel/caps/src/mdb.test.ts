import { asPaddr, asPtr, PhysMem, Prng } from '@barreleye/core';
import { CTE_BYTES, Cte, Kcb, ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Caps } from './caps.ts';
import { checkTree } from './check-tree.ts';
import { createCap } from './create.ts';
import { leave } from './cte.ts';
import { baseOf, bytesOf, compareToSlot, createKey, readKey } from './key.ts';
import { firstEntry, mdbRoot, predecessor, successor } from './mdb.ts';
import { createRangeAnswer, findRange, RangeClass } from './mdb-range.ts';
import { NO_SLOT, type Slot } from './slot.ts';

const SLOTS_AT = Kcb.$bytes;

function createTree(slotCount: number): { caps: Caps; slots: Slot[] } {
  const bytes = Math.ceil((SLOTS_AT + slotCount * CTE_BYTES) / 4096) * 4096;
  const caps = new Caps(new PhysMem(new ArrayBuffer(4096 + bytes), 4096), asPtr<'Kcb'>(4096));
  const slots = Array.from({ length: slotCount }, (_, i) =>
    asPtr<'Cte'>(4096 + SLOTS_AT + i * CTE_BYTES),
  );
  return { caps, slots };
}

function depthOf(caps: Caps, node: Slot): number {
  if (node === NO_SLOT) return 0;
  const left = asPtr<'Cte'>(Cte.left.get(caps.mem, node) * CTE_BYTES);
  const right = asPtr<'Cte'>(Cte.right.get(caps.mem, node) * CTE_BYTES);
  return 1 + Math.max(depthOf(caps, left), depthOf(caps, right));
}

/** One of a few hundred different capabilities of many types, copies included. */
function createAny(caps: Caps, slot: Slot, prng: Prng): void {
  const page = 4096 * prng.below(40);
  switch (prng.below(6)) {
    case 0:
      createCap(caps, slot, ObjType.Kernel);
      break;
    case 1:
      createCap(caps, slot, ObjType.ID, { arg0: prng.below(3), arg1: prng.below(9) });
      break;
    case 2:
      createCap(caps, slot, ObjType.IO, { arg0: prng.below(9), arg1: 9 + prng.below(9) });
      break;
    case 3:
      createCap(caps, slot, ObjType.EndPointLMP, { base: asPaddr(page), arg1: page });
      break;
    case 4:
      createCap(caps, slot, ObjType.VNode_ARM_l2, { base: asPaddr(page + 1024) });
      break;
    default: {
      const bytes = 4096 * (1 + prng.below(20));
      createCap(caps, slot, ObjType.RAM, { base: asPaddr(page), bytes });
      break;
    }
  }
}

describe('mapping database', () => {
  it('stays ordered and balanced over random insertions and removals', () => {
    const { caps, slots } = createTree(300);
    const prng = new Prng(1);
    const used = new Set<Slot>();
    for (let step = 0; step < 3000; step++) {
      const slot = slots[prng.below(slots.length)] as Slot;
      if (used.delete(slot)) {
        leave(caps, slot);
        expect(caps.mem.isZero(slot, CTE_BYTES)).toBe(true);
      } else {
        createAny(caps, slot, prng);
        used.add(slot);
      }
      if (step % 10 !== 0) continue;
      const problems: string[] = [];
      const entries = checkTree(caps, problems);
      expect(problems).toEqual([]);
      expect(new Set(entries)).toEqual(used);
    }
  });

  it('has the same order as sorting does', () => {
    const { caps, slots } = createTree(200);
    const prng = new Prng(2);
    for (const slot of slots) createAny(caps, slot, prng);
    const key = createKey();
    const sorted = slots.toSorted((a, b) => {
      readKey(caps.mem, a, key);
      return compareToSlot(caps.mem, key, b);
    });
    const forwards: Slot[] = [];
    for (let s = firstEntry(caps); s !== NO_SLOT; s = successor(caps, s)) forwards.push(s);
    const backwards: Slot[] = [];
    const last = sorted[sorted.length - 1] as Slot;
    for (let s = last; s !== NO_SLOT; s = predecessor(caps, s)) backwards.unshift(s);
    expect(forwards).toEqual(sorted);
    expect(backwards).toEqual(sorted);
  });

  it('is no deeper than twice the logarithm of its size, whatever the order of insertion', () => {
    const { caps, slots } = createTree(4096);
    for (const [i, slot] of slots.entries()) {
      createCap(caps, slot, ObjType.RAM, { base: asPaddr(i * 4096), bytes: 4096 });
    }
    expect(depthOf(caps, mdbRoot(caps))).toBeLessThanOrEqual(24);
  });

  it('survives the removal of its root again and again', () => {
    for (let run = 0; run < 20; run++) {
      const { caps, slots } = createTree(60);
      const prng = new Prng(run);
      for (const slot of slots) createAny(caps, slot, prng);
      for (let i = 0; i < 20; i++) {
        leave(caps, mdbRoot(caps));
        const problems: string[] = [];
        expect(checkTree(caps, problems)).toHaveLength(59 - i);
        expect(problems).toEqual([]);
      }
    }
  });
});

describe('range query (acceptance 8)', () => {
  /** The definition, applied to every entry in turn. */
  function bruteForce(caps: Caps, slots: readonly Slot[], base: number, bytes: number) {
    const end = base + bytes;
    const classes: [RangeClass, Slot][] = slots.map((slot) => {
      const type = Cte.type.get(caps.mem, slot);
      const from = baseOf(caps.mem, slot, type);
      const to = from + bytesOf(caps.mem, slot, type);
      const isAtRim = bytes === 0 && (from === base || to === end);
      if (from <= base && to >= end) {
        return [isAtRim ? RangeClass.NotFound : RangeClass.Surrounding, slot];
      }
      if (from >= base && to <= end) return [RangeClass.Inner, slot];
      const isCrossing = (from < base && to > base) || (from < end && to > end);
      return [isCrossing ? RangeClass.Partial : RangeClass.NotFound, slot];
    });
    const kind = Math.max(0, ...classes.map(([c]) => c));
    const candidates = classes.filter(([c]) => c === kind).map(([, slot]) => slot);
    if (kind === RangeClass.NotFound) return { kind, slots: [NO_SLOT] };
    return { kind, slots: candidates };
  }

  /** The candidate that the reference prefers: innermost, first, or last across the start. */
  function preferred(caps: Caps, kind: number, ordered: readonly Slot[], base: number): Slot {
    const first = ordered[0] as Slot;
    const last = ordered[ordered.length - 1] as Slot;
    if (kind === RangeClass.Inner) return first;
    if (kind !== RangeClass.Partial) return last;
    return ordered.findLast((slot) => Cte.base.get(caps.mem, slot) < base) ?? last;
  }

  it('agrees with brute force on any ranges and queries', () => {
    const { caps, slots } = createTree(100);
    const answer = createRangeAnswer();
    for (let run = 0; run < 400; run++) {
      const prng = new Prng(1000 + run);
      const used = slots.slice(0, 30 + prng.below(71));
      for (const slot of used) {
        const bits = prng.below(9);
        const base = asPaddr(4096 * (prng.below(2 ** (8 - Math.min(bits, 8)) * 2) << bits));
        createCap(caps, slot, ObjType.RAM, { base, bytes: 4096 * 2 ** bits });
      }
      const ordered = checkTree(caps, []);
      for (let query = 0; query < 80; query++) {
        const base = 4096 * prng.below(520);
        const bytes = query % 8 === 0 ? 0 : 4096 * prng.below(2 ** prng.below(9));
        findRange(caps, ObjType.RAM, base, bytes, answer);
        const { kind, slots } = bruteForce(caps, ordered, base, bytes);
        const isEqual = answer.kind === kind && answer.slot === preferred(caps, kind, slots, base);
        if (!isEqual) expect(answer).toEqual({ kind, slot: preferred(caps, kind, slots, base) });
      }
      for (const slot of used) leave(caps, slot);
    }
  });

  it('does not look into the name spaces of other types', () => {
    const { caps, slots } = createTree(3);
    const [a, b, c] = slots as [Slot, Slot, Slot];
    createCap(caps, a, ObjType.IRQSrc, { arg0: 0, arg1: 100 });
    createCap(caps, b, ObjType.IO, { arg0: 0x3f8, arg1: 0x3ff });
    createCap(caps, c, ObjType.Kernel);
    const answer = createRangeAnswer();
    findRange(caps, ObjType.RAM, 0, 4096, answer);
    expect(answer).toEqual({ kind: RangeClass.NotFound, slot: NO_SLOT });
    findRange(caps, ObjType.IO, 0x3fa, 1, answer);
    expect(answer).toEqual({ kind: RangeClass.Surrounding, slot: b });
    findRange(caps, ObjType.IRQSrc, 50, 100, answer);
    expect(answer).toEqual({ kind: RangeClass.Partial, slot: a });
  });
});

import { asPaddr, asPtr, PhysMem, Prng } from '@barreleye/core';
import { CAP_TYPE_INFO, CTE_BYTES, Cte, capTypeInfo, Kcb, ObjType } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Caps } from './caps.ts';
import { checkTree } from './check-tree.ts';
import { createCap, createMapping } from './create.ts';
import { leave } from './cte.ts';
import { baseOf, bytesOf, compareToSlot, createKey, readKey, sideOf } from './key.ts';
import { firstFrom, lastBefore, lastReaching } from './mdb.ts';
import { NodeField, nodeIn, nodeOf, originOf } from './node.ts';
import { linkOf, NO_SLOT, type Slot } from './slot.ts';

const SLOTS = 24;
/** Where memory begins: at zero, beyond 31 bits, beyond 32 bits, near the end of links. */
const ORIGINS = [0, 0x1000, 0x8000_0000, 2 ** 32 - 0x1000, 2 ** 33 + 0x7000, 2 ** 38 - 2 ** 20];

function createSpace(origin: number): { caps: Caps; slots: Slot[] } {
  const caps = new Caps(new PhysMem(new ArrayBuffer(2 ** 18), origin), asPtr<'Kcb'>(origin));
  const first = origin + Math.ceil(Kcb.$bytes / CTE_BYTES) * CTE_BYTES;
  const slots = Array.from({ length: SLOTS }, (_, i) => asPtr<'Cte'>(first + i * CTE_BYTES));
  return { caps, slots };
}

/** A capability of any kind of extent, among few objects, so that many are copies or nest. */
function createAny(caps: Caps, slots: readonly Slot[], slot: Slot, prng: Prng): void {
  // On both sides of 4 GiB, so that either half of the base may decide.
  const page = asPaddr(2 ** 32 * prng.below(3) + 4096 * prng.below(4) + 0xffff_e000);
  const { mem } = caps;
  const typed = (type: number) => slots.find((s) => Cte.type.get(mem, s) === type);
  switch (prng.below(9)) {
    case 0:
      createCap(caps, slot, ObjType.Kernel);
      break;
    case 1:
      createCap(caps, slot, ObjType.ProcessManager);
      break;
    case 2:
      createCap(caps, slot, ObjType.Domain, { arg0: prng.below(2), arg1: prng.below(3) });
      break;
    case 3:
      createCap(caps, slot, ObjType.IO, { arg0: prng.below(4), arg1: 4 + prng.below(4) });
      break;
    case 4:
      createCap(caps, slot, ObjType.EndPointLMP, { base: page, arg0: prng.below(2) });
      break;
    case 5:
      createCap(caps, slot, ObjType.VNode_x86_64_ptable, { base: page });
      break;
    case 6: {
      const object = typed(ObjType.Frame);
      const table = typed(ObjType.VNode_x86_64_ptable);
      if (object && table) {
        createMapping(caps, slot, { object, table, first: prng.below(3), count: 1 });
      } else {
        createCap(caps, slot, ObjType.IRQTable);
      }
      break;
    }
    default: {
      const type = prng.below(2) === 0 ? ObjType.RAM : ObjType.Frame;
      createCap(caps, slot, type, { base: page, bytes: 4096 * (1 + prng.below(3)) });
    }
  }
}

/** Whether the capability in `slot` stands before `key`. */
function isBefore(caps: Caps, key: ReturnType<typeof createKey>, slot: Slot): boolean {
  return compareToSlot(caps.mem, key, slot) > 0;
}

describe('nodes', () => {
  it.each(ORIGINS)('a link, a slot and an index name the same node, origin %d', (origin) => {
    const { caps, slots } = createSpace(origin);
    const { mem } = caps;
    for (const slot of slots) {
      const node = nodeOf(linkOf(slot), originOf(mem));
      expect(node).toBe((slot - origin) / 4);
      expect(nodeIn(mem, slot)).toBe(node);
    }
  });

  it('in the name space of physical addresses, every extent begins at the base', () => {
    const { root } = capTypeInfo(ObjType.PhysAddr);
    const kinds = CAP_TYPE_INFO.filter((info) => info.root === root).map((info) => info.identity);
    expect(new Set(kinds)).toEqual(new Set(['region', 'object', 'endpoint', 'mapping']));
  });
});

describe('the tree by words and links', () => {
  it('keeps its rules and answers as a list does, after 10,000 random histories', () => {
    const key = createKey();
    const history = (seed: number, origin: number): void => {
      const { caps, slots } = createSpace(origin);
      const prng = new Prng(seed);
      const used = new Set<Slot>();
      const steps = 10 + prng.below(30);
      for (let step = 0; step < steps; step++) {
        const slot = slots[prng.below(SLOTS)] as Slot;
        // Page tables with mappings keep a capability, so those go first.
        if (used.has(slot)) {
          if (capTypeInfo(Cte.type.get(caps.mem, slot)).vnode) continue;
          used.delete(slot);
          leave(caps, slot);
        } else {
          createAny(caps, slots, slot, prng);
          used.add(slot);
        }
      }
      const problems: string[] = [];
      const entries = checkTree(caps, problems);
      expect(problems).toEqual([]);
      expect(entries.length).toBe(used.size);

      const probe = entries[prng.below(entries.length)];
      if (probe === undefined) return;
      readKey(caps.mem, probe, key);
      key.slot += prng.below(2);
      const before = entries.filter((slot) => isBefore(caps, key, slot));
      expect(lastBefore(caps, key)).toBe(before.at(-1) ?? NO_SLOT);
      expect(firstFrom(caps, key)).toBe(entries[before.length] ?? NO_SLOT);
      const point = key.base + Math.floor((key.bytes * prng.below(4)) / 2);
      const reaching = before.findLast((slot) => {
        const type = Cte.type.get(caps.mem, slot);
        const end = baseOf(caps.mem, slot, type) + bytesOf(caps.mem, slot, type);
        return capTypeInfo(type).root === key.root && end > point;
      });
      expect(lastReaching(caps, key, point)).toBe(reaching ?? NO_SLOT);
    };
    const anyHistory = fc.property(fc.nat(), fc.constantFrom(...ORIGINS), history);
    fc.assert(anyHistory, { numRuns: 10_000, seed: 7 });
  });

  it('the quick comparison agrees with the whole one wherever it decides', () => {
    const { caps, slots } = createSpace(2 ** 33);
    const prng = new Prng(3);
    for (const slot of slots) createAny(caps, slots, slot, prng);
    const { mem } = caps;
    const key = createKey();
    let decided = 0;
    for (const a of slots) {
      readKey(mem, a, key);
      for (const b of slots) {
        const high = Math.floor(key.base / 2 ** 32);
        const side = sideOf(mem.words, nodeIn(mem, b), key.root, high, key.base >>> 0);
        if (side === 0) continue;
        decided++;
        const { LEFT, RIGHT } = NodeField;
        expect(side).toBe(compareToSlot(mem, key, b) < 0 ? LEFT : RIGHT);
      }
    }
    expect(decided).toBeGreaterThan((SLOTS * SLOTS) / 2);
  });
});

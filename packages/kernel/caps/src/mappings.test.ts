import { coreId } from '@barreleye/core';
import { Cte, CteFlag, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, World } from '../test/world.ts';
import { applyDelete } from './delete.ts';
import { firstMappingIn } from './mappings.ts';
import { hasDescendants, isDescendant } from './relations.ts';
import { revoke } from './revoke.ts';
import { NO_SLOT } from './slot.ts';
import { deleteStep, sweep } from './sweep.ts';

/** Frames of 8 KiB in (1, 1) and 4 KiB at its start in (1, 2); tables in (1, 3) and (1, 4). */
function createWorld(): World {
  const w = new World();
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: 64 * KIB, bytes: 2 * PAGE }));
  expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(1, 2), { bytes: PAGE }));
  expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_ptable, w.at(1, 3), { count: 2 }));
  w.log.length = 0;
  return w;
}

describe('a mapping', () => {
  it('says what is mapped where, with the rights that it was made with', () => {
    const w = createWorld();
    expectOk(w, w.mint(w.at(1, 1), w.at(1, 5), Rights.Read));
    w.map(w.at(1, 5), w.at(1, 3), w.at(2, 0), 7, 2);
    expect(w.show(w.at(2, 0))).toBe('Frame_Mapping 0x210000 in 0x200000 [7..8] r-----');
    expect(Cte.iftype.get(w.mem, w.at(2, 0))).toBe(ObjType.VNode_x86_64_ptable);
    expect(firstMappingIn(w.caps, w.at(1, 3))).toBe(w.at(2, 0));
  });

  it('T12: belongs to the core that made it', () => {
    const w = new World({ core: 9 });
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: PAGE, bytes: PAGE }));
    expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l2, w.at(1, 3)));
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 0), 0);
    w.log.length = 0;
    expect(Cte.owner.get(w.mem, w.at(2, 0))).toBe(9);
    expectOk(w, w.delete(w.at(2, 0)));
    expect(w.log).toEqual(['unmap +0K [0..0]']);
  });

  it('is the only one of its entries: it is neither copied nor minted (I46)', () => {
    const w = createWorld();
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 0), 7, 2);
    const names = ['SYS_ERR_INVALID_SOURCE_TYPE'] as const;
    expectRefused(w, names, () => w.copy(w.at(2, 0), w.at(2, 1)));
    expectRefused(w, names, () => w.mint(w.at(2, 0), w.at(2, 1), Rights.Read));
    expectRefused(w, names, () => w.copy(w.at(2, 0), w.at(2, 0)));
  });

  it('clears its entries when it dies', () => {
    const w = createWorld();
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 0), 7, 2);
    expectOk(w, w.delete(w.at(2, 0)));
    expect(w.log).toEqual(['unmap +0K [7..8]']);
    expect(firstMappingIn(w.caps, w.at(1, 3))).toBe(NO_SLOT);
  });

  it('T11: dies with the last copy of what it maps, not with the copy that made it', () => {
    const w = createWorld();
    expectOk(w, w.copy(w.at(1, 1), w.at(1, 5)));
    w.map(w.at(1, 5), w.at(1, 3), w.at(2, 0), 7, 2);
    expectOk(w, w.delete(w.at(1, 5)));
    expect(w.log).toEqual([]);
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log).toEqual(['unmap +0K [7..8]']);
    expect(w.isEmpty(w.at(2, 0))).toBe(true);
  });

  it('T11: dies with the last copy of its table', () => {
    const w = createWorld();
    expectOk(w, w.copy(w.at(1, 3), w.at(3, 0)));
    w.map(w.at(1, 1), w.at(3, 0), w.at(2, 0), 1);
    w.map(w.at(1, 2), w.at(1, 3), w.at(2, 1), 2);
    w.map(w.at(1, 2), w.at(1, 4), w.at(2, 2), 2);
    expectOk(w, w.delete(w.at(3, 0)));
    expect(w.log).toEqual([]);
    expectOk(w, w.delete(w.at(1, 3)));
    expect(w.log).toEqual(['unmap +0K [2..2]', 'unmap +0K [1..1]', 'VNode_x86_64_ptable +0K died']);
    expect(w.isEmpty(w.at(2, 0))).toBe(true);
    expect(w.isEmpty(w.at(2, 2)), 'another table').toBe(false);
  });

  it('knows its object from another one at the same address', () => {
    const w = createWorld();
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 0), 1, 2);
    w.map(w.at(1, 2), w.at(1, 3), w.at(2, 1), 5);
    expectOk(w, w.delete(w.at(1, 1)));
    expect(w.log).toEqual(['unmap +0K [1..2]']);
    expectOk(w, w.delete(w.at(1, 2)));
    expect(w.log.slice(1)).toEqual(['unmap +0K [5..5]']);
  });

  it('of a table in another table dies with either', () => {
    const w = createWorld();
    expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_pdir, w.at(1, 6), { offset: 8 * PAGE }));
    w.map(w.at(1, 3), w.at(1, 6), w.at(2, 0), 3);
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 1), 4);
    w.log.length = 0;
    expectOk(w, w.delete(w.at(1, 3)));
    expect(w.log).toEqual([
      'unmap +32K [3..3]',
      'unmap +0K [4..4]',
      'VNode_x86_64_ptable +0K died',
    ]);
  });

  it('of a table in itself is no problem', () => {
    const w = createWorld();
    w.map(w.at(1, 3), w.at(1, 3), w.at(2, 0), 3);
    expectOk(w, w.delete(w.at(1, 3)));
    expect(w.log).toEqual(['unmap +0K [3..3]', 'VNode_x86_64_ptable +0K died']);
  });

  it('T13: of a UMP endpoint or of device memory dies like that of a frame', () => {
    const w = createWorld();
    expectOk(
      w,
      w.retype(w.ram, ObjType.EndPointUMP, w.at(1, 6), { offset: 8 * PAGE, bytes: PAGE }),
    );
    w.map(w.at(1, 6), w.at(1, 3), w.at(2, 0), 3);
    expectOk(w, w.delete(w.at(1, 6)));
    expect(w.log).toEqual(['unmap +0K [3..3]']);
  });

  it('of a foreign object dies with the last copy on this core', () => {
    const w = createWorld();
    Cte.owner.set(w.mem, w.at(1, 2), coreId(1));
    Cte.flags.set(w.mem, w.at(1, 2), CteFlag.RemoteCopies);
    w.map(w.at(1, 2), w.at(1, 3), w.at(2, 0), 3);
    expectOk(w, w.delete(w.at(1, 2)));
    expect(w.log).toEqual(['unmap +0K [3..3]']);
  });

  it('T43: does not stand in the way of a retype, at any offset', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: PAGE, bytes: 4 * PAGE }));
    expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_ptable, w.at(1, 3)));
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 0), 0, 4);
    for (const offset of [0, PAGE, 2 * PAGE]) {
      const target = w.at(2, 1 + offset / PAGE);
      expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, target, { offset, bytes: PAGE }));
    }
    expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(2, 9), { offset: 3 * PAGE, bytes: PAGE }));
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], () =>
      w.retype(w.ram, ObjType.Frame, w.at(2, 10), { offset: PAGE, bytes: PAGE }),
    );
  });

  it('is a descendant of what it maps and of its ancestors', () => {
    const w = createWorld();
    w.map(w.at(1, 2), w.at(1, 3), w.at(2, 0), 0);
    w.map(w.at(1, 1), w.at(1, 3), w.at(2, 1), 1, 2);
    const mapping = w.at(2, 0);
    for (const slot of [w.at(1, 2), w.at(1, 1), w.ram]) {
      expect(isDescendant(w.caps, mapping, slot)).toBe(true);
    }
    expect(isDescendant(w.caps, w.at(2, 1), w.at(1, 2)), 'of the smaller frame').toBe(false);
    expect(isDescendant(w.caps, mapping, w.at(2, 1)), 'of another mapping').toBe(false);
    expect(hasDescendants(w.caps, mapping)).toBe(false);
    expectOk(w, revoke(w.caps, w.at(1, 1)));
    expect(w.isEmpty(mapping)).toBe(true);
    expect(w.isEmpty(w.at(2, 1))).toBe(true);
  });

  it('is one of very many without trouble, and they go in bounded steps (I39)', () => {
    const w = createWorld();
    for (let i = 0; i < 200; i++) w.map(w.at(1, 2), w.at(1, 3), w.at(2, i), i);
    applyDelete(w.caps, w.at(1, 2));
    expectOk(w, deleteStep(w.caps));
    expect(w.log).toHaveLength(64);
    expectOk(w, sweep(w.caps));
    expect(w.log).toHaveLength(200);
    expect(w.isEmpty(w.at(1, 2))).toBe(true);
  });
});

/**
 * Procedures that a Barrelfish system passes, told in terms of this package. Source: the tests of
 * Barrelfish for capability operations, and of its capability database.
 */

import { Cte, capAddrOf, errNames, ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  createIdentification,
  errorOf,
  identify,
  invokeResize,
  isError,
  locateEmptySlots,
  lookupSlot,
  revoke,
  type Slot,
  slotAt,
  slotCount,
} from '../src/index.ts';
import { expectOk, expectRefused, KIB, PAGE, RAM_BASE, RAM_BYTES, World } from './world.ts';

/** Base and size as `identify` tells them. */
function placeOf(w: World, slot: Slot): [number, number] {
  const out = createIdentification();
  identify(w.mem, slot, out);
  return [out.base - RAM_BASE, out.bytes];
}

describe('acceptance', () => {
  it('1: children lie where they were cut, and say so', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE }));
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 2), { offset: PAGE, bytes: 16 * KIB }));
    expect(placeOf(w, w.at(1, 1))).toEqual([0, PAGE]);
    expect(placeOf(w, w.at(1, 2))).toEqual([PAGE, 16 * KIB]);
  });

  it('2: what a deleted child covered can be cut again', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE }));
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 2), { offset: PAGE, bytes: 16 * KIB }));
    expectOk(w, w.delete(w.at(1, 1)));
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: PAGE }));
    expect(placeOf(w, w.at(1, 1))).toEqual([0, PAGE]);
  });

  it('3: nothing is cut twice, and a refusal leaves its slot empty', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: 32 * PAGE }));
    for (const [pages, first] of [
      [16, 16],
      [31, 1],
      [31, 4],
      [32, 0],
    ] as const) {
      const range = { offset: first * PAGE, bytes: pages * PAGE };
      expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], () =>
        w.retype(w.ram, ObjType.Frame, w.at(1, 2), range),
      );
      expect(w.isEmpty(w.at(1, 2))).toBe(true);
    }
  });

  it('4: offsets, sizes and counts that do not fit are told apart', () => {
    const w = new World();
    const cut = (offset: number, bytes: number, count = 1) =>
      errNames(w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset, bytes, count }));
    expect(cut(1024, PAGE)).toEqual(['SYS_ERR_RETYPE_INVALID_OFFSET']);
    expect(cut(RAM_BYTES, PAGE)).toEqual(['SYS_ERR_RETYPE_INVALID_OFFSET']);
    expect(cut(2 * RAM_BYTES, PAGE)).toEqual(['SYS_ERR_RETYPE_INVALID_OFFSET']);
    expect(cut(0, 6144)).toEqual(['SYS_ERR_INVALID_SIZE']);
    expect(cut(0, PAGE, 513)).toEqual(['SYS_ERR_RETYPE_INVALID_COUNT']);
    expect(cut(0, 513 * PAGE)).toEqual(['SYS_ERR_INVALID_SIZE']);
  });

  it('5: root CNodes of several sizes, one inside use; a revoke removes them all', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(1, 1), { bytes: 16 * KIB }));
    const larger = { offset: 16 * KIB, bytes: 32 * KIB };
    expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(1, 2), larger));
    expectOk(
      w,
      w.retype(w.ram, ObjType.L2CNode, w.at(1, 3), { offset: 64 * KIB, bytes: 16 * KIB }),
    );
    expectOk(w, w.copyInto(w.at(1, 3), w.at(1, 2), 0));
    expect(slotCount(w.mem, w.at(1, 2))).toBe(512);
    expectOk(w, revoke(w.caps, w.ram));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('6: a root CNode that doubles again and again keeps every address', () => {
    const w = new World();
    const root = w.at(0, 2);
    let offset = 0;
    for (let bytes = 32 * KIB; bytes <= 512 * KIB; bytes *= 2) {
      expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(2, 0), { offset, bytes }));
      const args = Uint32Array.of(capAddrOf(2, 0), capAddrOf(3, 0), 0);
      expectOk(w, invokeResize(w.caps, root, args));
      expectOk(w, w.delete(w.at(3, 0)));
      expectOk(w, w.delete(w.at(2, 0)));
      const last = slotCount(w.mem, root) - 1;
      const slot = locateEmptySlots(w.caps, root, last, 1, ObjType.L2CNode);
      expect(isError(slot) ? errNames(errorOf(slot)) : slot).toBe(slotAt(w.mem, root, last));
      expectOk(w, w.copyInto(w.rootSlot(1), root, last));
      expect(lookupSlot(w.caps, root, capAddrOf(last, 0), 2, 0)).toBe(w.ram);
      expect(lookupSlot(w.caps, root, capAddrOf(1, 0), 2, 0)).toBe(w.ram);
      offset += bytes;
    }
  });

  it('7: children are valid after their parent is gone, and go one by one', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: 2 * PAGE }));
    expectOk(w, w.retype(w.at(1, 1), ObjType.RAM, w.at(1, 2), { bytes: PAGE, count: 2 }));
    expectOk(w, w.delete(w.at(1, 1)));
    expect(placeOf(w, w.at(1, 2))).toEqual([0, PAGE]);
    expect(placeOf(w, w.at(1, 3))).toEqual([PAGE, PAGE]);
    expectOk(w, w.retype(w.at(1, 3), ObjType.Frame, w.at(1, 4), { bytes: PAGE }));
    for (const i of [4, 3, 2]) expectOk(w, w.delete(w.at(1, i)));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('9: the same on every core', () => {
    for (const core of [0, 1, 7, 254]) {
      const w = new World({ core });
      expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: 64 * KIB, count: 2 }));
      expectOk(w, w.retype(w.at(1, 1), ObjType.Dispatcher, w.at(1, 3), { count: 2 }));
      expectOk(w, w.retype(w.at(1, 3), ObjType.EndPointLMP, w.at(1, 5)));
      expect(Cte.owner.get(w.mem, w.at(1, 5))).toBe(core);
      expectOk(w, revoke(w.caps, w.ram));
      expect(w.dump()).toEqual(['RAM +0K 2048K']);
    }
  });
});

import { asPaddr, coreId } from '@barreleye/core';
import { Cte, CteFlag, capAddrOf, Err, errNames, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, KIB, PAGE, World } from '../test/world.ts';
import {
  locateEmptySlots,
  lookupDestination,
  lookupSlot,
  lookupSource,
  slotCount,
} from './cspace.ts';
import { errorOf, isError, type Slot, type SlotOrError } from './slot.ts';

const RW = Rights.Read | Rights.Write;

function errorsOf(found: SlotOrError): string[] {
  return isError(found) ? errNames(errorOf(found)) : [`found ${found}`];
}

function setRights(world: World, slot: Slot, rights: number): void {
  Cte.rights.set(world.mem, slot, rights);
}

describe('lookup', () => {
  it('finds the root at level 0, a CNode at level 1 and a capability at level 2', () => {
    const w = new World();
    expect(lookupSlot(w.caps, w.root, 12345, 0, Rights.All)).toBe(w.root);
    expect(lookupSlot(w.caps, w.root, capAddrOf(1, 77), 1, RW)).toBe(w.rootSlot(1));
    expect(lookupSlot(w.caps, w.root, capAddrOf(1, 0), 2, RW)).toBe(w.ram);
  });

  it('has no third level', () => {
    const w = new World();
    expect(errorsOf(lookupSlot(w.caps, w.root, 0, 3, 0))).toEqual(['SYS_ERR_CAP_LOOKUP_DEPTH']);
    expect(errorsOf(lookupSlot(w.caps, w.ram, 0, 255, 0))).toEqual(['SYS_ERR_CAP_LOOKUP_DEPTH']);
  });

  it('starts at an L1 CNode and goes on to an L2 CNode', () => {
    const w = new World();
    expect(errorsOf(lookupSlot(w.caps, w.ram, 0, 1, 0))).toEqual(['SYS_ERR_CNODE_TYPE']);
    expect(errorsOf(lookupSlot(w.caps, w.rootSlot(1), 0, 2, 0))).toEqual(['SYS_ERR_CNODE_TYPE']);
    const kcb = { base: asPaddr(0x1000_0000) };
    Cte.type.set(w.mem, w.rootSlot(9), ObjType.KernelControlBlock);
    Cte.base.set(w.mem, w.rootSlot(9), kcb.base);
    const addr = capAddrOf(9, 0);
    expect(errorsOf(lookupSlot(w.caps, w.root, addr, 2, 0))).toEqual(['SYS_ERR_CNODE_TYPE']);
  });

  it('never looks beyond the end of the L1 CNode (I5)', () => {
    const w = new World();
    expect(slotCount(w.mem, w.root)).toBe(256);
    for (const index of [256, 257, 0xff_ffff]) {
      const found = lookupSlot(w.caps, w.root, capAddrOf(index, 0), 2, 0);
      expect(errorsOf(found)).toEqual(['SYS_ERR_L1_CNODE_INDEX']);
    }
    const last = lookupSlot(w.caps, w.root, capAddrOf(255, 0), 1, 0);
    expect(errorsOf(last)).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
  });

  it('tells an empty slot from an empty path', () => {
    const w = new World();
    const look = (addr: number, level: number) =>
      errorsOf(lookupSlot(w.caps, w.root, addr, level, RW));
    expect(look(capAddrOf(1, 9), 2)).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
    expect(look(capAddrOf(9, 9), 1)).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
    expect(look(capAddrOf(9, 9), 2)).toEqual(['SYS_ERR_CNODE_NOT_FOUND']);
  });

  it('needs the rights on every CNode of the path, and on nothing else', () => {
    const w = new World();
    const look = (rights: number) => lookupSlot(w.caps, w.root, capAddrOf(1, 0), 2, rights);
    setRights(w, w.ram, 0);
    expect(look(RW)).toBe(w.ram);
    setRights(w, w.rootSlot(1), Rights.Read);
    expect(look(Rights.Read)).toBe(w.ram);
    expect(errorsOf(look(RW))).toEqual(['SYS_ERR_CNODE_RIGHTS']);
    setRights(w, w.rootSlot(1), Rights.All);
    setRights(w, w.root, Rights.Write);
    expect(errorsOf(look(Rights.Read))).toEqual(['SYS_ERR_CNODE_RIGHTS']);
    expect(lookupSlot(w.caps, w.root, 0, 0, Rights.All), 'level 0 checks nothing').toBe(w.root);
  });

  it('does not look into a CNode of another core', () => {
    const w = new World();
    Cte.owner.set(w.mem, w.rootSlot(1), coreId(3));
    const found = lookupSlot(w.caps, w.root, capAddrOf(1, 0), 2, RW);
    expect(errorsOf(found)).toEqual(['SYS_ERR_RETRY_THROUGH_MONITOR']);
  });

  it('does not look into a CNode that is being deleted', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.rootSlot(1), CteFlag.InDelete);
    const found = lookupSlot(w.caps, w.root, capAddrOf(1, 0), 2, RW);
    expect(errorsOf(found)).toEqual(['SYS_ERR_CNODE_NOT_FOUND']);
    expect(lookupSlot(w.caps, w.root, capAddrOf(1, 0), 1, RW)).toBe(w.rootSlot(1));
  });

  it('says whether the source space or the source capability was not found', () => {
    const w = new World();
    const look = (cspace: number, addr: number) =>
      errorsOf(lookupSource(w.caps, w.root, cspace, addr, 2));
    expect(look(2, capAddrOf(1, 0))).toEqual([`found ${w.ram}`]);
    expect(look(3, 0)).toEqual(['SYS_ERR_SOURCE_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND']);
    expect(look(capAddrOf(1, 0), 0)).toEqual(['SYS_ERR_CNODE_NOT_ROOT']);
    expect(look(2, 3)).toEqual(['SYS_ERR_SOURCE_CAP_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND']);
  });

  it('says whether the destination space or the destination CNode was not found', () => {
    const w = new World();
    const look = (cspace: number, addr: number, level: number) =>
      errorsOf(lookupDestination(w.caps, w.root, cspace, addr, level));
    expect(look(2, capAddrOf(1, 0), 1)).toEqual([`found ${w.rootSlot(1)}`]);
    expect(look(2, 0, 0)).toEqual([`found ${w.at(0, 2)}`]);
    expect(look(3, 0, 1)).toEqual(['SYS_ERR_DEST_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND']);
    expect(look(capAddrOf(1, 0), 0, 1)).toEqual(['SYS_ERR_CNODE_TYPE']);
    expect(look(2, capAddrOf(9, 0), 1)).toEqual([
      'SYS_ERR_DEST_CNODE_LOOKUP',
      'SYS_ERR_CAP_NOT_FOUND',
    ]);
  });
});

describe('empty slots', () => {
  const locate = (w: World, cnode: Slot, first: number, count = 1, type = ObjType.Frame) =>
    errorsOf(locateEmptySlots(w.caps, cnode, first, count, type));

  it('are found one by one and in runs', () => {
    const w = new World();
    expect(locate(w, w.rootSlot(1), 255)).toEqual([`found ${w.at(1, 255)}`]);
    expect(locate(w, w.rootSlot(1), 1, 255)).toEqual([`found ${w.at(1, 1)}`]);
  });

  it('T6: lie inside the CNode, whatever the index and count', () => {
    const w = new World();
    for (const [first, count] of [
      [256, 1],
      [255, 2],
      [1, 256],
      [0xff_ffff, 1],
      [2 ** 31, 1],
      [0, 65535],
    ] as const) {
      expect(locate(w, w.rootSlot(1), first, count)).toEqual(['SYS_ERR_SLOTS_INVALID']);
    }
  });

  it('are empty', () => {
    const w = new World();
    expect(locate(w, w.rootSlot(1), 0)).toEqual(['SYS_ERR_SLOT_IN_USE']);
    expectOk(w, w.copy(w.ram, w.at(1, 20)));
    expect(locate(w, w.rootSlot(1), 10, 11)).toEqual(['SYS_ERR_SLOT_IN_USE']);
    expect(locate(w, w.rootSlot(1), 10, 10)).toEqual([`found ${w.at(1, 10)}`]);
    const found = locateEmptySlots(w.caps, w.rootSlot(1), 0, 1, 1, Err.SYS_ERR_SLOTS_IN_USE);
    expect(errorsOf(found)).toEqual(['SYS_ERR_SLOTS_IN_USE']);
  });

  it('are slots of a CNode that is alive and ours', () => {
    const w = new World();
    expect(locate(w, w.ram, 0)).toEqual(['SYS_ERR_DEST_CNODE_INVALID']);
    Cte.flags.set(w.mem, w.rootSlot(1), CteFlag.InDelete);
    expect(locate(w, w.rootSlot(1), 5)).toEqual(['SYS_ERR_CNODE_NOT_FOUND']);
    Cte.owner.set(w.mem, w.rootSlot(2), coreId(9));
    expect(locate(w, w.rootSlot(2), 5)).toEqual(['SYS_ERR_RETRY_THROUGH_MONITOR']);
  });

  it('T44: of an L1 CNode are for L2 CNodes and KCBs only, on every way to get there', () => {
    const w = new World();
    expect(locate(w, w.root, 9, 1, ObjType.L2CNode)).toEqual([`found ${w.rootSlot(9)}`]);
    expect(locate(w, w.root, 9, 1, ObjType.KernelControlBlock)).toHaveLength(1);
    for (const type of [ObjType.Frame, ObjType.L1CNode, ObjType.ID, ObjType.RAM]) {
      expect(locate(w, w.root, 9, 1, type)).toEqual(['SYS_ERR_DEST_TYPE_INVALID']);
    }
    const retyped = w.retype(w.ram, ObjType.Frame, w.rootSlot(9), { bytes: PAGE });
    expect(errNames(retyped)).toEqual(['SYS_ERR_DEST_TYPE_INVALID']);
    expect(errNames(w.copy(w.ram, w.rootSlot(9)))).toEqual(['SYS_ERR_DEST_TYPE_INVALID']);
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.rootSlot(9), { bytes: 16 * KIB }));
  });
});

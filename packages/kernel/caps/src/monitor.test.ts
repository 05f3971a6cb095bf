import { coreId } from '@barreleye/core';
import { Cte, CteFlag, Kcb, ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, RAM_BYTES, World } from '../test/world.ts';
import { createCap } from './create.ts';
import { clearScratch, readDescription } from './described.ts';
import {
  deleteForeigns,
  deleteLast,
  localRelations,
  lock,
  nullify,
  setOwner,
  setRelations,
  unlock,
} from './monitor.ts';
import { markRelations, markTarget } from './revoke.ts';
import type { Slot } from './slot.ts';
import { deleteStepInto, sweep } from './sweep.ts';

const { RemoteCopies, RemoteAncestors, RemoteDescendants, Locked } = CteFlag;
const RELATIONS = RemoteCopies | RemoteAncestors | RemoteDescendants;

/** The RAM of the world, twice more. */
function createCopies(): { w: World; copies: Slot[] } {
  const w = new World();
  const copies = [w.ram, w.at(1, 1), w.at(2, 1)];
  for (const slot of copies.slice(1)) expectOk(w, w.copy(w.ram, slot));
  return { w, copies };
}

describe('what copies agree about (I29)', () => {
  it('relations to other cores: the masked bits change, all are told', () => {
    const { w, copies } = createCopies();
    expect(setRelations(w.caps, w.ram, 0xff, RemoteCopies | RemoteAncestors | 0xf8)).toBe(3);
    expect(setRelations(w.caps, w.at(1, 1), 0, RemoteCopies)).toBe(RemoteAncestors);
    expect(setRelations(w.caps, w.at(1, 1), 0, 0)).toBe(RemoteAncestors);
    for (const slot of copies) expect(Cte.flags.get(w.mem, slot)).toBe(RemoteAncestors);
    expectOk(w, 0 as never);
  });

  it('the owner, where the object can have another one', () => {
    const { w, copies } = createCopies();
    expectOk(w, setOwner(w.caps, w.at(1, 1), coreId(5)));
    for (const slot of copies) {
      expect(Cte.owner.get(w.mem, slot)).toBe(5);
      expect(Cte.flags.get(w.mem, slot)).toBe(RemoteCopies);
    }
    expectOk(w, setOwner(w.caps, w.ram, coreId(0)));
    expect(Cte.flags.get(w.mem, w.ram)).toBe(RemoteCopies);
    const cnode = () => setOwner(w.caps, w.rootSlot(2), coreId(5));
    expectRefused(w, ['SYS_ERR_INVALID_SOURCE_TYPE'], cnode);
    Cte.flags.set(w.mem, w.ram, CteFlag.InDelete);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => setOwner(w.caps, w.ram, coreId(5)));
  });

  it('the lock, which is taken once', () => {
    const { w, copies } = createCopies();
    expectOk(w, lock(w.caps, w.at(2, 1)));
    for (const slot of copies) expect(Cte.flags.get(w.mem, slot)).toBe(Locked);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => lock(w.caps, w.ram));
    unlock(w.caps, w.ram);
    for (const slot of copies) expect(Cte.flags.get(w.mem, slot)).toBe(0);
    unlock(w.caps, w.ram);
    expectOk(w, lock(w.caps, w.ram));
  });
});

it('what this core has of an object is told apart', () => {
  const { w } = createCopies();
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(3, 0), { bytes: PAGE }));
  expect(localRelations(w.caps, w.ram, RELATIONS)).toBe(RemoteCopies | RemoteDescendants);
  expect(localRelations(w.caps, w.at(3, 0), RELATIONS)).toBe(RemoteAncestors);
  expect(localRelations(w.caps, w.at(3, 0), RemoteCopies)).toBe(0);
});

describe('the last steps of a delete', () => {
  it('deletes what was locked and shared, as the monitors have agreed', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.ram, Locked | RemoteCopies);
    expectOk(w, deleteLast(w.caps, w.ram));
    expect(w.log).toEqual(['free +0K 2048K']);
    expect(w.isEmpty(w.ram)).toBe(true);
  });

  it('takes a CNode apart, in the sweep', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.rootSlot(1), Locked | RemoteCopies);
    expectOk(w, deleteLast(w.caps, w.rootSlot(1)));
    expectOk(w, sweep(w.caps));
    expect(w.isEmpty(w.rootSlot(1))).toBe(true);
    expect(w.log).toContain('free +0K 2048K');
  });

  it('only drops a copy where there are more, and refuses what is not its own', () => {
    const { w } = createCopies();
    expectOk(w, deleteLast(w.caps, w.ram));
    expect(w.log).toEqual([]);
    expectOk(w, setOwner(w.caps, w.at(1, 1), coreId(2)));
    const foreign = () => deleteLast(w.caps, w.at(1, 1));
    expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], foreign);
    createCap(w.caps, w.rootSlot(50), ObjType.KernelControlBlock, { base: w.caps.kcb });
    Cte.flags.set(w.mem, w.rootSlot(50), RemoteCopies);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => deleteLast(w.caps, w.rootSlot(50)));
  });

  it('deletes all copies of what another core owns, and what hangs on them', () => {
    const { w } = createCopies();
    expectRefused(w, ['SYS_ERR_DELETE_REMOTE_LOCAL'], () => deleteForeigns(w.caps, w.ram));
    expectOk(w, setOwner(w.caps, w.ram, coreId(1)));
    expectOk(w, lock(w.caps, w.ram));
    expectOk(w, deleteForeigns(w.caps, w.at(1, 1)));
    expect(w.dump()).toEqual([]);
    expect(w.log, 'the memory is not ours').toEqual([]);
  });

  it('drops one of several copies, locked or not', () => {
    const { w } = createCopies();
    expectOk(w, lock(w.caps, w.ram));
    expectOk(w, nullify(w.caps, w.at(1, 1)));
    expectOk(w, nullify(w.caps, w.ram));
    expectRefused(w, ['SYS_ERR_DELETE_LAST_OWNED'], () => nullify(w.caps, w.at(2, 1)));
  });
});

describe('the mark phase of a revoke', () => {
  it('ends all relatives but the target; what waits for other cores is marked (I34)', () => {
    const { w } = createCopies();
    Cte.flags.set(w.mem, w.ram, 0);
    setRelations(w.caps, w.ram, RELATIONS, RELATIONS);
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(3, 0), { bytes: PAGE, isFromMonitor: true }));
    const place = { offset: 8 * PAGE, isFromMonitor: true };
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.rootSlot(60), place));
    const last = { offset: 64 * KIB, bytes: PAGE, isFromMonitor: true };
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(3, 1), last));
    setRelations(w.caps, w.rootSlot(60), RemoteCopies, RemoteCopies);
    expectOk(w, markTarget(w.caps, w.at(1, 1)));
    sweep(w.caps);
    expect(w.dump()).toEqual(['RAM +0K 2048K', 'L2CNode +32K 16K']);
    expect(w.show(w.at(1, 1))).toBe('RAM 0x200000 (2 MiB) rwxgiv');
    expect(w.show(w.rootSlot(60))).toBe('L2CNode 0x208000 (16 KiB) rwxgiv dying');

    // The monitor gets what waits, asks the others, and finishes.
    expect(deleteStepInto(w.caps, w.rootSlot(3), 0)).toBe(1);
    expect(w.show(w.at(3, 0))).toBe('L2CNode 0x208000 (16 KiB) rwxgiv');
    expectOk(w, deleteLast(w.caps, w.at(3, 0)));
    expectOk(w, sweep(w.caps));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('refuses a target that is being deleted or is not owned here', () => {
    const w = new World();
    expectOk(w, setOwner(w.caps, w.ram, coreId(1)));
    expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], () => markTarget(w.caps, w.ram));
    Cte.flags.set(w.mem, w.ram, CteFlag.InDelete);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => markTarget(w.caps, w.ram));
  });

  it('on other cores leaves nothing, though nothing but descendants may be here', () => {
    const w = new World();
    const mark = () => {
      const words = Uint32Array.of(ObjType.RAM, 0x20_0000, 0, RAM_BYTES, 0, 1, 0, 0);
      expectOk(w, readDescription(w.caps, words));
      const err = markRelations(w.caps);
      clearScratch(w.caps);
      return err;
    };
    expectRefused(w, ['SYS_ERR_DELETE_REMOTE_LOCAL'], mark);
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(3, 0), { bytes: PAGE, count: 9 }));
    expectOk(w, setOwner(w.caps, w.ram, coreId(1)));
    expectOk(w, mark());
    expectOk(w, sweep(w.caps));
    expect(w.dump()).toEqual([]);
    expectOk(w, mark());
  });

  it('stops at the marked: a step needs a place for what waits', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.rootSlot(2), RemoteCopies);
    const lost = { offset: 0, isFromMonitor: true };
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.rootSlot(60), lost));
    setRelations(w.caps, w.rootSlot(60), RemoteCopies, RemoteCopies);
    expectOk(w, markTarget(w.caps, w.ram));
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], () => -deleteStepInto(w.caps, w.root, 0) as never);
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], () => {
      return -deleteStepInto(w.caps, w.rootSlot(3), 256) as never;
    });
    expect(Kcb.deleteHead.get(w.mem, w.caps.kcb)).not.toBe(0);
  });
});

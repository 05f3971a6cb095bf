import { asPaddr, asPtr, coreId } from '@barreleye/core';
import { Cte, CteFlag, Dcb, Err, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  expectOk,
  expectRefused,
  KIB,
  PAGE,
  RAM_BASE,
  RAM_BYTES,
  ramAt,
  World,
} from '../test/world.ts';
import { checkCaps } from './check.ts';
import { copyToSlot } from './copy.ts';
import { createCap } from './create.ts';
import { slotAt } from './cspace.ts';
import { revoke, revokeStep } from './revoke.ts';
import { isSweepPending } from './sweep.ts';

/** Revoke step by step and check all invariants after every step. */
function revokeChecked(w: World, slot = w.ram): number {
  for (let steps = 0; ; steps++) {
    const err = revokeStep(w.caps, slot);
    if (err === Err.SYS_ERR_CAP_NOT_FOUND) return steps;
    if (err !== Err.SYS_ERR_CAP_LOCKED) expectOk(w, err);
    expect(checkCaps(w.caps)).toEqual([]);
  }
}

describe('revoke', () => {
  it('leaves one capability of the object and none derived from it (I34)', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(2, 0)));
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(2, 1), { bytes: 64 * KIB, count: 2 }));
    expectOk(w, w.retype(w.at(2, 1), ObjType.Frame, w.at(2, 3), { bytes: PAGE, count: 3 }));
    expectOk(w, w.copy(w.at(2, 3), w.at(2, 9)));
    expectOk(w, revoke(w.caps, w.at(2, 0)));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
    expect(w.isEmpty(w.ram)).toBe(true);
    expect(w.log, 'the memory is where it was').toEqual([]);
  });

  it('is for whoever has the right to it, not for all who hold a copy', () => {
    const w = new World();
    expectOk(w, w.mint(w.ram, w.at(2, 0), Rights.Lent));
    expectOk(w, w.retype(w.at(2, 0), ObjType.RAM, w.at(2, 1), { bytes: RAM_BYTES }));
    for (const lent of [w.at(2, 0), w.at(2, 1)]) {
      expectRefused(w, ['SYS_ERR_CAP_RIGHTS'], () => revoke(w.caps, lent));
    }
    expectOk(w, revoke(w.caps, w.ram));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('changes nothing the second time (I35)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, 3), { bytes: PAGE, count: 3 }));
    expectOk(w, revoke(w.caps, w.ram));
    const before = w.snapshot();
    expectOk(w, revoke(w.caps, w.ram));
    expect(Buffer.compare(before, w.snapshot())).toBe(0);
  });

  it('T1: reaches descendants over any number of steps', () => {
    const w = new World();
    const physAddr = w.at(2, 0);
    expectOk(w, w.delete(w.ram));
    createCap(w.caps, physAddr, ObjType.PhysAddr, { base: asPaddr(RAM_BASE), bytes: RAM_BYTES });
    expectOk(w, w.retype(physAddr, ObjType.RAM, w.at(2, 1), { bytes: 512 * KIB }));
    expectOk(w, w.retype(w.at(2, 1), ObjType.RAM, w.at(2, 2), { bytes: 64 * KIB }));
    expectOk(w, w.retype(w.at(2, 2), ObjType.Frame, w.at(2, 3), { bytes: 2 * PAGE }));
    expectOk(w, w.retype(w.at(2, 3), ObjType.Frame, w.at(2, 4), { bytes: PAGE }));
    const table = { offset: 128 * KIB };
    expectOk(w, w.retype(w.at(2, 1), ObjType.VNode_x86_64_ptable, w.at(2, 5), table));
    w.map(w.at(2, 4), w.at(2, 5), w.at(2, 6), 0);
    const dispatcher = { offset: 256 * KIB };
    expectOk(w, w.retype(w.at(2, 1), ObjType.Dispatcher, w.at(2, 7), dispatcher));
    expectOk(w, w.retype(w.at(2, 7), ObjType.EndPointLMP, w.at(2, 8)));
    expectOk(
      w,
      w.retype(physAddr, ObjType.DevFrame, w.at(2, 9), { offset: 512 * KIB, bytes: PAGE }),
    );
    // Intermediate generations may be gone already.
    expectOk(w, w.delete(w.at(2, 2)));
    revokeChecked(w, physAddr);
    expect(w.dump()).toEqual(['PhysAddr +0K 2048K']);
  });

  it('reaches what comes behind an endpoint (T1)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(2, 1)));
    expectOk(w, w.retype(w.at(2, 1), ObjType.EndPointLMP, w.at(2, 2)));
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, 3), { offset: PAGE, bytes: PAGE }));
    expectOk(w, revoke(w.caps, w.ram));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('T33: of an endpoint leaves the other endpoints of the dispatcher alone', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(2, 1)));
    const frame = { offset: 512 * KIB, bytes: 512 * KIB };
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, 2), frame));
    copyToSlot(w.caps, w.at(2, 2), Dcb.frame.at(asPtr<'Dcb'>(ramAt(0))));
    expectOk(w, w.retype(w.at(2, 1), ObjType.EndPointLMP, w.at(2, 3)));
    expectOk(w, w.mint(w.at(2, 3), w.at(2, 4), Rights.All, 0x1000, 8));
    expectOk(w, w.mint(w.at(2, 3), w.at(2, 5), Rights.All, 0x2000, 8));
    expectOk(w, w.copy(w.at(2, 4), w.at(2, 6)));
    expectOk(w, revoke(w.caps, w.at(2, 4)));
    expect([3, 4, 5, 6].map((i) => w.isEmpty(w.at(2, i)))).toEqual([false, false, false, true]);
  });

  it('of a whole capability space that names itself takes it apart (I38)', () => {
    const w = new World();
    // A domain: a dispatcher, its root CNode, a task CNode in it, and in that the root CNode again.
    const make = (type: number, index: number, offset: number, bytes = 16 * KIB) => {
      expectOk(w, w.retype(w.ram, type, w.at(2, index), { offset: offset * KIB, bytes }));
      return w.at(2, index);
    };
    const root = make(ObjType.L1CNode, 0, 0);
    const task = make(ObjType.L2CNode, 1, 16);
    const dispatcher = make(ObjType.Dispatcher, 2, 32);
    const frame = make(ObjType.Frame, 3, 512, 512 * KIB);
    const table = make(ObjType.VNode_x86_64_ptable, 4, 36);
    const dcb = asPtr<'Dcb'>(ramAt(32 * KIB));
    copyToSlot(w.caps, task, slotAt(w.mem, root, 0));
    copyToSlot(w.caps, root, slotAt(w.mem, task, 2));
    copyToSlot(w.caps, dispatcher, slotAt(w.mem, task, 1));
    copyToSlot(w.caps, frame, slotAt(w.mem, task, 4));
    copyToSlot(w.caps, root, Dcb.cspace.at(dcb));
    copyToSlot(w.caps, table, Dcb.vspace.at(dcb));
    copyToSlot(w.caps, frame, Dcb.frame.at(dcb));
    w.map(frame, table, slotAt(w.mem, task, 9), 0, 128);
    expectOk(w, w.retype(dispatcher, ObjType.EndPointLMP, w.at(3, 0)));
    for (const slot of [root, task, dispatcher, frame, table]) expectOk(w, w.delete(slot));
    w.log.length = 0;

    revokeChecked(w);
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
    expect(w.isEmpty(w.at(3, 0))).toBe(true);
    expect([...new Set(w.log)].toSorted()).toEqual([
      'VNode_x86_64_ptable +36K died',
      'dispatcher +32K died',
      'dispatcher +32K was dismantled',
      'unmap +36K [0..127]',
    ]);
    expect(w.mem.isZero(ramAt(0), 36 * KIB)).toBe(true);
  });

  it('asks the monitor when other cores may hold copies or descendants', () => {
    const w = new World();
    for (const flag of [CteFlag.RemoteCopies, CteFlag.RemoteDescendants]) {
      Cte.flags.set(w.mem, w.ram, flag);
      expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], () => revoke(w.caps, w.ram));
    }
    Cte.flags.set(w.mem, w.ram, 0);
    Cte.owner.set(w.mem, w.ram, coreId(1));
    expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], () => revoke(w.caps, w.ram));
  });

  it('refuses what is locked, being deleted or not there', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => revoke(w.caps, w.at(3, 3)));
    for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
      Cte.flags.set(w.mem, w.ram, flag);
      expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => revoke(w.caps, w.ram));
    }
  });

  it('T25: stops at a locked descendant and goes on once it is unlocked', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, 1), { bytes: PAGE, count: 3 }));
    Cte.flags.set(w.mem, w.at(2, 2), CteFlag.Locked);
    expect(revoke(w.caps, w.ram)).toBe(Err.SYS_ERR_CAP_LOCKED);
    Cte.flags.set(w.mem, w.at(2, 2), CteFlag.InDelete);
    expectOk(w, revoke(w.caps, w.ram));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('is not held up by what others have deleted and cannot finish', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(2, 0), { bytes: 512 * KIB, count: 2 }));
    const make = (index: number, source: number, type: number, offset = 0) => {
      const options = { offset, bytes: 16 * KIB };
      expectOk(w, w.retype(w.at(2, source), type, w.at(2, index), options));
      return w.at(2, index);
    };
    // Somebody deletes a CNode in the first half that holds a frame other cores know.
    const cnode = make(3, 0, ObjType.L2CNode);
    const inside = slotAt(w.mem, cnode, 5);
    copyToSlot(w.caps, make(4, 0, ObjType.Frame, 16 * KIB), inside);
    expectOk(w, w.delete(w.at(2, 4)));
    Cte.flags.set(w.mem, inside, CteFlag.RemoteCopies);
    expect(w.delete(cnode)).toBe(Err.SYS_ERR_DELETE_LAST_OWNED);

    make(5, 1, ObjType.L2CNode);
    make(6, 1, ObjType.Frame, 16 * KIB);
    expect(revoke(w.caps, w.at(2, 0)), 'this one has to wait').not.toBe(0);
    expectOk(w, revoke(w.caps, w.at(2, 1)));
    expect(isSweepPending(w.caps)).toBe(true);
    expect(w.isEmpty(w.at(2, 5)) && w.isEmpty(w.at(2, 6))).toBe(true);
    Cte.flags.set(w.mem, inside, CteFlag.InDelete);
    expectOk(w, revoke(w.caps, w.at(2, 0)));
    expect(isSweepPending(w.caps)).toBe(false);
  });

  it('says so when the revoked memory held the target itself', () => {
    const w = new World();
    const cnode = w.at(2, 0);
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, cnode, { bytes: 16 * KIB }));
    const target = slotAt(w.mem, cnode, 3);
    copyToSlot(w.caps, w.ram, target);
    expect(revoke(w.caps, target)).toBe(Err.SYS_ERR_CAP_NOT_FOUND);
    expect(w.dump()).toEqual([]);
    expect(w.log.toSorted()).toEqual(['free +0K 16K', 'free +16K 2032K']);
  });

  it('of a token removes its other copies', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.ProcessManager);
    expectOk(w, w.copy(w.at(2, 0), w.at(2, 1)));
    expectOk(w, w.retype(w.at(2, 0), ObjType.Domain, w.at(2, 2), { count: 2 }));
    createCap(w.caps, w.at(2, 5), ObjType.Kernel);
    expectOk(w, revoke(w.caps, w.at(2, 0)));
    const left = [0, 1, 2, 3, 5].filter((i) => !w.isEmpty(w.at(2, i)));
    expect(left).toEqual([0, 5]);
  });

  it('of ports removes all that was minted from them, overlapping or not', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.IO, { arg0: 0, arg1: 0xffff });
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 1), Rights.All, 0x100, 0x1ff));
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 2), Rights.All, 0x180, 0x27f));
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 3), Rights.All, 0x180, 0x1ff));
    expectOk(w, revoke(w.caps, w.at(2, 1)));
    expect([0, 1, 2, 3].filter((i) => !w.isEmpty(w.at(2, i)))).toEqual([0, 1, 2]);
    expectOk(w, revoke(w.caps, w.at(2, 0)));
    expect([0, 1, 2, 3].filter((i) => !w.isEmpty(w.at(2, i)))).toEqual([0]);
  });
});

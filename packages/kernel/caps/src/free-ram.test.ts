import { FreeRam, Kcb, ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, RAM_BYTES, ramAt, World } from '../test/world.ts';
import { Caps } from './caps.ts';
import { createCap } from './create.ts';
import { eachFreeRam, reclaimRam } from './free-ram.ts';
import { deleteStep, isSweepPending, sweep } from './sweep.ts';

/** What waits, from the start of RAM, in units of 1 KiB. */
function waiting(w: World): string[] {
  return [...eachFreeRam(w.caps)].map(
    ({ base, bytes }) => `${(base - ramAt(0)) / KIB}+${bytes / KIB}`,
  );
}

/** `count` frames of a page, one page apart, as the only capabilities of memory. */
function createFrames(w: World, count: number): void {
  w.delete(w.ram);
  expectOk(w, reclaimRam(w.caps, w.rootSlot(1), 0));
  for (let i = 0; i < count; i++) {
    const place = { offset: 2 * i * PAGE, bytes: PAGE };
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, i), place));
  }
  w.delete(w.ram);
}

describe('RAM that nobody holds', () => {
  it('T20: waits however many regions there are, and is handed out once each (I19, I21)', () => {
    const w = new World();
    createFrames(w, 100);
    for (let i = 0; i < 100; i++) expectOk(w, w.delete(w.at(2, i)));
    expect(Kcb.freeRamBytes.get(w.mem, w.caps.kcb)).toBe(RAM_BYTES);
    let bytes = 0;
    let regions = 0;
    for (; waiting(w).length > 0; regions++) {
      expectOk(w, reclaimRam(w.caps, w.rootSlot(3), 0));
      const [line = ''] = w.dump();
      bytes += Number(/ (\d+)K$/.exec(line)?.[1]) * KIB;
      // Held again, but by an ancestor that returns nothing of it.
      createCap(w.caps, w.at(3, 1), ObjType.PhysAddr, { base: ramAt(0), bytes: RAM_BYTES });
      expectOk(w, w.delete(w.at(3, 0)));
      expectOk(w, w.delete(w.at(3, 1)));
    }
    expect([regions, bytes]).toEqual([200, RAM_BYTES]);
    expect(Kcb.freeRamBytes.get(w.mem, w.caps.kcb)).toBe(0);
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => reclaimRam(w.caps, w.rootSlot(3), 0));
  });

  it('comes back as RAM that can be used like any other, without a trace of the list', () => {
    const w = new World();
    w.delete(w.ram);
    expect(waiting(w)).toEqual(['0+2048']);
    expect(w.mem.isZero(ramAt(0), FreeRam.$bytes)).toBe(false);
    expectOk(w, reclaimRam(w.caps, w.rootSlot(1), 7));
    expect(w.show(w.at(1, 7))).toBe('RAM 0x200000 (2 MiB) rwxgiv');
    expect(w.mem.isZero(ramAt(0), RAM_BYTES)).toBe(true);
    expectOk(w, w.retype(w.at(1, 7), ObjType.Frame, w.at(1, 8), { bytes: RAM_BYTES }));
  });

  it('goes to an empty slot that may hold it, or waits on', () => {
    const w = new World();
    expectOk(w, w.copy(w.rootSlot(1), w.rootSlot(30)));
    w.delete(w.ram);
    const take =
      (cnode = w.rootSlot(1), index = 0) =>
      () =>
        reclaimRam(w.caps, cnode, index);
    expectRefused(w, ['SYS_ERR_DEST_TYPE_INVALID'], take(w.root, 40));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], take(w.rootSlot(1), 256));
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], take(w.rootSlot(0), 2));
    expectRefused(w, ['SYS_ERR_DEST_CNODE_INVALID'], take(w.at(0, 9)));
    expect(waiting(w)).toEqual(['0+2048']);
  });

  it('waits for whoever comes: the list is all in memory', () => {
    const w = new World();
    createFrames(w, 3);
    const other = new Caps(w.mem, w.caps.kcb, w.caps.hooks);
    expect([...eachFreeRam(other)]).toEqual([...eachFreeRam(w.caps)]);
    expect(waiting(w).length).toBe(3);
  });

  it('reads as an empty slot where a capability was', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.rootSlot(9)));
    expectOk(w, w.copyInto(w.at(1, 0), w.rootSlot(9), 0));
    const inside = ramAt(0) as typeof w.ram;
    expect(w.isEmpty(inside)).toBe(false);
    w.delete(w.ram);
    w.delete(w.rootSlot(9));
    expect(waiting(w)[0]).toBe('0+16');
    expect(w.isEmpty(inside)).toBe(true);
  });

  it('T20: is a whole page again when the objects in it die between two steps of a sweep', () => {
    const w = new World();
    // The last of the 64 descendants that a step looks at is half of what is in its page.
    const shared = 63;
    for (let i = 0; i < 80; i++) {
      if (i === shared) continue;
      expectOk(
        w,
        w.retype(w.ram, ObjType.Frame, w.at(1, 1 + i), { offset: i * PAGE, bytes: PAGE }),
      );
    }
    const tables = [w.at(2, 0), w.at(2, 1)];
    for (const [i, table] of tables.entries()) {
      const offset = shared * PAGE + i * 2 * KIB;
      expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l2, table, { offset }));
    }
    expectOk(w, w.deleteUnswept(w.ram));
    expectOk(w, deleteStep(w.caps));
    expect(isSweepPending(w.caps)).toBe(true);
    for (const table of tables) expectOk(w, w.deleteUnswept(table));
    expectOk(w, sweep(w.caps));
    for (let i = 0; i < 80; i++) if (i !== shared) expectOk(w, w.delete(w.at(1, 1 + i)));
    expect(Kcb.freeRamBytes.get(w.mem, w.caps.kcb)).toBe(RAM_BYTES);
  });
});

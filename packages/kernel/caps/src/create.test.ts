import { asPaddr, coreId, KernelPanic } from '@barreleye/core';
import { CAP_TYPE_INFO, Cte, CteFlag, ObjType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, KIB, PAGE, ramAt, World } from '../test/world.ts';
import { checkCaps } from './check.ts';
import { createCap, createMapping } from './create.ts';

describe('trusted creation', () => {
  it('T46: puts everything into the mapping database, at boot as ever', () => {
    for (const { type, identity } of CAP_TYPE_INFO) {
      if (type === ObjType.Null || identity === 'mapping' || identity === 'endpoint') continue;
      const w = new World();
      expectOk(w, w.delete(w.ram));
      createCap(w.caps, w.at(2, 0), type, {
        base: ramAt(64 * KIB),
        bytes: 16 * KIB,
        arg0: 4,
        arg1: 5,
      });
      expect(checkCaps(w.caps)).toEqual([]);
    }
  });

  it('T46: the KCB and the first mappings can be found and revoked like others', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.KernelControlBlock, { base: w.caps.kcb });
    createCap(w.caps, w.at(2, 1), ObjType.VNode_ARM_l2, { base: ramAt(-PAGE), isZeroed: true });
    createCap(w.caps, w.at(2, 2), ObjType.Frame, { base: ramAt(-2 * PAGE), bytes: PAGE });
    createMapping(w.caps, w.at(2, 3), {
      object: w.at(2, 2),
      table: w.at(2, 1),
      first: 0,
      count: 1,
    });
    expect(checkCaps(w.caps)).toEqual([]);
    expect(w.log).toEqual(['VNode_ARM_l2 +-4K made']);
  });

  it('zeroes only what it is told to', () => {
    const w = new World();
    const base = ramAt(-PAGE);
    w.mem.store32(base, 7);
    createCap(w.caps, w.at(2, 0), ObjType.Frame, { base, bytes: PAGE });
    expect(w.mem.load32(base)).toBe(7);
    createCap(w.caps, w.at(2, 1), ObjType.Frame, { base, bytes: PAGE, isZeroed: true });
    expect(w.mem.load32(base)).toBe(0);
  });

  it('marks what another core owns, and agrees with copies that are here (I29)', () => {
    const w = new World();
    const spec = { base: asPaddr(2 ** 32), bytes: PAGE, owner: coreId(2) };
    createCap(w.caps, w.at(2, 0), ObjType.Frame, spec);
    expect(Cte.flags.get(w.mem, w.at(2, 0))).toBe(CteFlag.RemoteCopies);
    Cte.flags.set(w.mem, w.at(2, 0), CteFlag.RemoteCopies | CteFlag.RemoteDescendants);
    createCap(w.caps, w.at(2, 1), ObjType.Frame, spec);
    expect(checkCaps(w.caps)).toEqual([]);
  });

  it('panics over what cannot be true', () => {
    const w = new World();
    const region = { base: ramAt(-PAGE), bytes: PAGE };
    const wrong = [
      () => createCap(w.caps, w.ram, ObjType.Kernel),
      () => createCap(w.caps, w.at(2, 0), ObjType.Null),
      () => createCap(w.caps, w.at(2, 0), ObjType.Frame_Mapping, region),
      () => createCap(w.caps, w.at(2, 0), ObjType.Frame, { ...region, bytes: 0 }),
      () => createCap(w.caps, w.at(2, 0), ObjType.Frame, { ...region, bytes: 100 }),
      () => createCap(w.caps, w.at(2, 0), ObjType.RAM, { ...region, base: ramAt(1024) }),
      () => createMapping(w.caps, w.at(2, 0), { object: w.ram, table: w.ram, first: 0, count: 1 }),
    ];
    for (const make of wrong) expect(make).toThrow(KernelPanic);
    expect(checkCaps(w.caps)).toEqual([]);
  });
});

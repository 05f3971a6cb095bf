import { coreId, OK } from '@barreleye/core';
import { Cte, CteFlag, Err, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { World } from '../test/world.ts';
import { createCap } from './create.ts';
import { checkAvailable, checkOwned, checkRights } from './guard.ts';

describe('the guards', () => {
  it('T40: look at the rights of the capability itself', () => {
    const w = new World();
    const readWrite = Rights.Read | Rights.Write;
    Cte.rights.set(w.mem, w.ram, readWrite);
    expect(checkRights(w.mem, w.ram, Rights.Write)).toBe(OK);
    expect(checkRights(w.mem, w.ram, readWrite)).toBe(OK);
    expect(checkRights(w.mem, w.ram, readWrite | Rights.Grant)).toBe(Err.SYS_ERR_CAP_RIGHTS);
  });

  it('stop what is locked or being deleted (I31)', () => {
    const w = new World();
    expect(checkOwned(w.caps, w.ram)).toBe(OK);
    for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
      Cte.flags.set(w.mem, w.ram, flag);
      expect(checkAvailable(w.caps, w.ram)).toBe(Err.SYS_ERR_CAP_LOCKED);
      expect(checkOwned(w.caps, w.ram)).toBe(Err.SYS_ERR_CAP_LOCKED);
    }
  });

  it('stop what another core owns, if its type has owners', () => {
    const w = new World();
    Cte.owner.set(w.mem, w.ram, coreId(1));
    expect(checkAvailable(w.caps, w.ram)).toBe(OK);
    expect(checkOwned(w.caps, w.ram)).toBe(Err.SYS_ERR_RETRY_THROUGH_MONITOR);
    createCap(w.caps, w.at(2, 0), ObjType.Kernel, { owner: coreId(1) });
    expect(checkOwned(w.caps, w.at(2, 0))).toBe(OK);
  });
});

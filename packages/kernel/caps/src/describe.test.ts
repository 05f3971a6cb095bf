import { asPaddr, asPtr } from '@barreleye/core';
import { Cte, CteFlag, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { PAGE, World } from '../test/world.ts';
import { createCap } from './create.ts';
import { describeRights } from './describe.ts';

describe('a description', () => {
  it('names type, place, size and rights', () => {
    const w = new World();
    const at = (i: number) => w.at(2, i);
    createCap(w.caps, at(0), ObjType.DevFrame, {
      base: asPaddr(0x1000_0000),
      bytes: 16 * PAGE,
      rights: Rights.All & ~Rights.Execute,
    });
    createCap(w.caps, at(1), ObjType.Kernel);
    createCap(w.caps, at(2), ObjType.ID, { arg0: 1, arg1: 7 });
    createCap(w.caps, at(3), ObjType.IO, { arg0: 0x60, arg1: 0x64 });
    expect(w.show(at(0))).toBe('DevFrame 0x10000000 (64 KiB) rw-giv');
    expect(w.show(at(1))).toBe('Kernel rwxgiv');
    expect(w.show(at(2))).toBe('ID 1.7 rwxgiv');
    expect(w.show(at(3))).toBe('IO 0x60..0x64 rwxgiv');
    expect(w.show(at(4))).toBe('Null');
    expect(w.show(asPtr<'Cte'>(at(5)))).toBe('Null');
  });

  it('says what is going on', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.ram, CteFlag.Locked | CteFlag.InDelete);
    expect(w.show(w.ram)).toBe('RAM 0x200000 (2 MiB) rwxgiv locked dying');
  });

  it('spells rights as letters', () => {
    expect(describeRights(0)).toBe('------');
    expect(describeRights(Rights.Read | Rights.Execute)).toBe('r-x---');
  });
});

import { asPaddr, asPtr, coreId, offset } from '@barreleye/core';
import {
  CAP_TYPE_INFO,
  type CapTypeInfo,
  CTE_BYTES,
  Cte,
  CteFlag,
  Kcb,
  ObjType,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, KIB, PAGE, ramAt, World } from '../test/world.ts';
import { checkCaps } from './check.ts';
import { type Entry, readEntry } from './check-entry.ts';
import { checkFreeRam } from './check-free-ram.ts';
import { checkObjects } from './check-objects.ts';
import { checkQueries } from './check-queries.ts';
import { checkTypes } from './check-types.ts';
import { createCap } from './create.ts';
import { keepRam } from './free-ram.ts';
import { eachCap } from './walk.ts';

/** Numbers of the invariants that the checker finds broken after `damage`. */
function foundAfter(damage: (w: World) => void): string[] {
  const w = new World();
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE, count: 20 }));
  expectOk(w, w.copy(w.at(1, 1), w.at(1, 40)));
  expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l2, w.at(1, 30), { offset: 128 * KIB }));
  w.map(w.at(1, 2), w.at(1, 30), w.at(1, 31), 0);
  damage(w);
  const problems = checkCaps(w.caps);
  return [...new Set(problems.map((line) => line.split(' ')[0] ?? ''))];
}

describe('the checker finds', () => {
  it('nothing when all is well', () => {
    expect(foundAfter(() => {})).toEqual([]);
  });

  it('I4: a frame in an L1 CNode', () => {
    const place = { base: ramAt(-PAGE), bytes: PAGE };
    const damage = (w: World) => createCap(w.caps, w.rootSlot(77), ObjType.Frame, place);
    expect(foundAfter(damage)).toEqual(['I4']);
  });

  it('I9: an empty slot with something in it', () => {
    expect(foundAfter((w) => w.mem.store32(offset(w.at(3, 3), 60), 1))).toEqual(['I9']);
  });

  it('I10: a size that the type forbids', () => {
    const damage = (w: World) => Cte.bytes.set(w.mem, w.at(1, 30), 512);
    expect(foundAfter(damage)).toContain('I26');
    expect(foundAfter((w) => Cte.base.set(w.mem, w.at(1, 20), ramAt(19 * PAGE + 8)))).not.toEqual(
      [],
    );
  });

  it('I13, I14: objects that overlap, or nest without descent', () => {
    const place = { base: ramAt(-PAGE), bytes: 2 * PAGE };
    const overlap = (w: World) => createCap(w.caps, w.at(3, 0), ObjType.RAM, place);
    expect(foundAfter(overlap)).toEqual(['I13']);
    const inFrame = { base: ramAt(PAGE), bytes: PAGE };
    expect(foundAfter((w) => createCap(w.caps, w.at(3, 0), ObjType.PhysAddr, inFrame))).toEqual([
      'I14',
    ]);
  });

  it('I15: memory with two uses', () => {
    const inFrame = { base: ramAt(PAGE), bytes: PAGE };
    expect(foundAfter((w) => createCap(w.caps, w.at(3, 0), ObjType.DevFrame, inFrame))).toEqual([
      'I15',
      'I14',
    ]);
  });

  it('I19, I21: free RAM that is listed twice or not counted', () => {
    const w = new World();
    const found = () => {
      const problems: string[] = [];
      checkFreeRam(w.caps, problems);
      return problems.map((line) => line.split(' ')[0]);
    };
    keepRam(w.caps, ramAt(-2 * PAGE), PAGE);
    expect(found()).toEqual([]);
    Kcb.freeRamBytes.set(w.mem, w.caps.kcb, 0);
    expect(found()).toEqual(['I19']);
    keepRam(w.caps, ramAt(-2 * PAGE), PAGE);
    expect(found()).toEqual(['I21']);
  });

  it('I25: a full slot that is not in the database, and the reverse', () => {
    expect(foundAfter((w) => Cte.type.set(w.mem, w.at(3, 0), ObjType.Kernel))).toEqual(['I25']);
    expect(foundAfter((w) => w.mem.zero(w.at(1, 1), CTE_BYTES))).toContain('I25');
    const stray = (w: World) => createCap(w.caps, asPtr<'Cte'>(ramAt(-CTE_BYTES)), ObjType.Kernel);
    expect(foundAfter(stray)).toEqual(['I25']);
  });

  it('I26: a tree that is out of order, out of balance or wrong about its ends', () => {
    const shift = (w: World) => Cte.base.set(w.mem, w.at(1, 10), ramAt(100 * PAGE));
    expect(foundAfter((w) => Cte.end.set(w.mem, w.at(1, 10), PAGE))).toEqual(['I26']);
    expect(foundAfter(shift)).toContain('I26');
    expect(foundAfter((w) => Cte.level.set(w.mem, w.at(1, 10), 9))).toEqual(['I26']);
    const circle = (w: World) =>
      Cte.right.set(w.mem, w.at(1, 10), Kcb.mdbRoot.get(w.mem, w.caps.kcb));
    expect(foundAfter(circle)).toContain('I26');
  });

  it('I29: copies that do not agree', () => {
    const damage = (w: World) => Cte.owner.set(w.mem, w.at(1, 40), coreId(3));
    expect(foundAfter(damage)).toEqual(['I29']);
  });

  it('I30: lists that are not what the flags say', () => {
    expect(foundAfter((w) => Cte.flags.set(w.mem, w.at(1, 9), CteFlag.InDelete))).toEqual(['I30']);
    const listed = (w: World) => Kcb.clearHead.set(w.mem, w.caps.kcb, w.at(1, 9) / CTE_BYTES);
    expect(foundAfter(listed)).toEqual(['I30']);
    const loop = (w: World) => {
      listed(w);
      Cte.flags.set(w.mem, w.at(1, 9), CteFlag.InDelete);
      Cte.next.set(w.mem, w.at(1, 9), w.at(1, 9) / CTE_BYTES);
    };
    expect(foundAfter(loop)).toEqual(['I30']);
  });

  it('I47, I48: mappings without their object or their table', () => {
    const pages = (w: World) => Cte.tableHead.set(w.mem, w.at(1, 31), 7);
    expect(foundAfter(pages)).not.toEqual([]);
    expect(foundAfter((w) => Cte.tableHead.set(w.mem, w.at(1, 30), 0))).toEqual(['I48']);
    const orphan = { base: asPaddr(0x7000_0000), arg1: 4 };
    const lost = (w: World) => createCap(w.caps, w.at(3, 0), ObjType.EndPointLMP, orphan);
    expect(foundAfter(lost)).toEqual(['I47']);
  });
});

describe('of entries that are not what is there, the checker finds', () => {
  /** Numbers of the invariants that are broken if the database held what `lie` makes of it. */
  function foundFor(
    check: typeof checkObjects,
    lie: (entries: Entry[], w: World) => Entry[],
  ): string[] {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE, count: 3 }));
    expectOk(w, w.copy(w.at(1, 1), w.at(1, 40)));
    const entries = Array.from(eachCap(w.caps), (slot) => readEntry(w.caps, slot));
    const problems: string[] = [];
    check(w.caps, lie(entries, w), problems);
    return [...new Set(problems.map((line) => line.split(' ')[0] ?? ''))];
  }

  it('I5: a CNode that ends before lookups do', () => {
    const shorten = (e: Entry) => (e.type === ObjType.L1CNode ? { ...e, end: e.end - 8192 } : e);
    expect(foundFor(checkQueries, (all) => all.map(shorten))).toContain('I5');
  });

  it('I23: a range that is free, but seems taken', () => {
    const without = (all: Entry[], w: World) => all.filter(({ slot }) => slot !== w.at(1, 2));
    expect(foundFor(checkQueries, without)).toContain('I23');
  });

  it('I28: copies that are apart', () => {
    const apart = (all: Entry[], w: World) => {
      const index = all.findIndex(({ slot }) => slot === w.at(1, 1));
      return [...all.slice(0, index), ...all.slice(index + 1), all[index] as Entry];
    };
    expect(foundFor(checkObjects, apart)).toContain('I28');
  });

  it('I32: descendants that queries do not see, or the reverse', () => {
    expect(foundFor(checkQueries, (all, w) => all.filter(({ slot }) => slot === w.ram))).toContain(
      'I32',
    );
  });

  it('I33: a range query that is wrong, or copies that queries see', () => {
    const alone = (all: Entry[], w: World) => all.filter(({ slot }) => slot !== w.at(1, 40));
    expect(foundFor(checkQueries, alone)).toEqual(['I33']);
  });
});

describe('of a table of types, the checker finds', () => {
  function foundIn(type: ObjType, change: Partial<CapTypeInfo>): string[] {
    const problems: string[] = [];
    checkTypes(
      CAP_TYPE_INFO.map((row) => (row.type === type ? { ...row, ...change } : row)),
      problems,
    );
    return problems.map((line) => line.split(' ')[0] ?? '');
  }

  it('I1: a type before its parent', () => {
    expect(foundIn(ObjType.RAM, { parents: [ObjType.Frame] })).toEqual(['I1']);
  });

  it('I3: a mapping that a retype makes', () => {
    expect(foundIn(ObjType.RAM, { mapping: true })).toContain('I3');
  });

  it('I18: RAM that can be mapped', () => {
    expect(foundIn(ObjType.RAM, { mappable: true })).toEqual(['I18']);
  });
});

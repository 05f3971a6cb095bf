import { asPaddr } from '@barreleye/core';
import { Cte, CteFlag, Kcb, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, PAGE, ramAt, World } from '../test/world.ts';
import { StepChecker, type StepKind } from './check-step.ts';
import { copyToSlot } from './copy.ts';
import { createCap, createMapping } from './create.ts';
import { leave } from './cte.ts';
import { revoke } from './revoke.ts';

/** Slots of the scene, by what is in them. */
const FRAME = 1;
const COPY = 2;
const OTHER = 3;
const TABLE = 4;
const MAPPING = 5;
const CNODE = 6;
const HELD = 7;
const FREE = 20;

/** RAM, two frames, a copy, a table with a mapping of the first frame, a CNode with a frame. */
function createScene(): World {
  const w = new World();
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, FRAME), { bytes: PAGE }));
  expectOk(w, w.copy(w.at(1, FRAME), w.at(1, COPY)));
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, OTHER), { offset: PAGE, bytes: PAGE }));
  const table = { offset: 8 * PAGE };
  expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_ptable, w.at(1, TABLE), table));
  w.map(w.at(1, FRAME), w.at(1, TABLE), w.at(1, MAPPING), 0);
  expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.at(1, CNODE), { offset: 16 * PAGE }));
  const held = { offset: 30 * PAGE, bytes: PAGE };
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, HELD), held));
  expectOk(w, w.copyInto(w.at(1, HELD), w.at(1, CNODE), 9));
  expectOk(w, w.delete(w.at(1, HELD)));
  return w;
}

/** Numbers of the invariants that a step of kind `kind` has broken when `act` was all it did. */
function foundAfter(
  kind: StepKind,
  act: (w: World) => void,
  options: { readonly target?: number; readonly isOk?: boolean } = {},
): string[] {
  const w = createScene();
  const checker = new StepChecker(w.caps);
  checker.begin();
  act(w);
  const { target = FRAME, isOk = true } = options;
  const problems = checker.end({ kind, target: w.at(1, target), isOk });
  return [...new Set(problems.map((line) => line.split(' ')[0] ?? ''))];
}

describe('the checker of steps finds', () => {
  it('nothing when operations do what they should', () => {
    const w = createScene();
    const checker = new StepChecker(w.caps);
    checker.begin();
    const step = (kind: StepKind, index: number, act: () => number): void => {
      const isOk = act() === 0;
      expect(checker.end({ kind, target: w.at(1, index), isOk })).toEqual([]);
    };
    step('retype', 0, () => w.retype(w.ram, ObjType.Frame, w.at(1, FREE), { bytes: 7 }));
    step('copy', FRAME, () => w.mint(w.at(1, FRAME), w.at(1, FREE), Rights.Read));
    step('revoke', FREE, () => revoke(w.caps, w.at(1, FREE)));
    step('delete', CNODE, () => w.delete(w.at(1, CNODE)));
    step('revoke', 0, () => revoke(w.caps, w.ram));
    step('delete', 0, () => w.delete(w.ram));
  });

  it('I2: a capability that comes from nothing', () => {
    const place = { base: asPaddr(0x7000_0000), bytes: PAGE };
    const act = (w: World) => createCap(w.caps, w.at(1, FREE), ObjType.DevFrame, place);
    expect(foundAfter('retype', act)).toEqual(['I2']);
  });

  it('I3: a mapping that no map operation has made', () => {
    const act = (w: World) => {
      const spec = { object: w.at(1, OTHER), table: w.at(1, TABLE), first: 7, count: 1 };
      createMapping(w.caps, w.at(1, FREE), spec);
    };
    expect(foundAfter('copy', act)).toEqual(['I3']);
    expect(foundAfter('map', act)).toEqual([]);
  });

  it('I6: a copy with more rights than there were', () => {
    const w = createScene();
    const device = { base: asPaddr(0x7000_0000), bytes: PAGE, rights: Rights.Read };
    createCap(w.caps, w.at(1, FREE), ObjType.DevFrame, device);
    const checker = new StepChecker(w.caps);
    checker.begin();
    copyToSlot(w.caps, w.at(1, FREE), w.at(1, FREE + 1));
    Cte.rights.set(w.mem, w.at(1, FREE + 1), Rights.All);
    expect(checker.end({ kind: 'copy', isOk: true })[0]).toMatch(/^I6 /);
  });

  it('I8: a failure that has changed something', () => {
    const act = (w: World) => Kcb.nextId.set(w.mem, w.caps.kcb, 77);
    expect(foundAfter('copy', act, { isOk: false })).toEqual(['I8']);
    expect(foundAfter('copy', () => {}, { isOk: false })).toEqual([]);
  });

  it('I9: a full slot that is overwritten', () => {
    const act = (w: World) => {
      leave(w.caps, w.at(1, OTHER));
      copyToSlot(w.caps, w.at(1, FRAME), w.at(1, OTHER));
    };
    expect(foundAfter('copy', act)).toEqual(['I9']);
  });

  it('I17: a new object in dirty memory', () => {
    const act = (w: World) => {
      expectOk(
        w,
        w.retype(w.ram, ObjType.Frame, w.at(1, FREE), { offset: 40 * PAGE, bytes: PAGE }),
      );
      w.mem.store32(ramAt(41 * PAGE - 4), 1);
    };
    expect(foundAfter('retype', act)).toEqual(['I17']);
  });

  it('I19: RAM that is lost', () => {
    const act = (w: World) => {
      leave(w.caps, w.at(1, OTHER));
      leave(w.caps, w.ram);
    };
    expect(foundAfter('delete', act)).toContain('I19');
  });

  it('I20, I38: RAM that goes back while it is in use', () => {
    const cover = (w: World) => w.caps.hooks.ramFreed(ramAt(PAGE), PAGE);
    expect(foundAfter('delete', cover)).toContain('I20');
    const hold = (w: World) => w.caps.hooks.ramFreed(ramAt(16 * PAGE), PAGE);
    expect(foundAfter('delete', hold)).toContain('I38');
  });

  it('I21, I22: RAM that goes back twice, or was none', () => {
    const twice = (w: World) => {
      for (let i = 0; i < 2; i++) w.caps.hooks.ramFreed(ramAt(50 * PAGE), PAGE);
    };
    expect(foundAfter('delete', twice)).toContain('I21');
    const device = (w: World) => w.caps.hooks.ramFreed(asPaddr(0x7000_0000), PAGE);
    expect(foundAfter('delete', device)).toContain('I22');
  });

  it('I27: a capability that says something else than before', () => {
    const narrow = (w: World) => Cte.rights.set(w.mem, w.at(1, OTHER), 0);
    expect(foundAfter('copy', narrow)).toEqual(['I27']);
  });

  it('I31: a copy of what is locked', () => {
    const w = createScene();
    const device = { base: asPaddr(0x7000_0000), bytes: PAGE };
    createCap(w.caps, w.at(1, FREE), ObjType.DevFrame, device);
    Cte.flags.set(w.mem, w.at(1, FREE), CteFlag.Locked);
    const checker = new StepChecker(w.caps);
    checker.begin();
    createCap(w.caps, w.at(1, FREE + 1), ObjType.DevFrame, device);
    expect(checker.end({ kind: 'copy', isOk: true })[0]).toMatch(/^I31 /);
  });

  it('I34: a revoke that leaves something, or takes its target', () => {
    const half = (w: World) => leave(w.caps, w.at(1, COPY));
    expect(foundAfter('revoke', half)).toEqual(['I34']);
    const own = (w: World) => leave(w.caps, w.at(1, OTHER));
    expect(foundAfter('revoke', own, { target: OTHER })).toContain('I34');
  });

  it('I36: a delete that leaves its slot full, or what hung on the object', () => {
    expect(foundAfter('delete', () => {}, { target: OTHER })).toEqual(['I36']);
    const leaf = (w: World) => {
      leave(w.caps, w.at(1, FRAME));
      leave(w.caps, w.at(1, COPY));
    };
    expect(foundAfter('delete', leaf, { target: FRAME })).toContain('I37');
  });

  it('I37: something that goes without reason', () => {
    const more = (w: World) => {
      expectOk(w, w.delete(w.at(1, COPY)));
      leave(w.caps, w.at(1, OTHER));
    };
    expect(foundAfter('delete', more, { target: COPY })).toEqual(['I37']);
  });
});

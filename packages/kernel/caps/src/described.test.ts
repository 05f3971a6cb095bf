import { coreId, highWord, lowWord } from '@barreleye/core';
import { CAP_TYPE_INFO, Cte, CteFlag, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, RAM_BASE, World } from '../test/world.ts';
import {
  checkRetypeable,
  clearScratch,
  copyExisting,
  createDescribed,
  readDescription,
} from './described.ts';
import { deleteForeigns, setOwner } from './monitor.ts';
import { hasCopies, isCopy } from './relations.ts';
import { markTarget } from './revoke.ts';

/** What a description says besides its type; memory from the start of RAM. */
interface Description {
  readonly offset?: number;
  readonly bytes?: number;
  readonly owner?: number;
  readonly rights?: number;
  readonly iftype?: number;
  readonly args?: readonly [number, number];
}

function words(type: number, d: Description = {}): Uint32Array {
  const { offset = 0, bytes = PAGE, owner = 0, rights = Rights.All, iftype = 0, args = [] } = d;
  const info = CAP_TYPE_INFO[type];
  const isMemory = info === undefined || info.identity === 'region' || info.identity === 'object';
  const base = isMemory ? RAM_BASE + offset : 0;
  const size = isMemory ? info?.bytes || bytes : 0;
  const head = type + rights * 0x100 + iftype * 0x1_0000;
  const extent = [lowWord(base), highWord(base), lowWord(size), highWord(size)];
  return Uint32Array.from([head, ...extent, owner, ...args]);
}

/** Say what it is, do something with it, and forget it. */
function about<T>(w: World, described: Uint32Array, act: () => T): T {
  expectOk(w, readDescription(w.caps, described));
  const result = act();
  clearScratch(w.caps);
  return result;
}

function create(w: World, type: number, d: Description, index = 0) {
  return () => about(w, words(type, d), () => createDescribed(w.caps, w.rootSlot(3), index));
}

/** The RAM becomes another core's, and this one forgets it: nobody has it back. */
function giveAway(w: World): void {
  expectOk(w, setOwner(w.caps, w.ram, coreId(9)));
  expectOk(w, deleteForeigns(w.caps, w.ram));
}

describe('a description', () => {
  it('is refused when no capability could say it', () => {
    const w = new World();
    const read = (described: Uint32Array) => () => readDescription(w.caps, described);
    for (const type of [0, 51, 255, ObjType.Frame_Mapping, ObjType.VNode_ARM_l1_Mapping]) {
      expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], read(words(type)));
    }
    const wrong = words(ObjType.Frame);
    for (const [i, word] of [
      [1, 0x800], // base
      [2, 0x10_0000],
      [2, 0xffff_ffff],
      [3, 0x1800], // bytes
      [3, 0],
      [4, 0xffff_ffff],
      [4, 0x10_0000],
      [5, 255], // owner
      [5, 256],
      [0, ObjType.Frame + 0x4000], // rights
    ] as const) {
      const changed = wrong.slice();
      changed[i] = word;
      expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], read(changed));
    }
    expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], read(words(ObjType.IO, { args: [9, 8] })));
    for (const type of [ObjType.ID, ObjType.Domain, ObjType.IRQDest, ObjType.Notify_IPI]) {
      for (const core of [255, 2 ** 21, 2 ** 32 - 1]) {
        expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], read(words(type, { args: [core, 1] })));
      }
    }
    const table = words(ObjType.VNode_ARM_l1);
    table[3] = PAGE;
    expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], read(table));
  });
});

describe('a capability from another core', () => {
  it('says what was described, and is another copy of one that is here', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.EndPointUMP, w.at(1, 1), { bytes: PAGE }));
    Cte.flags.set(w.mem, w.at(1, 1), CteFlag.RemoteCopies | CteFlag.Locked);
    expectOk(w, create(w, ObjType.EndPointUMP, { rights: Rights.Read, iftype: 7 })());
    expect(w.show(w.at(3, 0))).toBe('EndPointUMP 0x200000 (4 KiB) r----- locked');
    expect(Cte.iftype.get(w.mem, w.at(3, 0))).toBe(7);
    expect(isCopy(w.caps, w.at(1, 1), w.at(3, 0))).toBe(true);
    const other = create(w, ObjType.EndPointUMP, { owner: 1 }, 1);
    expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], other);
  });

  it('is no copy of one that is being deleted', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l1, w.at(1, 1)));
    Cte.flags.set(w.mem, w.at(1, 1), CteFlag.RemoteCopies);
    expectOk(w, markTarget(w.caps, w.ram));
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], create(w, ObjType.VNode_ARM_l1, {}));
  });

  it('is none of RAM that waits to be collected (I21)', () => {
    const w = new World();
    expectOk(w, w.delete(w.ram));
    for (const type of [ObjType.PhysAddr, ObjType.RAM, ObjType.Frame, ObjType.DevFrame]) {
      expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], create(w, type, { offset: PAGE }));
    }
  });

  it('T12: has an owner, and the relations that follow from it', () => {
    const w = new World();
    giveAway(w);
    for (const [owner, flags] of [
      [3, CteFlag.RemoteCopies],
      [0, CteFlag.RemoteAncestors],
    ] as const) {
      expectOk(w, create(w, ObjType.Frame, { owner, offset: owner * PAGE }, owner)());
      expect(Cte.owner.get(w.mem, w.at(3, owner))).toBe(owner);
      expect(Cte.flags.get(w.mem, w.at(3, owner))).toBe(flags);
    }
    expectOk(w, create(w, ObjType.IO, { args: [5, 9] }, 9)());
    expect(w.show(w.at(3, 9))).toBe('IO 0x5..0x9 rwxgiv');
    expect(Cte.flags.get(w.mem, w.at(3, 9))).toBe(0);
  });

  it('is of a type that may leave its core (T32)', () => {
    for (const { type, sendable, mapping, zeroed, moveable } of CAP_TYPE_INFO.slice(1)) {
      if (mapping) continue;
      const w = new World();
      giveAway(w);
      const foreign = create(w, type, { owner: 1, offset: 64 * KIB, bytes: 16 * KIB });
      if (sendable) expectOk(w, foreign());
      else expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], foreign);
      const own = create(w, type, { offset: 256 * KIB, bytes: 16 * KIB }, 1);
      const isKernelObject = zeroed && !moveable;
      if (sendable && !isKernelObject) expectOk(w, own());
      else expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], own);
    }
  });

  it('lies to what is known here as if the one were made from the other (I13, I14)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: 64 * KIB, bytes: 64 * KIB }));
    const no = ['SYS_ERR_REVOKE_FIRST'] as const;
    const at = (offset: number, bytes: number) => ({ offset, bytes, owner: 1 });
    expectRefused(w, no, create(w, ObjType.L2CNode, at(64 * KIB, 0)));
    expectRefused(w, no, create(w, ObjType.RAM, at(64 * KIB, PAGE)));
    expectRefused(w, no, create(w, ObjType.Frame, at(60 * KIB, 8 * KIB)));
    expectRefused(w, no, create(w, ObjType.EndPointUMP, at(0, 2048 * KIB)));
    expectRefused(w, no, create(w, ObjType.L1CNode, at(0, 128 * KIB)));
    expectOk(w, create(w, ObjType.Frame, at(68 * KIB, PAGE))());
    expectOk(w, create(w, ObjType.RAM, at(64 * KIB, 64 * KIB), 1)());
    expectOk(w, create(w, ObjType.RAM, at(0, 512 * KIB), 2)());
    expectOk(w, create(w, ObjType.PhysAddr, at(0, 2048 * KIB), 3)());
  });

  it('never lies around what could not be made from it, whichever type is first (I15)', () => {
    for (const [inside, around] of [
      [ObjType.Dispatcher, ObjType.Frame],
      [ObjType.L2CNode, ObjType.EndPointUMP],
      [ObjType.Frame, ObjType.DevFrame],
      [ObjType.VNode_ARM_l2, ObjType.KernelControlBlock],
    ] as const) {
      const w = new World();
      const bytes = inside === ObjType.Frame ? PAGE : 0;
      expectOk(w, w.retype(w.ram, inside, w.at(1, 1), { offset: 64 * KIB, bytes }));
      giveAway(w);
      const described = create(w, around, { offset: 0, bytes: 128 * KIB, owner: 1 });
      expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], described);
    }
  });

  it('is backed by RAM, if its type is, and goes to a slot that may hold it', () => {
    const w = new World();
    const far = create(w, ObjType.RAM, { offset: 2 ** 40 });
    expectRefused(w, ['SYS_ERR_INVARGS_SYSCALL'], far);
    expectOk(w, create(w, ObjType.DevFrame, { offset: 2 ** 40 })());
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], create(w, ObjType.Frame, { owner: 1 }, 0));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], create(w, ObjType.Frame, { owner: 1 }, 256));
  });
});

describe('a copy of what another core describes', () => {
  it('has the rights that both have', () => {
    const w = new World();
    Cte.rights.set(w.mem, w.ram, Rights.Read | Rights.Write);
    const call =
      (bytes: number, index = 4) =>
      () =>
        about(w, words(ObjType.RAM, { bytes, rights: Rights.Write | Rights.Grant, owner: 9 }), () =>
          copyExisting(w.caps, w.rootSlot(3), index),
        );
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], call(PAGE));
    expectOk(w, call(2048 * KIB)());
    expect(w.show(w.at(3, 4))).toBe('RAM 0x200000 (2 MiB) -w----');
    expect(hasCopies(w.caps, w.ram)).toBe(true);
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], call(2048 * KIB));
    for (const slot of [w.ram, w.at(3, 4)]) Cte.flags.set(w.mem, slot, CteFlag.Locked);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], call(2048 * KIB, 5));
  });
});

describe('whether a described object can be retyped', () => {
  it('depends on what was made of it here, as for a retype here (T49)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: 8 * PAGE, bytes: PAGE }));
    const ask =
      (offset: number, bytes: number, count = 1, total = 2048 * KIB) =>
      () =>
        about(w, words(ObjType.RAM, { bytes: total }), () =>
          checkRetypeable(w.caps, offset, bytes, count),
        );
    const yes = (call: ReturnType<typeof ask>) => expectOk(w, call());
    yes(ask(0, PAGE, 8));
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], ask(0, PAGE, 9));
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], ask(8 * PAGE, PAGE));
    yes(ask(9 * PAGE, PAGE));
    yes(ask(0, PAGE, 1, 8 * PAGE)); // inside the RAM that is here
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], ask(0, 0));
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], ask(0, Number.NaN));
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], ask(0, 2048 * KIB + PAGE));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], ask(0, PAGE, 513));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], ask(0, PAGE, 0));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], ask(PAGE, PAGE, 512));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], ask(Number.NaN, PAGE));
    w.delete(w.ram);
    yes(ask(0, PAGE, 8));
  });
});

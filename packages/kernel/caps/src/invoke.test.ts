import { asPtr, type Errval, highWord } from '@barreleye/core';
import { Cte, CteFlag, capAddrOf, Dcb, Kcb, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, ramAt, World } from '../test/world.ts';
import { copyToSlot } from './copy.ts';
import { createCap } from './create.ts';
import { lookupSlot, slotAt } from './cspace.ts';
import { createIdentification, STATE_FOREIGN } from './identify.ts';
import {
  invokeCopy,
  invokeCreate,
  invokeDelete,
  invokeGetState,
  invokeIdentify,
  invokeMint,
  invokeResize,
  invokeRetype,
  invokeRevoke,
} from './invoke.ts';
import { hasCopies } from './relations.ts';
import { errorOf, type Slot, slotOf } from './slot.ts';
import { sweep } from './sweep.ts';

/** Addresses in the root CNode of the world. */
const ROOT = 2; // the root CNode itself, at level 2
const RAM = capAddrOf(1, 0);
const CNODE1 = capAddrOf(1, 0); // CNode 1, at level 1
const NOTHING = capAddrOf(3, 77);
const NO_CNODE = capAddrOf(99, 0);
/** Where tests of resize put a new root. */
const NEW_ROOT = capAddrOf(2, 0);
/** Level 1 of a CNode, as the words that pack it with a slot have it. */
const LEVEL_1 = 1 << 24;
const MIB = 1024 * KIB;

function words(...values: number[]): Uint32Array {
  return Uint32Array.from(values);
}

function copyArgs(
  o: { cspace?: number; cnode?: number; slot?: number; from?: number; cap?: number } & {
    level?: number;
    sourceLevel?: number;
    params?: number[];
  } = {},
): Uint32Array {
  const { cspace = ROOT, cnode = CNODE1, slot = 5, from = ROOT, cap = RAM } = o;
  const { level = 1, sourceLevel = 2, params = [] } = o;
  return words(cspace, cnode, slot, from, cap, level | (sourceLevel << 4), ...params);
}

function retypeArgs(
  o: { from?: number; cap?: number; offset?: number; type?: number; count?: number } & {
    bytes?: number;
    cspace?: number;
    cnode?: number;
    slot?: number;
    level?: number;
  } = {},
): Uint32Array {
  const { from = ROOT, cap = RAM, offset = 0, type = ObjType.Frame, count = 1 } = o;
  const { bytes = PAGE, cspace = ROOT, cnode = CNODE1, slot = 5, level = 1 } = o;
  return words(
    ...[from, cap, offset, highWord(offset), type | (count << 16), bytes, highWord(bytes)],
    ...[cspace, cnode, slot | (level << 24)],
  );
}

describe('delete and revoke', () => {
  it('T40: never change the slot of the invoked CNode, which may be in a read-only one', () => {
    const w = new World();
    for (const cnode of [w.root, w.rootSlot(1), w.at(0, 2)]) {
      for (const invoke of [invokeDelete, invokeRevoke]) {
        expectRefused(w, ['SYS_ERR_CAP_LOOKUP_DEPTH'], () => invoke(w.caps, cnode, words(0, 0)));
      }
    }
  });
});

describe('the copy invocation', () => {
  const call =
    (w: World, args: Uint32Array, root = w.root) =>
    () =>
      invokeCopy(w.caps, root, args);

  it('copies from any level to any CNode', () => {
    const w = new World();
    expectOk(w, call(w, copyArgs())());
    expect(w.show(w.at(1, 5))).toBe(w.show(w.ram));
    const task = copyArgs({ cap: capAddrOf(3, 0), sourceLevel: 1, cnode: 0, level: 0, slot: 44 });
    expectOk(w, call(w, task)());
    expect(w.show(w.rootSlot(44))).toBe(w.show(w.rootSlot(3)));
    expectOk(w, call(w, copyArgs({ sourceLevel: 0, slot: 6 }))());
    expect(w.show(w.at(1, 6)), 'level 0 is the root of the source space').toBe(w.show(w.at(0, 2)));
  });

  it('reports in the order of the reference what cannot be found', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_CNODE_NOT_ROOT'], call(w, copyArgs(), w.rootSlot(1)));
    expectRefused(
      w,
      ['SYS_ERR_SOURCE_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, copyArgs({ from: NOTHING, cap: NOTHING, cspace: NOTHING })),
    );
    expectRefused(w, ['SYS_ERR_CNODE_NOT_ROOT'], call(w, copyArgs({ from: RAM, cspace: NOTHING })));
    expectRefused(
      w,
      ['SYS_ERR_SOURCE_CAP_LOOKUP', 'SYS_ERR_CNODE_NOT_FOUND'],
      call(w, copyArgs({ cap: NO_CNODE, cspace: NOTHING })),
    );
    expectRefused(
      w,
      ['SYS_ERR_SOURCE_CAP_LOOKUP', 'SYS_ERR_CAP_LOOKUP_DEPTH'],
      call(w, copyArgs({ sourceLevel: 3 })),
    );
    expectRefused(
      w,
      ['SYS_ERR_DEST_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, copyArgs({ cspace: NOTHING, cnode: NO_CNODE })),
    );
    expectRefused(w, ['SYS_ERR_CNODE_TYPE'], call(w, copyArgs({ cspace: RAM, cnode: NO_CNODE })));
    expectRefused(
      w,
      ['SYS_ERR_DEST_CNODE_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, copyArgs({ cnode: NO_CNODE })),
    );
    expectRefused(w, ['SYS_ERR_DEST_TYPE_INVALID'], call(w, copyArgs({ cnode: RAM, level: 2 })));
    expectRefused(w, ['SYS_ERR_DEST_TYPE_INVALID'], call(w, copyArgs({ level: 0, slot: 44 })));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], call(w, copyArgs({ slot: 256 })));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], call(w, copyArgs({ slot: 0xffff_ffff })));
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], call(w, copyArgs({ slot: 0 })));
  });

  it('needs the write right on the destination path', () => {
    const w = new World();
    Cte.rights.set(w.mem, w.at(0, 2), Rights.Read);
    const names = ['SYS_ERR_DEST_CNODE_LOOKUP', 'SYS_ERR_CNODE_RIGHTS'] as const;
    expectRefused(w, names, call(w, copyArgs()));
  });

  it('takes missing words as zero', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_SOURCE_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'], call(w, words()));
  });

  it('mints with rights to keep and two parameters', () => {
    const w = new World();
    const args = copyArgs({ params: [Rights.Read, 0, 0] });
    expectOk(w, invokeMint(w.caps, w.root, args));
    expect(w.show(w.at(1, 5))).toBe('RAM 0x200000 (2 MiB) r-----');
    expectOk(w, invokeCopy(w.caps, w.root, copyArgs({ slot: 6, params: [Rights.Read, 0, 0] })));
    expect(w.show(w.at(1, 6))).toBe('RAM 0x200000 (2 MiB) rwxgiv');
    createCap(w.caps, w.at(1, 7), ObjType.IO, { arg0: 0x60, arg1: 0x64 });
    const ports = { cap: capAddrOf(1, 7), slot: 8, params: [Rights.Write, 0x60, 0x61] };
    expectOk(w, invokeMint(w.caps, w.root, copyArgs(ports)));
    expect(w.show(w.at(1, 8))).toBe('IO 0x60..0x61 -w----');
  });
});

describe('the retype invocation', () => {
  const call = (w: World, args: Uint32Array) => () => invokeRetype(w.caps, w.root, args);

  it('unpacks type and count, and offsets and sizes of two words', () => {
    const w = new World();
    expectOk(w, call(w, retypeArgs({ offset: 64 * KIB, bytes: 8 * KIB, count: 3 }))());
    expect(w.show(w.at(1, 7))).toBe('Frame 0x214000 (8 KiB) rwxgiv');
    expectRefused(
      w,
      ['SYS_ERR_RETYPE_INVALID_OFFSET'],
      call(w, retypeArgs({ offset: 2 ** 32, slot: 9 })),
    );
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(w, retypeArgs({ bytes: 2 ** 40, slot: 9 })));
    expectOk(
      w,
      call(w, retypeArgs({ type: ObjType.L2CNode, bytes: 0, level: 0, slot: 50, cnode: 0 }))(),
    );
  });

  it('T3: takes words beyond exact numbers as out of range', () => {
    const w = new World();
    const args = retypeArgs();
    args[3] = 0xffff_ffff;
    args[2] = 0xffff_f000;
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(w, args));
    const sizes = retypeArgs();
    sizes[6] = 0xffff_ffff;
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(w, sizes));
  });

  it('reports in the order of the reference what cannot be found', () => {
    const w = new World();
    const lost = { from: NOTHING, cap: NOTHING, cspace: NOTHING, cnode: NO_CNODE };
    expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], call(w, retypeArgs({ ...lost, type: 0 })));
    expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], call(w, retypeArgs({ ...lost, type: 999 })));
    expectRefused(
      w,
      ['SYS_ERR_SOURCE_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, retypeArgs(lost)),
    );
    expectRefused(
      w,
      ['SYS_ERR_SOURCE_CAP_LOOKUP', 'SYS_ERR_CNODE_TYPE'],
      call(w, retypeArgs({ ...lost, from: RAM })),
    );
    expectRefused(
      w,
      ['SYS_ERR_SOURCE_CAP_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, retypeArgs({ ...lost, from: ROOT })),
    );
    expectRefused(
      w,
      ['SYS_ERR_DEST_ROOTCN_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, retypeArgs({ cspace: NOTHING, cnode: NO_CNODE })),
    );
    expectRefused(w, ['SYS_ERR_CNODE_TYPE'], call(w, retypeArgs({ cspace: RAM, cnode: NO_CNODE })));
    expectRefused(
      w,
      ['SYS_ERR_DEST_CNODE_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(w, retypeArgs({ cnode: NO_CNODE })),
    );
    expectRefused(
      w,
      ['SYS_ERR_DEST_CNODE_INVALID'],
      call(w, retypeArgs({ cnode: RAM, level: 2, offset: 1 })),
    );
  });

  it('lets the monitor retype what is locked or owned elsewhere', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.ram, CteFlag.Locked);
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], call(w, retypeArgs()));
    expectOk(w, invokeRetype(w.caps, w.root, retypeArgs(), true));
  });
});

describe.each([
  ['read-only', Rights.All & ~Rights.Write],
  ['write-only', Rights.All & ~Rights.Read],
])('a %s CNode takes no capability', (_, rights) => {
  /** CNode 3, which only the call under test writes to. */
  function limited(): World {
    const w = new World();
    createCap(w.caps, w.at(1, 9), ObjType.IO, { arg0: 0, arg1: 9 });
    expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(2, 0), { bytes: 32 * KIB }));
    Cte.rights.set(w.mem, w.rootSlot(3), rights);
    return w;
  }
  const place = { cnode: capAddrOf(3, 0), slot: 5 };

  it.each<[string, (w: World) => Errval]>([
    ['copied', (w) => invokeCopy(w.caps, w.root, copyArgs(place))],
    ['minted', (w) => invokeMint(w.caps, w.root, copyArgs({ ...place, params: [1] }))],
    ['retyped', (w) => invokeRetype(w.caps, w.root, retypeArgs({ ...place, offset: MIB }))],
    ['created', (w) => invokeCreate(w.caps, w.root, words(ObjType.ID, place.cnode, LEVEL_1 | 5))],
    ['resized', (w) => invokeResize(w.caps, w.at(0, 2), words(NEW_ROOT, place.cnode, 5))],
  ])('%s', (_operation, operate) => {
    const w = limited();
    expectRefused(w, ['SYS_ERR_CNODE_RIGHTS'], () => operate(w));
    Cte.rights.set(w.mem, w.rootSlot(3), Rights.Read | Rights.Write);
    expectOk(w, operate(w));
  });

  it('nor loses one', () => {
    const w = limited();
    Cte.rights.set(w.mem, w.rootSlot(1), rights);
    const remove = () => invokeDelete(w.caps, w.root, words(capAddrOf(1, 9), 2));
    expectRefused(w, ['SYS_ERR_CNODE_RIGHTS'], remove);
    Cte.rights.set(w.mem, w.rootSlot(1), Rights.Read | Rights.Write);
    expectOk(w, remove());
  });
});

describe('other invocations', () => {
  it('delete empties a slot and leaves the rest to the sweep', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () =>
      invokeDelete(w.caps, w.root, words(NOTHING, 2)),
    );
    expectRefused(w, ['SYS_ERR_CAP_LOOKUP_DEPTH'], () =>
      invokeDelete(w.caps, w.root, words(RAM, 9)),
    );
    expectOk(w, w.retype(w.ram, ObjType.L2CNode, w.rootSlot(9), { bytes: 16 * KIB }));
    expectOk(w, invokeDelete(w.caps, w.root, words(capAddrOf(9, 0), 1)));
    expect(w.isEmpty(w.rootSlot(9))).toBe(false);
    expectOk(w, sweep(w.caps));
    expect(w.isEmpty(w.rootSlot(9))).toBe(true);
    expectOk(w, invokeDelete(w.caps, w.root, words(RAM, 2)));
    expect(w.isEmpty(w.ram)).toBe(true);
  });

  it('revoke needs to read and write on the path, and does all of it', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(2, 0), { bytes: PAGE, count: 9 }));
    Cte.rights.set(w.mem, w.rootSlot(1), Rights.Read);
    expectRefused(w, ['SYS_ERR_CNODE_RIGHTS'], () => invokeRevoke(w.caps, w.root, words(RAM, 2)));
    Cte.rights.set(w.mem, w.rootSlot(1), Rights.All);
    expectOk(w, invokeRevoke(w.caps, w.root, words(RAM, 2)));
    expect(w.dump()).toEqual(['RAM +0K 2048K']);
  });

  it('create makes identifiers of this core, and nothing else', () => {
    const w = new World({ core: 3 });
    const call =
      (type: number, cnode: number, slot: number, level = 1) =>
      () =>
        invokeCreate(w.caps, w.root, words(type, cnode, slot | (level << 24)));
    expectOk(w, call(ObjType.ID, CNODE1, 5)());
    expectOk(w, call(ObjType.ID, CNODE1, 6)());
    expect(w.show(w.at(1, 5))).toBe('ID 3.1 rwxgiv');
    expect(w.show(w.at(1, 6))).toBe('ID 3.2 rwxgiv');
    expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], call(0, NO_CNODE, 7));
    expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], call(200, NO_CNODE, 7));
    expectRefused(
      w,
      ['SYS_ERR_DEST_CNODE_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'],
      call(ObjType.RAM, NO_CNODE, 7),
    );
    expectRefused(w, ['SYS_ERR_SLOTS_IN_USE'], call(ObjType.RAM, CNODE1, 5));
    expectRefused(w, ['SYS_ERR_TYPE_NOT_CREATABLE'], call(ObjType.RAM, CNODE1, 7));
    expectRefused(w, ['SYS_ERR_DEST_CNODE_INVALID'], call(ObjType.ID, RAM, 7, 2));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], call(ObjType.ID, CNODE1, 256));
    expectRefused(w, ['SYS_ERR_DEST_TYPE_INVALID'], call(ObjType.ID, 0, 99, 0));
    Kcb.nextId.set(w.mem, w.caps.kcb, 0xffff_ffff);
    expectRefused(w, ['SYS_ERR_ID_SPACE_EXHAUSTED'], call(ObjType.ID, CNODE1, 7));
  });

  it('get state tells owner and flags', () => {
    const w = new World();
    const state = (addr: number) => invokeGetState(w.caps, w.root, words(addr, 2));
    expect(state(RAM)).toBe(0);
    Cte.flags.set(w.mem, w.ram, CteFlag.Locked | CteFlag.RemoteCopies);
    Cte.owner.set(w.mem, w.ram, w.caps.coreId);
    expect(state(RAM)).toBe(CteFlag.Locked | CteFlag.RemoteCopies);
    const foreign = new World({ core: 1 });
    foreign.mem.store8(ramAt(0), 0);
    foreign.mem.store8((foreign.ram + 2) as typeof foreign.ram, 0);
    expect(invokeGetState(foreign.caps, foreign.root, words(RAM, 2))).toBe(STATE_FOREIGN);
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => errorOf(state(NOTHING)));
  });

  it('identify tells what a capability says, given all rights on the path', () => {
    const w = new World({ core: 4 });
    const out = createIdentification();
    expectOk(w, invokeIdentify(w.caps, w.root, words(RAM, 2), out));
    const owner = w.caps.coreId;
    const region = { base: 0x20_0000, bytes: 0x20_0000, arg0: 0, arg1: 0, iftype: 0 };
    expect(out).toEqual({ type: ObjType.RAM, rights: Rights.All, owner, ...region });
    Cte.rights.set(w.mem, w.rootSlot(1), Rights.Read | Rights.Write);
    expectRefused(w, ['SYS_ERR_CNODE_RIGHTS'], () =>
      invokeIdentify(w.caps, w.root, words(RAM, 2), out),
    );
  });
});

describe('the resize invocation', () => {
  /** A new root of `bytes` bytes in slot (2, 0); the invoked root is slot 2 of the task CNode. */
  function createRoot(w: World, bytes: number): Slot {
    expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(2, 0), { bytes }));
    return w.at(2, 0);
  }
  const call = (w: World, newRoot: number, cnode: number, slot: number) => () =>
    invokeResize(w.caps, w.at(0, 2), words(newRoot, cnode, slot));

  it('keeps every address valid and hands the old root back', () => {
    const w = new World();
    createRoot(w, 64 * KIB);
    expectOk(w, call(w, NEW_ROOT, capAddrOf(3, 0), 8)());
    expect(w.show(w.at(0, 2))).toBe('L1CNode 0x200000 (64 KiB) rwxgiv');
    expect(w.show(w.root), 'the dispatcher follows').toBe('L1CNode 0x200000 (64 KiB) rwxgiv');
    const old = slotAt(w.mem, w.rootSlot(3), 8);
    expect(w.show(old)).toBe('L1CNode 0x120000 (16 KiB) rwxgiv');
    const out = createIdentification();
    expectOk(w, invokeIdentify(w.caps, w.at(0, 2), words(RAM, 2), out));
    expect(out.type).toBe(ObjType.RAM);
    expectOk(w, w.delete(old));
    expectOk(w, invokeIdentify(w.caps, w.at(0, 2), words(capAddrOf(2, 0), 2), out));
    expectOk(w, invokeCopy(w.caps, w.at(0, 2), copyArgs({ slot: 9 })));
  });

  it('takes every other capability of the old root along: dispatchers, the KCB, slots', () => {
    const w = new World();
    createRoot(w, 64 * KIB);
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(2, 1), { offset: 64 * KIB, count: 2 }));
    const dcbs = [w.at(2, 1), w.at(2, 2)].map((slot) => asPtr<'Dcb'>(Cte.base.get(w.mem, slot)));
    const [mine, other] = dcbs.map((dcb) => Dcb.cspace.at(dcb)) as [Slot, Slot];
    copyToSlot(w.caps, w.root, mine);
    copyToSlot(w.caps, w.root, other);
    expectOk(w, w.mint(w.root, w.at(2, 3), Rights.Read));
    expectOk(w, call(w, NEW_ROOT, capAddrOf(3, 0), 8)());
    for (const slot of [w.root, mine, other, w.at(0, 2)]) {
      expect(w.show(slot)).toBe('L1CNode 0x200000 (64 KiB) rwxgiv');
      expect(w.show(slotOf(lookupSlot(w.caps, slot, RAM, 2, Rights.Read)))).toBe(w.show(w.ram));
    }
    expect(w.show(w.at(2, 3)), 'with the rights that it had').toBe(
      'L1CNode 0x200000 (64 KiB) r-----',
    );
    expect(hasCopies(w.caps, w.at(3, 8)), 'the old root').toBe(false);
    expectOk(w, w.delete(w.at(3, 8)));
    expect(w.log.filter((line) => line.includes('Dispatcher'))).toEqual([]);
  });

  it('gives no right that the new root has not (I6)', () => {
    const w = new World();
    createRoot(w, 64 * KIB);
    Cte.rights.set(w.mem, w.at(2, 0), Rights.Read | Rights.Write);
    expectOk(w, call(w, NEW_ROOT, capAddrOf(3, 0), 8)());
    expect(w.show(w.root)).toBe('L1CNode 0x200000 (64 KiB) rw----');
  });

  it('refuses what is not a root, not empty, too small or has no place to go', () => {
    const w = new World();
    const refuse = (
      names: Parameters<typeof expectRefused>[1],
      f: () => ReturnType<typeof w.copy>,
    ) => expectRefused(w, names, f);
    createRoot(w, 16 * KIB);
    refuse(['SYS_ERR_RESIZE_NOT_L1'], () =>
      invokeResize(w.caps, w.rootSlot(1), words(NEW_ROOT, CNODE1, 5)),
    );
    refuse(['SYS_ERR_CAP_NOT_FOUND'], call(w, NOTHING, CNODE1, 5));
    refuse(['SYS_ERR_INVALID_SOURCE_TYPE'], call(w, RAM, CNODE1, 5));
    refuse(['SYS_ERR_INVALID_SOURCE_TYPE'], call(w, ROOT, CNODE1, 5));
    refuse(['SYS_ERR_CAP_NOT_FOUND'], call(w, NEW_ROOT, NO_CNODE, 5));
    refuse(['SYS_ERR_SLOT_IN_USE'], call(w, NEW_ROOT, CNODE1, 0));
    refuse(['SYS_ERR_SLOTS_INVALID'], call(w, NEW_ROOT, CNODE1, 256));
    expectOk(w, w.copyInto(w.rootSlot(1), w.at(2, 0), 200));
    refuse(['SYS_ERR_SLOTS_IN_USE'], call(w, NEW_ROOT, CNODE1, 5));
    expectOk(w, w.delete(slotAt(w.mem, w.at(2, 0), 200)));

    createCapBeyond(w);
    refuse(['SYS_ERR_CAP_LOCKED'], call(w, NEW_ROOT, CNODE1, 5));
  });

  /** Something in the old root that cannot be copied now. */
  function createCapBeyond(w: World): void {
    expectOk(w, w.copy(w.rootSlot(3), w.rootSlot(30)));
    for (const slot of [w.rootSlot(3), w.rootSlot(30)]) Cte.flags.set(w.mem, slot, CteFlag.Locked);
  }

  it('does not shrink below what is there', () => {
    const w = new World();
    createRoot(w, 32 * KIB);
    expectOk(w, call(w, NEW_ROOT, CNODE1, 5)());
    expectOk(w, w.copyInto(w.rootSlot(1), w.at(0, 2), 300));
    const small = { offset: 64 * KIB, bytes: 16 * KIB };
    expectOk(w, w.retype(w.ram, ObjType.L1CNode, w.at(2, 1), small));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], call(w, capAddrOf(2, 1), CNODE1, 6));
    expectOk(w, w.delete(slotAt(w.mem, w.at(0, 2), 300)));
    expectOk(w, call(w, capAddrOf(2, 1), CNODE1, 6)());
  });
});

import { asPtr, coreId } from '@barreleye/core';
import { CAP_TYPE_INFO, Cte, CteFlag, Dcb, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { expectOk, expectRefused, KIB, PAGE, ramAt, World } from '../test/world.ts';
import { copyToSlot } from './copy.ts';
import { createCap } from './create.ts';
import { moveToSlot } from './cte.ts';
import { hasCopies, isCopy } from './relations.ts';
import type { Slot } from './slot.ts';

const FRAME_BYTES = 512 * KIB;

/** A dispatcher in slot (1, 1) with a frame, and an endpoint without a buffer in slot (1, 2). */
function createEndpoint(w: World): Slot {
  expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1)));
  const frame = { offset: FRAME_BYTES, bytes: FRAME_BYTES };
  expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 3), frame));
  copyToSlot(w.caps, w.at(1, 3), Dcb.frame.at(asPtr<'Dcb'>(ramAt(0))));
  expectOk(w, w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 2)));
  return w.at(1, 2);
}

describe('copy', () => {
  it('makes one more capability of the same object', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(2, 7)));
    expect(w.show(w.at(2, 7))).toBe(w.show(w.ram));
    expect(isCopy(w.caps, w.ram, w.at(2, 7))).toBe(true);
  });

  it('works for every type that there is, twice over', () => {
    for (const { type, identity } of CAP_TYPE_INFO) {
      if (type === ObjType.Null || identity === 'mapping' || identity === 'endpoint') continue;
      const w = new World();
      createCap(w.caps, w.at(1, 1), type, { base: ramAt(0), bytes: 16 * KIB, arg0: 1, arg1: 2 });
      w.delete(w.ram);
      expectOk(w, w.copy(w.at(1, 1), w.at(1, 2)));
      expectOk(w, w.copy(w.at(1, 2), w.at(1, 3)));
      expect(hasCopies(w.caps, w.at(1, 1))).toBe(true);
    }
  });

  it('takes owner, relations and rights along (I6, I29)', () => {
    const w = new World();
    Cte.rights.set(w.mem, w.ram, Rights.Read);
    Cte.owner.set(w.mem, w.ram, coreId(7));
    Cte.flags.set(w.mem, w.ram, CteFlag.RemoteCopies | CteFlag.RemoteDescendants);
    expectOk(w, w.copy(w.ram, w.at(1, 1)));
    expect(Cte.owner.get(w.mem, w.at(1, 1))).toBe(7);
    expect(Cte.rights.get(w.mem, w.at(1, 1))).toBe(Rights.Read);
  });

  it('goes to an empty slot of a CNode', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(1, 1)));
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], () => w.copy(w.ram, w.at(1, 1)));
    expectRefused(w, ['SYS_ERR_SLOT_IN_USE'], () => w.copy(w.ram, w.ram));
    expectRefused(w, ['SYS_ERR_DEST_TYPE_INVALID'], () => w.copyInto(w.ram, w.ram, 3));
    expectRefused(w, ['SYS_ERR_DEST_TYPE_INVALID'], () => w.copy(w.ram, w.rootSlot(20)));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], () => w.copyInto(w.ram, w.rootSlot(1), 256));
    expectOk(w, w.copy(w.rootSlot(1), w.rootSlot(20)));
  });

  it('needs something to copy', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_CAP_NOT_FOUND'], () => w.copy(w.at(3, 3), w.at(1, 1)));
  });

  it('T31: refuses a source that is locked or being deleted, where the reference panics', () => {
    const w = new World();
    for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
      Cte.flags.set(w.mem, w.ram, flag);
      expectRefused(w, ['SYS_ERR_CAP_LOCKED'], () => w.copy(w.ram, w.at(1, 1)));
    }
  });
});

describe('mint', () => {
  it('takes rights away and never adds any', () => {
    const w = new World();
    expectOk(w, w.mint(w.ram, w.at(1, 1), Rights.Read | Rights.Grant));
    expect(w.show(w.at(1, 1))).toBe('RAM 0x200000 (2 MiB) r--g--');
    expectOk(w, w.mint(w.at(1, 1), w.at(1, 2), 0xffff_ffff));
    expect(w.show(w.at(1, 2))).toBe('RAM 0x200000 (2 MiB) r--g--');
    expectOk(w, w.mint(w.at(1, 2), w.at(1, 3), 0));
    expect(w.show(w.at(1, 3))).toBe('RAM 0x200000 (2 MiB) ------');
    expect(isCopy(w.caps, w.ram, w.at(1, 3))).toBe(true);
  });

  it('aims an endpoint at its buffer', () => {
    const w = new World();
    const endpoint = createEndpoint(w);
    expectOk(w, w.mint(endpoint, w.at(1, 5), Rights.All, 0x2000, 64 | (3 << 16)));
    expect(w.show(w.at(1, 5))).toBe('EndPointLMP of 0x200000 at +0x2000 (64 words) rwxgiv');
    expect(Cte.iftype.get(w.mem, w.at(1, 5))).toBe(3);
  });

  it('T33: endpoints with different buffers are not copies of one another', () => {
    const w = new World();
    const endpoint = createEndpoint(w);
    expectOk(w, w.mint(endpoint, w.at(1, 5), Rights.All, 0x2000, 64));
    expectOk(w, w.mint(endpoint, w.at(1, 6), Rights.All, 0x3000, 64));
    expectOk(w, w.mint(endpoint, w.at(1, 7), Rights.All, 0x3000, 32));
    expectOk(w, w.copy(w.at(1, 6), w.at(1, 8)));
    const sameAs6 = [5, 6, 7, 8].filter((i) => isCopy(w.caps, w.at(1, 6), w.at(1, i)));
    expect(sameAs6).toEqual([6, 8]);
    expect(hasCopies(w.caps, endpoint)).toBe(false);
  });

  it('takes rights from endpoints and ports like from anything, and no more', () => {
    const w = new World();
    const endpoint = createEndpoint(w);
    expectOk(w, w.mint(endpoint, w.at(1, 5), Rights.Read | Rights.Write, 0x2000, 64 | (3 << 16)));
    expect(w.show(w.at(1, 5))).toBe('EndPointLMP of 0x200000 at +0x2000 (64 words) rw----');
    expectOk(w, w.mint(w.at(1, 5), w.at(1, 6), Rights.Write | Rights.Grant));
    expect(w.show(w.at(1, 6))).toBe('EndPointLMP of 0x200000 at +0x2000 (64 words) -w----');
    expect(Cte.iftype.get(w.mem, w.at(1, 6)), 'its buffer and interface stay').toBe(3);
    expect(isCopy(w.caps, w.at(1, 5), w.at(1, 6))).toBe(true);
    createCap(w.caps, w.at(2, 0), ObjType.IO, { arg0: 0x100, arg1: 0x3ff, rights: Rights.Read });
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 1), Rights.All, 0x100, 0x101));
    expect(w.show(w.at(2, 1))).toBe('IO 0x100..0x101 r-----');
  });

  it('refuses parameters that mean nothing for the type', () => {
    const w = new World();
    const call = (p1: number, p2: number) => () => w.mint(w.ram, w.at(1, 1), Rights.All, p1, p2);
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(1, 0));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0, 1));
  });

  it('T18: refuses an endpoint without a ring before it writes anything', () => {
    const w = new World();
    const endpoint = createEndpoint(w);
    const call = (words: number) => () => w.mint(endpoint, w.at(1, 5), Rights.All, 0x2000, words);
    expectRefused(w, ['SYS_ERR_INVALID_EPLEN'], call(0));
    expectRefused(w, ['SYS_ERR_INVALID_EPLEN'], call(7 << 16));
    expect(w.isEmpty(w.at(1, 5))).toBe(true);
  });

  it('T17: keeps the buffer of an endpoint inside the dispatcher frame', () => {
    const w = new World();
    const endpoint = createEndpoint(w);
    const call = (offset: number, words: number) => () =>
      w.mint(endpoint, w.at(1, 5), Rights.All, offset, words);
    for (const [offset, words] of [
      [0, 1], // where the kernel reads and writes
      [4088, 1],
      [0x2004, 1], // misaligned
      [FRAME_BYTES, 1],
      [FRAME_BYTES - 24, 2],
      [FRAME_BYTES - 4096, 65535],
      [0xffff_fff8, 1],
    ] as const) {
      expectRefused(w, ['SYS_ERR_EP_OUTSIDE_FRAME'], call(offset, words));
    }
    expectOk(w, call(FRAME_BYTES - 24, 1)());
  });

  it('refuses a buffer when the dispatcher has no frame yet', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1)));
    expectOk(w, w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 2)));
    expectRefused(w, ['SYS_ERR_EP_OUTSIDE_FRAME'], () =>
      w.mint(w.at(1, 2), w.at(1, 5), Rights.All, 4096, 1),
    );
  });

  it('does not let a sender aim an endpoint elsewhere', () => {
    const w = new World();
    const endpoint = createEndpoint(w);
    expectOk(w, w.mint(endpoint, w.at(1, 5), Rights.All, 0x2000, 64));
    const call = (offset: number, words: number) => () =>
      w.mint(w.at(1, 5), w.at(1, 6), Rights.All, offset, words);
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0x3000, 64));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0x2000, 65));
    expectOk(w, call(0x2000, 64)());
  });

  it('narrows a range of ports', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.IO, { arg0: 0x100, arg1: 0x3ff });
    const call = (first: number, last: number) => () =>
      w.mint(w.at(2, 0), w.at(2, 1), Rights.All, first, last);
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0xff, 0x200));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0x100, 0x400));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0x200, 0x1ff));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0x1_0200, 0x1_0201));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0, 0));
    expectOk(w, call(0x3f8, 0x3ff)());
    expect(w.show(w.at(2, 1))).toBe('IO 0x3f8..0x3ff rwxgiv');
    expect(isCopy(w.caps, w.at(2, 0), w.at(2, 1))).toBe(false);
    Cte.flags.set(w.mem, w.at(2, 1), CteFlag.RemoteCopies);
    expectOk(w, w.mint(w.at(2, 0), w.at(2, 2), Rights.All, 0x3f8, 0x3ff));
    expect(isCopy(w.caps, w.at(2, 1), w.at(2, 2)), 'which agree (I29)').toBe(true);
  });

  it('T31: refuses parameters that UMP endpoints do not have, where the reference panics', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.EndPointUMP, w.at(1, 1), { bytes: PAGE }));
    const call = (iftype: number, other: number) => () =>
      w.mint(w.at(1, 1), w.at(1, 2), Rights.All, iftype, other);
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(1, 1));
    expectRefused(w, ['SYS_ERR_MINT_PARAMETERS'], call(0x1_0000, 0));
    expectOk(w, call(9, 0)());
    expect(Cte.iftype.get(w.mem, w.at(1, 2))).toBe(9);
    expectOk(w, w.mint(w.at(1, 2), w.at(1, 3), Rights.Read));
    expect(Cte.iftype.get(w.mem, w.at(1, 3))).toBe(9);
  });
});

describe('move', () => {
  it('leaves nothing behind', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(1, 1)));
    moveToSlot(w.caps, w.ram, w.at(3, 3));
    expectOk(w, w.copy(w.at(3, 3), w.at(3, 4)));
    expect(w.isEmpty(w.ram)).toBe(true);
  });

  it('keeps the mappings of a page table, wherever its first copy stands', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_ptable, w.at(2, 5)));
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: PAGE, bytes: PAGE }));
    w.map(w.at(1, 1), w.at(2, 5), w.at(1, 2), 0);
    w.map(w.at(1, 1), w.at(2, 5), w.at(1, 3), 1);
    expectOk(w, w.copy(w.at(2, 5), w.at(2, 1)));
    expectOk(w, w.copy(w.at(2, 5), w.at(2, 9)));
    for (const [from, to] of [
      [1, 20],
      [5, 2],
      [2, 30],
      [9, 1],
    ] as const) {
      moveToSlot(w.caps, w.at(2, from), w.at(2, to));
      expectOk(w, w.copy(w.ram, w.at(3, to)));
    }
    moveToSlot(w.caps, w.at(1, 2), w.at(1, 40));
    expectOk(w, w.delete(w.at(1, 40)));
    expect(w.log.slice(1)).toEqual(['unmap +0K [0..0]']);
  });
});

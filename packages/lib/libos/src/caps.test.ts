/** Capability operations: their words, their errors, and what does not compile. */

import { asPaddr, type Errval, errPush, fail, OK } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  CNodeCmd,
  CPTR_ROOTCN,
  DispatcherFrame,
  Err,
  errNames,
  IdCmd,
  invokeHeader,
  KcbCmd,
  ObjType,
  Rights,
  VNodeCmd,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../test/recorder.ts';
import { type Capref, capref, rootCapref, type Slot } from './capref.ts';
import {
  capCopy,
  capCreateId,
  capDelete,
  capIdentify,
  capLend,
  capMint,
  capMintEndpoint,
  capMintPorts,
  capMintUmp,
  capResize,
  capRetype,
  capRetypeAny,
  capRevoke,
  capState,
  cnodeSize,
  idIdentify,
  kcbIdentify,
  vnodeMap,
  vnodeUnmap,
} from './caps.ts';
import type { Sys } from './sys.ts';
import { TASK_ROOT_CN } from './well-known.ts';

const ROOT = TASK_ROOT_CN.cptr;
const RAM: Capref<'RAM'> = capref(3, 1);
const SLOT: Slot = capref(8, 20);
const TABLE: Capref<'VNode_x86_64_ptable'> = capref(1, 4);
const FRAME: Capref<'Frame'> = capref(8, 9);
const onRoot = (command: number): number[] => [invokeHeader(command, 2), ROOT];

describe.each([archX86_64, archArmv7])('the words of an operation on $name', (arch) => {
  it('retype', () => {
    const kernel = new Recorder(arch);
    const range = { offset: 0x3_0000_1000, objectBytes: 0x2_0000_4000, count: 3 };
    expect(capRetype(kernel.sys, SLOT, RAM, 'Frame', range)).toEqual({ ok: true, value: SLOT });
    expect(kernel.words(10)).toEqual([
      ...onRoot(CNodeCmd.Retype),
      CPTR_ROOTCN,
      RAM.cptr,
      0x1000, // offset
      3,
      ObjType.Frame | (3 << 16),
      0x4000, // bytes of an object
      2,
      CPTR_ROOTCN,
      0x800, // the CNode of the slot
      20 | (1 << 24),
    ]);
  });

  it('retype into a slot of the root CNode', () => {
    const kernel = new Recorder(arch);
    const range = { offset: 0, objectBytes: 16384, count: 1 };
    capRetype(kernel.sys, rootCapref(14), RAM, 'L2CNode', range);
    expect(kernel.words(10).slice(-2)).toEqual([0, 14]);
  });

  it('retype only out of an L2 CNode: the words name no other level', () => {
    const kernel = new Recorder(arch);
    const range = { offset: 0, objectBytes: 4096, count: 1 };
    const source = rootCapref<'RAM'>(5);
    expect(() => capRetype(kernel.sys, SLOT, source, 'Frame', range)).toThrow('in an L2 CNode');
    expect(kernel.calls).toEqual([]);
  });

  it('copy', () => {
    const kernel = new Recorder(arch);
    expect(capCopy(kernel.sys, SLOT, rootCapref<'RAM'>(5))).toEqual({ ok: true, value: SLOT });
    expect(kernel.words(6)).toEqual([
      ...onRoot(CNodeCmd.Copy),
      CPTR_ROOTCN,
      0x800,
      20,
      CPTR_ROOTCN,
      0x500,
      1 | (1 << 4), // levels: of the destination CNode, of the source
    ]);
  });

  it('mint', () => {
    const kernel = new Recorder(arch);
    capMint(kernel.sys, SLOT, RAM, 0x1234);
    expect(kernel.words(9)).toEqual([
      ...onRoot(CNodeCmd.Mint),
      CPTR_ROOTCN,
      0x800,
      20,
      CPTR_ROOTCN,
      RAM.cptr,
      1 | (2 << 4),
      0x1234,
      0,
      0,
    ]);
  });

  it('mint of what takes parameters', () => {
    const { Read, All } = Rights;
    const last = (mint: (sys: Sys) => { readonly ok: boolean }): number[] => {
      const kernel = new Recorder(arch);
      expect(mint(kernel.sys).ok).toBe(true);
      return kernel.words(9).slice(-3);
    };
    const endpoint = capref<'EndPointLMP'>(8, 1);
    const buffer = { offset: 0x2000, ringWords: 0xffff, iftype: 0xfffe };
    expect(last((sys) => capMintEndpoint(sys, SLOT, endpoint, buffer, Read))).toEqual([
      Read,
      0x2000,
      0xfffe_ffff,
    ]);
    const ump = capref<'EndPointUMP'>(8, 1);
    expect(last((sys) => capMintUmp(sys, SLOT, ump, 7))).toEqual([All, 7, 0]);
    const ports = capref<'IO'>(8, 1);
    expect(last((sys) => capMintPorts(sys, SLOT, ports, 5, 9))).toEqual([All, 5, 9]);
  });

  it('lend: a mint without the right to revoke, of all the ports that there are', () => {
    const lend = (type: ObjType): number[] | undefined => {
      const kernel = new Recorder(arch, OK, type);
      for (const [i, word] of [0, 0, 0, 0, 0, 5, 9].entries()) kernel.cpu.setMessage(i, word);
      expect(capLend(kernel.sys, SLOT, RAM)).toEqual({ ok: true, value: SLOT });
      return kernel.calls.at(-1)?.slice(9, 12);
    };
    expect(lend(ObjType.RAM)).toEqual([Rights.All & ~Rights.Revoke, 0, 0]);
    expect(lend(ObjType.IO)).toEqual([Rights.Lent, 5, 9]);
  });

  it('delete and revoke', () => {
    const deleter = new Recorder(arch);
    expect(capDelete(deleter.sys, RAM)).toBe(OK);
    expect(deleter.words(2)).toEqual([...onRoot(CNodeCmd.Delete), RAM.cptr, 2]);
    const revoker = new Recorder(arch);
    expect(capRevoke(revoker.sys, rootCapref(5))).toBe(OK);
    expect(revoker.words(2)).toEqual([...onRoot(CNodeCmd.Revoke), 0x500, 1]);
  });

  it('map', () => {
    const kernel = new Recorder(arch);
    const args = { entry: 500, count: 12, flags: 5, offset: 0x1_0000_3000 };
    expect(vnodeMap(kernel.sys, SLOT, TABLE, FRAME, args)).toEqual({ ok: true, value: SLOT });
    expect(kernel.words(9)).toEqual([
      invokeHeader(VNodeCmd.Map, 2),
      TABLE.cptr,
      500 | (12 << 16),
      CPTR_ROOTCN,
      FRAME.cptr,
      5 | (2 << 16),
      0x3000,
      1,
      CPTR_ROOTCN,
      0x800,
      20 | (1 << 24),
    ]);
  });

  it('unmap', () => {
    const kernel = new Recorder(arch);
    expect(vnodeUnmap(kernel.sys, TABLE, capref(8, 77))).toBe(OK);
    expect(kernel.words(2)).toEqual([invokeHeader(VNodeCmd.Unmap, 2), TABLE.cptr, 0x84d, 2]);
  });

  it('resize', () => {
    const kernel = new Recorder(arch);
    expect(capResize(kernel.sys, capref(8, 1), SLOT)).toBe(OK);
    expect(kernel.words(3)).toEqual([...onRoot(CNodeCmd.Resize), 0x801, 0x800, 20]);
  });

  it('make and read an identifier', () => {
    const maker = new Recorder(arch);
    expect(capCreateId(maker.sys, SLOT).ok).toBe(true);
    const place = [0x800, 20 | (1 << 24)];
    expect(maker.words(3)).toEqual([...onRoot(CNodeCmd.Create), ObjType.ID, ...place]);
    const reader = new Recorder(arch, OK, 3 * 2 ** 32 + 1);
    expect(idIdentify(reader.sys, capref(8, 1))).toEqual({ ok: true, value: 0x3_0000_0001 });
    expect(reader.words(0)).toEqual([invokeHeader(IdCmd.Identify, 2), 0x801]);
  });

  it('ask for a state, a size, an address', () => {
    const state = new Recorder(arch, OK, 9);
    expect(capState(state.sys, FRAME)).toEqual({ ok: true, value: 9 });
    expect(state.words(2)).toEqual([...onRoot(CNodeCmd.GetState), FRAME.cptr, 2]);
    const size = new Recorder(arch, OK, 16384);
    expect(cnodeSize(size.sys, TASK_ROOT_CN)).toEqual({ ok: true, value: 16384 });
    expect(size.words(0)).toEqual(onRoot(CNodeCmd.GetSize));
    const kcb = new Recorder(arch, OK, 2 ** 40);
    expect(kcbIdentify(kcb.sys, rootCapref(12))).toEqual({ ok: true, value: 2 ** 40 });
    expect(kcb.words(0)).toEqual([invokeHeader(KcbCmd.Identify, 1), 0xc00]);
  });

  it('identify, and its answer in value and message words', () => {
    const kernel = new Recorder(arch, OK, ObjType.Frame | (3 << 8) | (6 << 16));
    const answers = [0x5000, 1, 0x2000, 0, 7, 8, 9];
    for (const [i, word] of answers.entries()) {
      DispatcherFrame.message.set(kernel.cpu.mem, asPaddr(arch.dispatcherBase), i, word);
    }
    expect(capIdentify(kernel.sys, FRAME)).toEqual({
      ok: true,
      value: {
        type: 'Frame',
        rights: 3,
        iftype: 6,
        base: 0x1_0000_5000,
        bytes: 0x2000,
        owner: 7,
        arg0: 8,
        arg1: 9,
      },
    });
    expect(kernel.words(2)).toEqual([...onRoot(CNodeCmd.Identify), FRAME.cptr, 2]);
  });
});

describe("the kernel's reason comes through under the library's own", () => {
  const why = errPush(Err.SYS_ERR_CAP_NOT_FOUND, Err.SYS_ERR_SOURCE_CAP_LOOKUP);
  const range = { offset: 0, objectBytes: 4096, count: 1 };
  const args = { entry: 0, count: 1, flags: 1, offset: 0 };
  const below = errNames(why);

  it.each<[string, (sys: Sys) => { readonly ok: boolean; readonly err?: Errval }]>([
    ['LIB_ERR_CAP_RETYPE', (sys) => capRetype(sys, SLOT, RAM, 'Frame', range)],
    ['LIB_ERR_CAP_RETYPE', (sys) => capRetypeAny(sys, SLOT, RAM, 'Frame', range)],
    ['LIB_ERR_CAP_COPY', (sys) => capCopy(sys, SLOT, RAM)],
    ['LIB_ERR_CAP_MINT', (sys) => capMint(sys, SLOT, RAM, 0)],
    ['LIB_ERR_CAP_IDENTIFY', (sys) => capIdentify(sys, RAM)],
    ['LIB_ERR_CAP_DELETE', (sys) => fail(capDelete(sys, RAM))],
    ['LIB_ERR_CAP_REVOKE', (sys) => fail(capRevoke(sys, RAM))],
    ['LIB_ERR_CAP_IDENTIFY', (sys) => capState(sys, RAM)],
    ['LIB_ERR_CAP_IDENTIFY', (sys) => cnodeSize(sys, TASK_ROOT_CN)],
    ['LIB_ERR_CAP_IDENTIFY', (sys) => idIdentify(sys, capref(8, 1))],
    ['LIB_ERR_CAP_IDENTIFY', (sys) => kcbIdentify(sys, capref(8, 1))],
    ['LIB_ERR_CAP_CREATE', (sys) => capCreateId(sys, SLOT)],
    ['LIB_ERR_CAP_RESIZE', (sys) => fail(capResize(sys, capref(8, 1), SLOT))],
    ['LIB_ERR_VNODE_MAP', (sys) => vnodeMap(sys, SLOT, TABLE, FRAME, args)],
    ['LIB_ERR_VNODE_UNMAP', (sys) => fail(vnodeUnmap(sys, TABLE, capref(8, 1)))],
  ])('%s', (name, operate) => {
    const result = operate(new Recorder(archX86_64, why).sys);
    expect(result.ok).toBe(false);
    expect(errNames(result.err ?? OK)).toEqual([name, ...below]);
  });
});

describe('what does not compile', () => {
  const { sys } = new Recorder();
  const range = { offset: 0, objectBytes: 4096, count: 1 };
  const args = { entry: 0, count: 1, flags: 1, offset: 0 };

  it('is a retype that the capability table does not allow', () => {
    expect(capRetype(sys, SLOT, RAM, 'RAM', range).ok).toBe(true);
    expect(capRetype(sys, SLOT, FRAME, 'Frame', range).ok).toBe(true);
    // @ts-expect-error: a Frame cannot become RAM again
    capRetype(sys, SLOT, FRAME, 'RAM', range);
    // @ts-expect-error: page tables are made of RAM
    capRetype(sys, SLOT, FRAME, 'VNode_x86_64_ptable', range);
    // @ts-expect-error: mappings are made by mapping
    capRetype(sys, SLOT, FRAME, 'Frame_Mapping', range);
    // @ts-expect-error: device memory is made of PhysAddr
    capRetype(sys, SLOT, RAM, 'DevFrame', range);
    // @ts-expect-error: nothing can be made of an empty slot
    capRetype(sys, SLOT, SLOT, 'Frame', range);
  });

  it('is a copy or a mint of what there is only once, or a mint with wrong parameters', () => {
    const mapping: Capref<'Frame_Mapping'> = capref(8, 9);
    // @ts-expect-error: mappings are neither copied nor minted
    capCopy(sys, SLOT, mapping);
    // @ts-expect-error: mappings are neither copied nor minted
    capMint(sys, SLOT, mapping, 1);
    // @ts-expect-error: an empty slot has nothing to copy
    capCopy(sys, SLOT, SLOT);
    // @ts-expect-error: which ports?
    capMint(sys, SLOT, capref<'IO'>(8, 1), 1);
    // @ts-expect-error: a frame has no buffer
    capMintEndpoint(sys, SLOT, FRAME, { offset: 0, ringWords: 1 });
    expect(capMint(sys, SLOT, FRAME, 1).ok).toBe(true);
  });

  it('is a question to a capability that cannot answer it', () => {
    // @ts-expect-error: only identifiers have a number
    idIdentify(sys, FRAME);
    // @ts-expect-error: the address of a frame is what capIdentify says
    kcbIdentify(sys, FRAME);
    // @ts-expect-error: the new root is an L1 CNode
    capResize(sys, capref<'L2CNode'>(8, 1), SLOT);
    // @ts-expect-error: the old root goes to an empty slot
    capResize(sys, capref<'L1CNode'>(8, 1), FRAME);
    expect(cnodeSize(sys, TASK_ROOT_CN).ok).toBe(true);
  });

  it('is a retype into a full slot, or the use of its result as another type', () => {
    // @ts-expect-error: the slot is known to hold a Frame
    capRetype(sys, FRAME, RAM, 'Frame', range);
    const made = capRetype(sys, SLOT, RAM, 'Frame', range);
    // @ts-expect-error: a Frame was made
    const ram: Capref<'RAM'> | undefined = made.ok ? made.value : undefined;
    expect(ram?.level).toBe(2);
  });

  it('is a mapping of what cannot be mapped, or into what is no page table', () => {
    // @ts-expect-error: RAM is retyped to a Frame before it is mapped
    vnodeMap(sys, SLOT, TABLE, RAM, args);
    // @ts-expect-error: a Frame is no page table
    vnodeMap(sys, SLOT, FRAME, FRAME, args);
    // @ts-expect-error: only mappings are unmapped
    vnodeUnmap(sys, TABLE, FRAME);
    expect(vnodeMap(sys, SLOT, TABLE, TABLE, args).ok).toBe(true);
  });
});

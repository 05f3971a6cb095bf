import { asPtr, PhysMem } from '@barreleye/core';
import { describe, expect, it } from 'vitest';
import {
  BOOTINFO_BYTES,
  BOOTINFO_MAGIC,
  BOOTINFO_REGION_COUNT,
  BootInfo,
  BootRegion,
  bootRegionOffset,
  RegionType,
} from './bootinfo.ts';
import { CAP_TYPE_COUNT, capTypeInfo, ObjType } from './cap-types.ts';
import {
  CPTR_ROOTCN,
  CTE_BITS,
  CTE_BYTES,
  Cte,
  CteFlag,
  capAddrOf,
  L1_CNODE_GRANULE,
  L2_CNODE_BITS,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  L2CNode,
  Rights,
  RootSlot,
  TaskSlot,
} from './cte.ts';
import {
  DISPATCHER_FRAME_BYTES,
  DISPATCHER_SHARED_BYTES,
  DispatcherFrame,
  MESSAGE_WORDS,
  SAVE_AREA_BYTES,
} from './dispatcher-frame.ts';
import { DCB_BYTES, Dcb, IRQ_VECTOR_COUNT, KCB_BYTES, KCB_MAGIC, Kcb } from './kcb.ts';
import { LmpEndpoint } from './lmp.ts';
import { UMP_SEQUENCE_MASK, UmpControl, UmpHead, UmpSlot, umpRingBytes } from './ump.ts';

/** The four characters whose codes are the bytes of a little-endian word. */
const ascii = (word: number): string =>
  String.fromCharCode(...[0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff));

describe('sizes', () => {
  it.each([
    ['Cte', Cte.$bytes, 64],
    ['L2CNode', L2CNode.$bytes, 16384],
    ['Dcb', Dcb.$bytes, 1024],
    ['Kcb', Kcb.$bytes, 131072],
    ['DispatcherFrame', DispatcherFrame.$bytes, 4096],
    ['BootInfo', BootInfo.$bytes, 64],
    ['BootRegion', BootRegion.$bytes, 80],
    ['LmpEndpoint', LmpEndpoint.$bytes, 16],
    ['UmpSlot', UmpSlot.$bytes, 64],
    ['UmpHead', UmpHead.$bytes, 192],
  ])('a %s is %d bytes', (_, bytes, expected) => {
    expect(bytes).toBe(expected);
  });

  it('are those of the type table', () => {
    expect(capTypeInfo(ObjType.L2CNode).bytes).toBe(L2_CNODE_BYTES);
    expect(capTypeInfo(ObjType.L1CNode).granule).toBe(L1_CNODE_GRANULE);
    expect(capTypeInfo(ObjType.Dispatcher).bytes).toBe(DCB_BYTES);
    expect(capTypeInfo(ObjType.KernelControlBlock).bytes).toBe(KCB_BYTES);
    expect([2 ** CTE_BITS, 2 ** L2_CNODE_BITS]).toEqual([CTE_BYTES, L2_CNODE_SLOTS]);
  });
});

describe('capability table entries', () => {
  it('are aligned to their size wherever they are embedded, for links count in slots', () => {
    const embedded = [
      Kcb.rootCn,
      Kcb.monitorEp,
      Kcb.irqEndpoint,
      Dcb.cspace,
      Dcb.vspace,
      Dcb.frame,
    ];
    for (const { offset } of embedded) expect(offset % CTE_BYTES).toBe(0);
    for (const name of ['Dispatcher', 'KernelControlBlock', 'L1CNode', 'L2CNode'] as const) {
      expect(capTypeInfo(ObjType[name]).granule % CTE_BYTES).toBe(0);
    }
    expect(Kcb.irqEndpoint.count).toBe(IRQ_VECTOR_COUNT);
  });

  it('leave no byte unused', () => {
    const covered = Cte.$fields.reduce((bytes, field) => bytes + field.bytes, 0);
    expect(covered).toBe(CTE_BYTES);
  });

  it('hold every type, all rights and all flags', () => {
    const mem = new PhysMem(new ArrayBuffer(4096));
    const cte = asPtr<'Cte'>(64);
    Cte.type.set(mem, cte, CAP_TYPE_COUNT - 1);
    Cte.rights.set(mem, cte, Rights.All);
    const flags = Object.values(CteFlag).reduce((all, flag) => all | flag, 0);
    Cte.flags.set(mem, cte, flags);
    expect(Cte.type.get(mem, cte)).toBe(CAP_TYPE_COUNT - 1);
    expect(Cte.rights.get(mem, cte)).toBe(63);
    expect(Cte.flags.get(mem, cte)).toBe(31);
  });

  it('are empty when they are all zero (I9)', () => {
    expect(ObjType.Null).toBe(0);
  });
});

describe('bits', () => {
  it.each([
    ['Rights', { ...Rights, All: 0, Lent: 0 }],
    ['CteFlag', CteFlag],
  ])('of %s are distinct powers of two', (_, table) => {
    const bits = Object.values(table).filter((bit) => bit !== 0);
    expect(new Set(bits).size).toBe(bits.length);
    for (const bit of bits) expect(bit & (bit - 1)).toBe(0);
  });

  it('of Rights.All are all of them', () => {
    const { All, ...single } = Rights;
    expect(Object.values(single).reduce((all: number, bit) => all | bit, 0)).toBe(All);
  });
});

describe('the capability space', () => {
  it('is addressed by 24 bits of L1 index and 8 bits of L2 slot', () => {
    expect(capAddrOf(0, 0)).toBe(0);
    expect(capAddrOf(1, 2)).toBe(0x102);
    expect(capAddrOf(2 ** 24 - 1, 255)).toBe(0xffff_ffff);
    expect(CPTR_ROOTCN).toBe(capAddrOf(RootSlot.TaskCn, TaskSlot.RootCn));
  });

  it('has well-known slots that are distinct and inside their CNode', () => {
    const root = Object.values(RootSlot);
    expect(new Set(root).size).toBe(root.length);
    expect(Math.max(...root)).toBe(RootSlot.User);
    // The same slot on purpose: a domain has an endpoint to one of the two.
    const { InitEp, MonitorEp, ...others } = TaskSlot;
    expect(InitEp).toBe(MonitorEp);
    const task = [MonitorEp, ...Object.values(others)];
    expect(new Set<number>(task).size).toBe(task.length);
    expect(Math.max(...task)).toBe(TaskSlot.User);
    expect(TaskSlot.User).toBeLessThan(L2_CNODE_SLOTS);
  });
});

describe('the dispatcher frame', () => {
  it('has room for its shared part, and save areas for two words a register', () => {
    expect(DISPATCHER_SHARED_BYTES).toBeLessThan(DISPATCHER_FRAME_BYTES);
    const { enabledArea, disabledArea, trapArea, message } = DispatcherFrame;
    for (const area of [enabledArea, disabledArea, trapArea]) {
      expect(4 * area.count).toBe(SAVE_AREA_BYTES);
    }
    expect(message.count).toBe(MESSAGE_WORDS);
  });
});

describe('boot information', () => {
  it('has room for all of its regions', () => {
    expect(bootRegionOffset(0)).toBe(BootInfo.$bytes);
    expect(bootRegionOffset(BOOTINFO_REGION_COUNT)).toBeLessThanOrEqual(BOOTINFO_BYTES);
    expect(bootRegionOffset(1) % 8).toBe(0);
  });

  it('tells region types apart', () => {
    const types = Object.values(RegionType);
    expect(new Set(types).size).toBe(types.length);
  });
});

describe('magic words', () => {
  it('can be read in a dump', () => {
    expect([ascii(BOOTINFO_MAGIC), ascii(KCB_MAGIC)]).toEqual(['BINF', 'KCB1']);
  });
});

describe('a UMP ring', () => {
  it('has a writer for each cache line', () => {
    const lineOf = (field: { offset: number }): number => Math.floor(field.offset / 64);
    const { acked, receiverSleep, senderSleep, closed } = UmpHead;
    expect([acked, receiverSleep, senderSleep, closed].map(lineOf)).toEqual([0, 1, 2, 2]);
    expect([umpRingBytes(0), umpRingBytes(29)]).toEqual([192, 2048]);
  });

  it('has a control word that ends its slot and holds a sequence number and a length', () => {
    expect([UmpSlot.control.offset, UmpSlot.note.offset]).toEqual([60, 56]);
    const { Full, LengthShift, LengthMask, SequenceShift } = UmpControl;
    const sequences = (UMP_SEQUENCE_MASK << SequenceShift) >>> 0;
    expect((sequences | (LengthMask << LengthShift) | Full) >>> 0).toBe(0xffff_ffff);
    expect(sequences & ((LengthMask << LengthShift) | Full)).toBe(0);
  });
});

import { asPaddr, coreId } from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  CAP_TYPE_INFO,
  Cte,
  CteFlag,
  errNames,
  isRetypeEdge,
  Kcb,
  ObjType,
  Rights,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  expectOk,
  expectRefused,
  KIB,
  PAGE,
  RAM_BASE,
  RAM_BYTES,
  ramAt,
  World,
} from '../test/world.ts';
import { createCap } from './create.ts';

const MIB = 1024 * KIB;

describe('retype', () => {
  it('cuts objects of equal size, one after the other', () => {
    const w = new World();
    expectOk(
      w,
      w.retype(w.ram, ObjType.Frame, w.at(1, 5), { offset: 8 * KIB, bytes: 8 * KIB, count: 3 }),
    );
    expect(w.show(w.at(1, 5))).toBe('Frame 0x202000 (8 KiB) rwxgiv');
    expect(w.show(w.at(1, 6))).toBe('Frame 0x204000 (8 KiB) rwxgiv');
    expect(w.show(w.at(1, 7))).toBe('Frame 0x206000 (8 KiB) rwxgiv');
    expect(w.isEmpty(w.at(1, 8))).toBe(true);
  });

  it('follows the type table and nothing else', () => {
    for (const { type: source, mapping, identity, local } of CAP_TYPE_INFO) {
      if (mapping || source === ObjType.Null) continue;
      const w = new World();
      const base = ramAt(0);
      const numbers = identity === 'range' ? { arg0: 0, arg1: 99 } : {};
      expectOk(w, w.delete(w.ram));
      createCap(w.caps, w.ram, source, { base, bytes: local ? MIB : 0, ...numbers });
      for (let target = 1; target < CAP_TYPE_COUNT; target++) {
        const bytes = target === ObjType.IRQSrc ? 10 : 16 * KIB;
        const err = w.retype(w.ram, target, w.at(2, 0), { bytes });
        if (isRetypeEdge(source, target)) {
          expect(errNames(err)).toEqual([]);
          expectOk(w, w.delete(w.at(2, 0)));
        } else {
          const isMapping = CAP_TYPE_INFO[target]?.mapping;
          const name = isMapping ? 'SYS_ERR_RETYPE_MAPPING_EXPLICIT' : 'SYS_ERR_INVALID_RETYPE';
          expect(errNames(err)).toEqual([name]);
        }
      }
    }
  });

  it('refuses what is not a capability type', () => {
    const w = new World();
    for (const type of [ObjType.Null, CAP_TYPE_COUNT, 255, 65535]) {
      expectRefused(w, ['SYS_ERR_ILLEGAL_DEST_TYPE'], () => w.retype(w.ram, type, w.at(1, 1)));
    }
  });

  it('refuses a misaligned offset', () => {
    const w = new World();
    const call = (type: number, offset: number) => () =>
      w.retype(w.ram, type, w.at(1, 1), { offset, bytes: PAGE });
    for (const offset of [1, 1024, 4095, PAGE + 1, Number.NaN, -PAGE]) {
      expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(ObjType.Frame, offset));
    }
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(ObjType.Dispatcher, 512));
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1), { offset: 1024 }));
    expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l2, w.at(1, 2), { offset: 3072 }));
  });

  it('T51: refuses sizes and bases that are not whole granules, for every memory type', () => {
    const w = new World();
    const call =
      (type: number, bytes: number, offset = 0) =>
      () =>
        w.retype(w.ram, type, w.at(1, 1), { offset, bytes });
    for (const bytes of [1, 100, 6 * KIB, PAGE + 1]) {
      expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(ObjType.RAM, bytes));
      expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(ObjType.Frame, bytes));
      expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(ObjType.EndPointUMP, bytes));
    }
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(ObjType.L1CNode, 20 * KIB));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(ObjType.L1CNode, 16 * KIB, PAGE));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(ObjType.L2CNode, 16 * KIB, PAGE));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(ObjType.VNode_ARM_l1, 0, 2 * PAGE));
    // Also where the offset is fine and the base of the source is not.
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 9), { offset: PAGE, bytes: 64 * KIB }));
    const inner = () => w.retype(w.at(1, 9), ObjType.L2CNode, w.at(1, 1), { bytes: 16 * KIB });
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], inner);
  });

  it('T4: takes the size of an object from its type, whatever the caller says', () => {
    const w = new World();
    for (const [i, bytes] of [0, 1, 7, 128, 2 ** 40].entries()) {
      const target = w.at(1, 1 + i);
      expectOk(w, w.retype(w.ram, ObjType.Dispatcher, target, { offset: i * 1024, bytes }));
      expect(Cte.bytes.get(w.mem, target)).toBe(1024);
    }
    const kcb = { offset: 256 * KIB, bytes: 3 };
    expectOk(w, w.retype(w.ram, ObjType.KernelControlBlock, w.at(1, 10), kcb));
    expect(Cte.bytes.get(w.mem, w.at(1, 10))).toBe(128 * KIB);
    const table = { offset: 64 * KIB, bytes: 8 * PAGE };
    expectOk(w, w.retype(w.ram, ObjType.VNode_x86_64_pdpt, w.at(1, 11), table));
    expect(Cte.bytes.get(w.mem, w.at(1, 11))).toBe(PAGE);
    const beyond = { offset: RAM_BYTES - PAGE, bytes: 0, count: 2 };
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], () =>
      w.retype(w.ram, ObjType.VNode_x86_64_pdpt, w.at(1, 12), beyond),
    );
  });

  it('refuses nonsense sizes of tables and L2 CNodes', () => {
    const w = new World();
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], () =>
      w.retype(w.ram, ObjType.L2CNode, w.at(1, 1), { bytes: PAGE }),
    );
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], () =>
      w.retype(w.ram, ObjType.VNode_x86_64_pml4, w.at(1, 1), { bytes: 100 }),
    );
  });

  it('T52: refuses objects of no size instead of dividing by it', () => {
    const w = new World();
    createCap(w.caps, w.at(1, 8), ObjType.PhysAddr, { base: asPaddr(0x1000_0000), bytes: MIB });
    for (const type of [ObjType.RAM, ObjType.Frame, ObjType.EndPointUMP, ObjType.L1CNode]) {
      expectRefused(w, ['SYS_ERR_INVALID_SIZE'], () => w.retype(w.ram, type, w.at(1, 1)));
    }
    for (const type of [ObjType.PhysAddr, ObjType.DevFrame]) {
      expectRefused(w, ['SYS_ERR_INVALID_SIZE'], () => w.retype(w.at(1, 8), type, w.at(1, 1)));
    }
  });

  it('refuses to make none, or more than the source holds', () => {
    const w = new World();
    const call = (bytes: number, count: number) => () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes, count });
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], call(PAGE, 0));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], call(PAGE, RAM_BYTES / PAGE + 1));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], call(RAM_BYTES, 2));
    expectRefused(w, ['SYS_ERR_INVALID_SIZE'], call(RAM_BYTES + PAGE, 1));
  });

  it('T3: refuses offsets near the end of the number line, without wrapping', () => {
    const w = new World();
    for (const offset of [RAM_BYTES, 2 ** 52, 2 ** 53 - PAGE, 2 ** 64 - PAGE]) {
      expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], () =>
        w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset, bytes: PAGE }),
      );
    }
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 1), {
        offset: RAM_BYTES - PAGE,
        bytes: PAGE,
        count: 2,
      }),
    );
  });

  it('refuses a range that another child covers, wholly or in part', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { offset: 64 * KIB, bytes: 64 * KIB }));
    for (const [offset, bytes] of [
      [64, 64],
      [64, 4],
      [124, 4],
      [60, 8],
      [124, 8],
      [0, 256],
      [0, 2048],
    ] as const) {
      expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], () =>
        w.retype(w.ram, ObjType.RAM, w.at(1, 2), { offset: offset * KIB, bytes: bytes * KIB }),
      );
    }
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 2), { bytes: 64 * KIB }));
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 3), { offset: 128 * KIB, bytes: 64 * KIB }));
  });

  it('sees children of children (I24)', () => {
    const w = new World();
    const physAddr = w.at(2, 0);
    const base = asPaddr(RAM_BASE);
    w.delete(w.ram);
    createCap(w.caps, physAddr, ObjType.PhysAddr, { base, bytes: RAM_BYTES });
    expectOk(w, w.retype(physAddr, ObjType.RAM, w.at(2, 1), { bytes: 64 * KIB }));
    expectOk(w, w.retype(w.at(2, 1), ObjType.Frame, w.at(2, 2), { bytes: PAGE }));
    expectOk(w, w.delete(w.at(2, 1)));
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], () =>
      w.retype(physAddr, ObjType.DevFrame, w.at(2, 3), { bytes: PAGE }),
    );
    expectOk(w, w.retype(physAddr, ObjType.DevFrame, w.at(2, 3), { offset: PAGE, bytes: PAGE }));
  });

  it('makes a copy when it retypes all of the source to its own type', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.ram, CteFlag.RemoteCopies);
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: RAM_BYTES }));
    expect(Cte.flags.get(w.mem, w.at(1, 1))).toBe(CteFlag.RemoteCopies);
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 2), { bytes: PAGE }));
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], () =>
      w.retype(w.ram, ObjType.RAM, w.at(1, 3), { bytes: RAM_BYTES }),
    );
  });

  it('refuses slots that are full or not there, before it makes anything', () => {
    const w = new World();
    expectOk(w, w.copy(w.ram, w.at(1, 3)));
    const call = (target: number, count: number) => () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, target), { bytes: PAGE, count });
    expectRefused(w, ['SYS_ERR_SLOTS_IN_USE'], call(1, 3));
    expectRefused(w, ['SYS_ERR_SLOTS_IN_USE'], call(3, 1));
    expectRefused(w, ['SYS_ERR_SLOTS_INVALID'], call(250, 7));
    expectRefused(w, ['SYS_ERR_DEST_CNODE_INVALID'], () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 4), { bytes: PAGE, cnode: w.ram }),
    );
  });

  it('T12: makes capabilities that are owned here, on every core', () => {
    const w = new World({ core: 5 });
    expectOk(w, w.retype(w.ram, ObjType.KernelControlBlock, w.at(1, 1), { offset: 0 }));
    createCap(w.caps, w.at(2, 0), ObjType.ProcessManager);
    expectOk(w, w.retype(w.at(2, 0), ObjType.Domain, w.at(2, 1), { count: 3 }));
    for (const slot of [w.at(1, 1), w.at(2, 1), w.at(2, 3)]) {
      expect(Cte.owner.get(w.mem, slot)).toBe(5);
    }
    expect(w.show(w.at(2, 3))).toBe('Domain 5.3 rwxgiv');
  });
});

describe('retype and other cores', () => {
  it('T2: asks the monitor about shared memory before it looks at ranges of its own', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: PAGE }));
    Cte.flags.set(w.mem, w.ram, CteFlag.RemoteDescendants);
    const call = (offset: number) => () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 2), { offset, bytes: PAGE });
    expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], call(PAGE));
    expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], call(0));
  });

  it('T24: asks the monitor about what another core owns, whose children know of it', () => {
    const w = new World();
    Cte.owner.set(w.mem, w.ram, coreId(1));
    const call = (isFromMonitor: boolean) => () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 2), { bytes: PAGE, isFromMonitor });
    expectRefused(w, ['SYS_ERR_RETRY_THROUGH_MONITOR'], call(false));
    expectOk(w, call(true)());
    expect(Cte.owner.get(w.mem, w.at(1, 2))).toBe(0);
    expect(Cte.flags.get(w.mem, w.at(1, 2))).toBe(CteFlag.RemoteAncestors);
  });

  it('T26: leaves a locked source to whoever locked it', () => {
    const w = new World();
    Cte.flags.set(w.mem, w.ram, CteFlag.Locked);
    const call = (isFromMonitor: boolean) => () =>
      w.retype(w.ram, ObjType.Frame, w.at(1, 2), { bytes: PAGE, isFromMonitor });
    expectRefused(w, ['SYS_ERR_CAP_LOCKED'], call(false));
    expectOk(w, call(true)());
    expect(Cte.flags.get(w.mem, w.at(1, 2)), 'the lock is not inherited').toBe(0);
  });

  it('makes endpoints of a dispatcher whatever other cores hold', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1)));
    Cte.flags.set(w.mem, w.at(1, 1), CteFlag.RemoteDescendants);
    expectOk(w, w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 2)));
  });
});

describe('memory of new objects', () => {
  const fill = (w: World): void => {
    for (let at = 0; at < 64 * KIB; at += 4) w.mem.store32(ramAt(at), 0xdead_beef);
  };

  it('is zero for frames, tables, CNodes and dispatchers', () => {
    for (const type of [
      ObjType.Frame,
      ObjType.EndPointUMP,
      ObjType.L1CNode,
      ObjType.L2CNode,
      ObjType.VNode_x86_64_pml4,
      ObjType.VNode_ARM_l2,
      ObjType.Dispatcher,
    ]) {
      const w = new World();
      fill(w);
      expectOk(w, w.retype(w.ram, type, w.at(1, 1), { bytes: 16 * KIB }));
      expect(w.mem.isZero(ramAt(0), Cte.bytes.get(w.mem, w.at(1, 1)))).toBe(true);
      expect(w.mem.load32(ramAt(32 * KIB)), 'and no more than that').toBe(0xdead_beef);
    }
  });

  it('is left alone for RAM', () => {
    const w = new World();
    fill(w);
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 1), { bytes: PAGE }));
    expect(w.mem.load32(ramAt(0))).toBe(0xdead_beef);
  });

  it('T19: keeps its contents when a frame is split', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Frame, w.at(1, 1), { bytes: 64 * KIB }));
    fill(w);
    expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(1, 2), { bytes: PAGE, count: 4 }));
    expect(w.mem.load32(ramAt(0))).toBe(0xdead_beef);
  });

  it('T19: is never touched for device memory', () => {
    const w = new World();
    const bytes = 64 * KIB;
    w.delete(w.ram);
    fill(w);
    createCap(w.caps, w.at(1, 1), ObjType.PhysAddr, { base: ramAt(0), bytes });
    expectOk(w, w.retype(w.at(1, 1), ObjType.DevFrame, w.at(1, 2), { bytes }));
    expect(w.mem.load32(ramAt(0))).toBe(0xdead_beef);
  });

  it('must exist: device memory does not become RAM', () => {
    const w = new World();
    createCap(w.caps, w.at(1, 1), ObjType.PhysAddr, { base: asPaddr(2 ** 40), bytes: MIB });
    expectRefused(w, ['SYS_ERR_RETYPE_CREATE', 'SYS_ERR_INVALID_RETYPE'], () =>
      w.retype(w.at(1, 1), ObjType.RAM, w.at(1, 2), { bytes: PAGE }),
    );
  });

  it('makes no RAM where a hole or a device lies between two regions of it', () => {
    const hole = { base: 0x28_0000, bytes: 64 * KIB };
    const isApart = (at: number, bytes: number) =>
      at + bytes <= hole.base || at >= hole.base + hole.bytes;
    const w = new World({ isRam: isApart });
    w.delete(w.ram);
    createCap(w.caps, w.ram, ObjType.PhysAddr, { base: ramAt(0), bytes: RAM_BYTES });
    const at = hole.base - RAM_BASE;
    for (const [offset, bytes] of [
      [0, RAM_BYTES],
      [at, PAGE],
      [at - PAGE, 2 * PAGE],
      [at + hole.bytes - PAGE, 2 * PAGE],
    ] as const) {
      expectRefused(w, ['SYS_ERR_RETYPE_CREATE', 'SYS_ERR_INVALID_RETYPE'], () =>
        w.retype(w.ram, ObjType.RAM, w.at(1, 1), { offset, bytes }),
      );
    }
    expectOk(w, w.retype(w.ram, ObjType.DevFrame, w.at(1, 1), { offset: at, bytes: hole.bytes }));
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 2), { bytes: at }));
    const behind = at + hole.bytes;
    const rest = { offset: behind, bytes: RAM_BYTES - behind };
    expectOk(w, w.retype(w.ram, ObjType.RAM, w.at(1, 3), rest));
  });

  it('is announced when it is a page table', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.VNode_ARM_l1, w.at(1, 1), { count: 2 }));
    expect(w.log).toEqual(['VNode_ARM_l1 +0K made', 'VNode_ARM_l1 +16K made']);
  });
});

describe('rights of new objects', () => {
  it('are all for a new kind of object, and no more than the source has for a part of it', () => {
    const w = new World();
    expectOk(w, w.mint(w.ram, w.at(1, 1), Rights.Read));
    expectOk(w, w.retype(w.at(1, 1), ObjType.Frame, w.at(1, 2), { bytes: 2 * PAGE }));
    expect(w.show(w.at(1, 2))).toBe('Frame 0x200000 (8 KiB) rwxgiv');
    expectOk(w, w.mint(w.at(1, 2), w.at(1, 3), Rights.Read));
    expectOk(w, w.retype(w.at(1, 3), ObjType.Frame, w.at(1, 4), { bytes: PAGE }));
    expect(w.show(w.at(1, 4))).toBe('Frame 0x200000 (4 KiB) r-----');
  });
});

describe('retype of what is not memory', () => {
  it('makes one endpoint at a time, at no offset (T31)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1)));
    const call = (options: object) => () =>
      w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 2), options);
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], call({ count: 2 }));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], call({ count: 0 }));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call({ offset: PAGE }));
    expectOk(w, call({ bytes: 77 })());
    expect(w.show(w.at(1, 2))).toBe('EndPointLMP of 0x200000 rwxgiv');
  });

  it('makes the same endpoint again as a copy that agrees with the first (I29)', () => {
    const w = new World();
    expectOk(w, w.retype(w.ram, ObjType.Dispatcher, w.at(1, 1)));
    expectOk(w, w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 2)));
    Cte.flags.set(w.mem, w.at(1, 2), CteFlag.Locked);
    expectOk(w, w.retype(w.at(1, 1), ObjType.EndPointLMP, w.at(1, 3)));
    expect(Cte.flags.get(w.mem, w.at(1, 3))).toBe(CteFlag.Locked);
  });

  it('gives domains numbers of this core, each once', () => {
    const w = new World({ core: 2 });
    createCap(w.caps, w.at(2, 0), ObjType.ProcessManager);
    const call =
      (slot: number, count: number, offset = 0) =>
      () =>
        w.retype(w.at(2, 0), ObjType.Domain, w.at(2, slot), { count, offset });
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_COUNT'], call(1, 257));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(1, 1, PAGE));
    expectOk(w, call(1, 2)());
    expectOk(w, w.delete(w.at(2, 1)));
    expectOk(w, call(1, 1)());
    expect(w.show(w.at(2, 2))).toBe('Domain 2.2 rwxgiv');
    expect(w.show(w.at(2, 1))).toBe('Domain 2.3 rwxgiv');
    Kcb.nextDomainId.set(w.mem, w.caps.kcb, 0xffff_fffe);
    const names = ['SYS_ERR_RETYPE_CREATE', 'SYS_ERR_DOMAIN_SPACE_EXHAUSTED'] as const;
    expectRefused(w, names, call(10, 2));
    expectOk(w, call(10, 1)());
  });

  it('splits interrupt ranges, inside the source and without overlap', () => {
    const w = new World();
    createCap(w.caps, w.at(2, 0), ObjType.IRQSrc, { arg0: 10, arg1: 99 });
    const call = (first: number, last: number) => () =>
      w.retype(w.at(2, 0), ObjType.IRQSrc, w.at(2, 1), { offset: first, bytes: last });
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(20, 19));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(9, 19));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OFFSET'], call(100, 100));
    expectRefused(w, ['SYS_ERR_RETYPE_INVALID_OBJSIZE'], call(20, 100));
    expectOk(w, call(20, 29)());
    expect(w.show(w.at(2, 1))).toBe('IRQSrc 0x14..0x1d rwxgiv');
    expectOk(w, w.copy(w.at(2, 1), w.at(2, 5)));
    const again = (first: number, last: number) => () =>
      w.retype(w.at(2, 0), ObjType.IRQSrc, w.at(2, 2), { offset: first, bytes: last });
    expectRefused(w, ['SYS_ERR_REVOKE_FIRST'], again(29, 40));
    expectOk(w, again(30, 40)());
  });
});

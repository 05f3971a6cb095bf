import { isEmpty, slotAt } from '@barreleye/caps';
import {
  CNodeCmd,
  CPTR_ROOTCN,
  Cte,
  CteFlag,
  DispatcherFrame,
  invokeHeader,
  Kcb,
  ObjType,
  PageFlag,
  Rights,
  Syscall,
  VNodeCmd,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { TARGETS, type Target } from './bench.ts';
import { expectRefused } from './memory.ts';
import { must, RAM, ROOT_TABLE, User } from './user.ts';

const PAGE = 4096;
const READ_WRITE = PageFlag.Read | PageFlag.Write;

/** A page in use: its table, its frame and its mapping. The TLB knows it. */
interface MappedPage {
  readonly user: User;
  readonly va: number;
  readonly table: number;
  readonly frame: number;
  readonly mapping: number;
}

function mapPage(target: Target, flags = READ_WRITE): MappedPage {
  const user = new User(target);
  const va = user.bench.arch.heapBase;
  const table = user.makeTables(va);
  const frame = user.make(ObjType.Frame, 2 * PAGE);
  const mapping = user.newSlot();
  must(user.map(table, frame, mapping, { first: user.entryOf(va), count: 2, flags }));
  user.bench.mem.store32(user.base(frame), 41);
  expect(user.reads(va)).toBe(41);
  expect(user.reads(va + PAGE)).toBe(0);
  return { user, va, table, frame, mapping };
}

/** Nothing of the page is left, in tables, database or TLB. */
function expectGone({ user, va }: MappedPage): void {
  expect(checkInvariants(user.bench.kernel)).toEqual([]);
  expect(user.reads(va)).toBe(undefined);
  expect(user.reads(va + PAGE)).toBe(undefined);
  expect(user.writes(va, 1)).toBe(false);
}

describe.each(TARGETS)('map on $name', (target) => {
  test('shows the frame at the address, with the rights that were asked for', () => {
    const { user, va, frame } = mapPage(target);
    expect(user.writes(va + PAGE + 8, 99)).toBe(true);
    expect(user.bench.mem.load32(user.at(frame, PAGE + 8))).toBe(99);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
    const readOnly = mapPage(target, PageFlag.Read);
    expect(readOnly.user.writes(readOnly.va, 5)).toBe(false);
    expect(readOnly.user.reads(readOnly.va)).toBe(41);
  });

  test('shows a part of a frame at an offset', () => {
    const { user, va, table, frame } = mapPage(target);
    const at = va + 5 * PAGE;
    const options = { first: user.entryOf(at), offset: PAGE, flags: READ_WRITE };
    must(user.map(table, frame, user.newSlot(), options));
    must({ names: user.writes(at, 123) ? [] : ['no'], value: 0 });
    expect(user.reads(va + PAGE)).toBe(123);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('records who is mapped where', () => {
    const { user, table, frame, mapping, va } = mapPage(target);
    const { mem } = user.bench;
    const slot = user.slot(mapping);
    expect(Cte.type.get(mem, slot)).toBe(ObjType.Frame_Mapping);
    expect(Cte.base.get(mem, slot)).toBe(user.base(frame));
    expect(Cte.bytes.get(mem, slot)).toBe(user.base(table));
    expect(Cte.arg0.get(mem, slot)).toBe(user.entryOf(va));
    expect(Cte.arg1.get(mem, slot)).toBe(2);
  });

  test('fills a table to its last entry', () => {
    const user = new User(target);
    const table = user.makeTables(user.bench.arch.heapBase);
    const entryCount = target.paging.levels.at(-1)?.entryCount ?? 0;
    const frame = user.make(ObjType.Frame, 8 * PAGE);
    const first = entryCount - 8;
    must(user.map(table, frame, user.newSlot(), { first, count: 8, flags: READ_WRITE }));
    const last = user.bench.arch.heapBase + (entryCount - 1) * PAGE;
    expect(user.writes(last, 8)).toBe(true);
    expect(user.bench.mem.load32(user.at(frame, 7 * PAGE))).toBe(8);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('installs each of several tables that share a page where it lies', () => {
    const user = new User(target);
    const { levels } = target.paging;
    const level = levels.length - 1;
    const parentLevel = level - 1;
    const { type, tableBytes } = levels[level] ?? { type: 0, tableBytes: 0 };
    const parentSpan = 2 ** (levels[parentLevel]?.spanBits ?? 0);
    const { heapBase } = user.bench.arch;
    const parent = parentLevel === 0 ? ROOT_TABLE : user.makeTables(heapBase, parentLevel + 1);
    const tables = Array.from({ length: 6 }, () => user.make(type));
    for (const [i, table] of tables.entries()) {
      expect(user.base(table)).toBe(user.base(tables[0] ?? 0) + i * tableBytes);
      const va = heapBase + i * parentSpan;
      const first = target.paging.entryIndex(parentLevel, va);
      must(user.map(parent, table, user.newSlot(), { first }));
      const frame = user.make(ObjType.Frame, PAGE);
      const options = { first: user.entryOf(va), flags: READ_WRITE };
      must(user.map(table, frame, user.newSlot(), options));
      expect(user.writes(va + 12, 1000 + i)).toBe(true);
      expect(user.bench.mem.load32(user.at(frame, 12))).toBe(1000 + i);
    }
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
    // The death of one of them takes its own entries and pages, not its neighbours'.
    must(user.delete(tables[2] ?? 0));
    const words = tables.map((_, i) => user.reads(heapBase + i * parentSpan + 12));
    expect(words).toEqual([1000, 1001, undefined, 1003, 1004, 1005]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('a page on $name is gone, and forgotten by the TLB, after', (target) => {
  test('unmap', () => {
    const page = mapPage(target);
    const { user, table, mapping, frame, va } = page;
    must(user.unmap(table, mapping));
    expect(isEmpty(user.bench.mem, user.slot(mapping)), 'the mapping goes too (T10)').toBe(true);
    expectGone(page);
    const options = { first: user.entryOf(va), flags: PageFlag.Read };
    must(user.map(table, frame, mapping, options));
    expect(user.reads(va)).toBe(41);
  });

  test('unmap, only where the mapping may be taken away', () => {
    const page = mapPage(target);
    const { user, table, mapping } = page;
    const cnode = slotAt(user.bench.mem, Kcb.rootCn.at(user.bench.plan.kcb), mapping >>> 8);
    Cte.rights.set(user.bench.mem, cnode, Rights.Read);
    const names = ['SYS_ERR_SOURCE_CAP_LOOKUP', 'SYS_ERR_CNODE_RIGHTS'];
    expect(user.unmap(table, mapping).names).toEqual(names);
    Cte.rights.set(user.bench.mem, cnode, Rights.Read | Rights.Write);
    must(user.unmap(table, mapping));
    expectGone(page);
  });

  test('unmap through another capability of the same table', () => {
    const page = mapPage(target);
    const { user, table, mapping } = page;
    const copy = user.newSlot();
    must(user.copy(table, copy));
    must(user.unmap(copy, mapping));
    expectGone(page);
  });

  test('deletion of the mapping', () => {
    const page = mapPage(target);
    must(page.user.delete(page.mapping));
    expectGone(page);
  });

  test('deletion of the frame, but only of its last copy (T11)', () => {
    const page = mapPage(target);
    const { user, frame, va } = page;
    const copy = user.newSlot();
    must(user.copy(frame, copy));
    must(user.delete(frame));
    expect(user.reads(va)).toBe(41);
    must(user.delete(copy));
    expectGone(page);
  });

  test('deletion of the table, but only of its last copy (T11)', () => {
    const page = mapPage(target);
    const { user, table, va } = page;
    const copy = user.newSlot();
    must(user.copy(table, copy));
    must(user.delete(table));
    expect(user.reads(va)).toBe(41);
    must(user.delete(copy));
    expectGone(page);
  });

  test('deletion of a table further up', () => {
    const user = new User(target);
    const va = user.bench.arch.heapBase;
    const { levels } = target.paging;
    const upper = user.make(levels[1]?.type ?? 0);
    must(user.map(ROOT_TABLE, upper, user.newSlot(), { first: target.paging.entryIndex(0, va) }));
    let table = upper;
    for (let level = 2; level < levels.length; level++) {
      const child = user.make(levels[level]?.type ?? 0);
      const first = target.paging.entryIndex(level - 1, va);
      must(user.map(table, child, user.newSlot(), { first }));
      table = child;
    }
    const frame = user.make(ObjType.Frame, 2 * PAGE);
    const mapping = user.newSlot();
    must(user.map(table, frame, mapping, { first: user.entryOf(va), flags: READ_WRITE }));
    expect(user.reads(va)).toBe(0);
    must(user.delete(upper));
    expectGone({ user, va, table, frame, mapping });
  });

  test('revocation of the RAM that the frame was made of', () => {
    const user = new User(target);
    const va = user.bench.arch.heapBase;
    const table = user.makeTables(va);
    const ram = user.make(ObjType.RAM, 4 * PAGE);
    const frame = user.newSlot();
    must(user.retype(ram, PAGE, ObjType.Frame, 2 * PAGE, 1, frame));
    const mapping = user.newSlot();
    must(user.map(table, frame, mapping, { first: user.entryOf(va), count: 2 }));
    expect(user.reads(va)).toBe(0);
    must(user.revoke(ram));
    expectGone({ user, va, table, frame, mapping });
  });

  test('revocation of the frame', () => {
    const page = mapPage(target);
    must(page.user.revoke(page.frame));
    expectGone(page);
  });

  test('deletion of a CNode that holds the last capability of the frame', () => {
    const page = mapPage(target);
    const { user, frame } = page;
    const cnode = user.make(ObjType.L2CNode);
    const root = 210;
    must(user.invokeRoot(CNodeCmd.Copy, CPTR_ROOTCN, 0, root, CPTR_ROOTCN, cnode, 2 * 16));
    must(user.invokeRoot(CNodeCmd.Copy, CPTR_ROOTCN, root << 8, 3, CPTR_ROOTCN, frame, 1 + 32));
    must(user.delete(frame));
    must(user.delete(cnode));
    expect(user.reads(page.va)).toBe(41);
    must(user.invokeRoot(CNodeCmd.Delete, root << 8, 1));
    expectGone(page);
  });
});

describe.each(TARGETS)('unmap on $name', (target) => {
  test('refuses what is no mapping of this table, and changes nothing (T7)', () => {
    const { user, va, table, frame, mapping } = mapPage(target);
    const other = user.make(target.paging.levels.at(-1)?.type ?? 0);
    const weak = user.newSlot();
    must(user.mint(table, weak, Rights.Read));
    const unmap = (invoked: number, address: number, level = 2): number[] => {
      return [Syscall.Invoke, invokeHeader(VNodeCmd.Unmap, 2), invoked, address, level];
    };
    const {
      SourceLookup,
      Rights: NoRight,
      NotMapped,
    } = {
      SourceLookup: 'SYS_ERR_SOURCE_CAP_LOOKUP',
      Rights: 'SYS_ERR_DEST_CAP_RIGHTS',
      NotMapped: 'SYS_ERR_VM_NOT_MAPPED',
    };
    const cases = [
      [[SourceLookup, 'SYS_ERR_CAP_NOT_FOUND'], unmap(table, user.newSlot())],
      [[SourceLookup, 'SYS_ERR_CAP_NOT_FOUND'], unmap(weak, user.newSlot())],
      [[SourceLookup, 'SYS_ERR_CAP_LOOKUP_DEPTH'], unmap(table, mapping, 3)],
      [[NoRight], unmap(weak, mapping)],
      [[NotMapped], unmap(table, frame)],
      [[NotMapped], unmap(table, RAM)],
      [[NotMapped], unmap(other, mapping)],
      [[NotMapped], unmap(ROOT_TABLE, mapping)],
    ] as const;
    for (const [names, words] of cases) expectRefused(user, names, words);
    Cte.flags.set(user.bench.mem, user.slot(mapping), CteFlag.Locked);
    const locked = ['SYS_ERR_RETRY_THROUGH_MONITOR', 'SYS_ERR_CAP_LOCKED'];
    expectRefused(user, locked, unmap(table, mapping));
    Cte.flags.set(user.bench.mem, user.slot(mapping), 0);
    expect(user.reads(va)).toBe(41);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('takes away nothing but its own entries', () => {
    const { user, va, table, frame, mapping } = mapPage(target);
    const beside = va + 2 * PAGE;
    must(user.map(table, frame, user.newSlot(), { first: user.entryOf(beside) }));
    must(user.unmap(table, mapping));
    expect(user.reads(beside)).toBe(41);
    expect(user.reads(va)).toBe(undefined);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('of a table closes the way to all that is below it, until it is back', () => {
    const user = new User(target);
    const va = user.bench.arch.heapBase;
    const { levels } = target.paging;
    const last = levels.length - 1;
    const parent = last === 1 ? ROOT_TABLE : user.makeTables(va, last);
    const table = user.make(levels[last]?.type ?? 0);
    const way = user.newSlot();
    const first = target.paging.entryIndex(last - 1, va);
    must(user.map(parent, table, way, { first }));
    const frame = user.make(ObjType.Frame, PAGE);
    must(user.map(table, frame, user.newSlot(), { first: user.entryOf(va) }));
    user.bench.mem.store32(user.base(frame), 17);
    expect(user.reads(va)).toBe(17);
    must(user.unmap(parent, way));
    expect(user.reads(va)).toBe(undefined);
    must(user.map(parent, table, way, { first }));
    expect(user.reads(va)).toBe(17);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('a VSpace root on $name', (target) => {
  test('that dies is not translated through again', () => {
    const user = new User(target);
    const { bench } = user;
    DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
    expect(user.revoke(ROOT_TABLE).names).toEqual(['left']);
    expect(bench.current).toBe(0);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('made by user mode begins as the page tables want it', () => {
    const made: number[] = [];
    const paging: Target['paging'] = {
      ...target.paging,
      initRoot(mem, root) {
        made.push(root);
        target.paging.initRoot(mem, root);
      },
    };
    const user = new User({ ...target, paging });
    for (const { type } of target.paging.levels.slice(1)) user.make(type);
    const root = user.make(target.paging.rootType);
    expect(made).toEqual([user.base(ROOT_TABLE), user.base(root)]);
  });
});

test('a frame as long as the address of a table is not taken for a mapping of it', () => {
  const [target] = TARGETS;
  const user = new User(target as Target, { ramBytes: 14 * 2 ** 20 });
  const table = user.make(ObjType.VNode_x86_64_ptable);
  const frame = user.make(ObjType.Frame, user.base(table));
  const words = [Syscall.Invoke, invokeHeader(VNodeCmd.Unmap, 2), table, frame, 2];
  expectRefused(user, ['SYS_ERR_VM_NOT_MAPPED'], words);
});

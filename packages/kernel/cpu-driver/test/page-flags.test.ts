/** Changing what mapped pages allow, through a mapping and through a table. */

import {
  Access,
  invokeHeader,
  MappingCmd,
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
import { must, ROOT_TABLE, User } from './user.ts';

const PAGE = 4096;
const { Read, Write, NoCache } = PageFlag;

/** Four pages in use, of a frame capability with `rights`, between two single pages of another. */
function mapPages(target: Target, rights: number = Rights.All, flags: number = Read) {
  const user = new User(target);
  const va = user.bench.arch.heapBase + 8 * PAGE;
  const table = user.makeTables(va);
  const whole = user.make(ObjType.Frame, 4 * PAGE);
  const frame = user.newSlot();
  must(user.mint(whole, frame, rights));
  const mapping = user.newSlot();
  const first = user.entryOf(va);
  must(user.map(table, frame, mapping, { first, count: 4, flags }));
  const other = user.make(ObjType.Frame, 2 * PAGE);
  must(user.map(table, other, user.newSlot(), { first: first - 1, flags: Read }));
  must(user.map(table, other, user.newSlot(), { first: first + 4, flags: Read, offset: PAGE }));
  const writable = (): boolean[] =>
    [-1, 0, 1, 2, 3, 4].map((page) => user.writes(va + page * PAGE, page));
  return { user, va, table, mapping, first, writable };
}

describe.each(TARGETS)('on $name', (target) => {
  test('a mapping gives access to some of its pages, and takes it back', () => {
    const { user, va, mapping, writable } = mapPages(target);
    expect(writable()).toEqual([false, false, false, false, false, false]);
    must(user.invoke(mapping, MappingCmd.Modify, 1, 2, Read | Write));
    expect(writable()).toEqual([false, false, true, true, false, false]);
    expect(user.reads(va + PAGE)).toBe(1);
    must(user.invoke(mapping, MappingCmd.Modify, 0, 4, Read | NoCache));
    expect(writable(), 'the TLB has forgotten').toEqual(Array(6).fill(false));
    must(user.invoke(mapping, MappingCmd.Modify, 2, 1, 0));
    expect([1, 2, 3].map((page) => user.reads(va + page * PAGE))).toEqual([1, undefined, 0]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('a table does the same to whatever is mapped in it', () => {
    const { user, table, first, writable } = mapPages(target);
    must(user.invoke(table, VNodeCmd.ModifyFlags, first + 3, 4, Read | Write));
    expect(writable()).toEqual([false, false, false, false, true, true]);
    must(user.invoke(table, VNodeCmd.ModifyFlags, first - 1, 2, Read | Write));
    expect(writable()).toEqual([true, true, false, false, true, true]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('T8: a mapping reaches its own entries only, with the rights it was made with', () => {
    const { user, table, mapping, first } = mapPages(target, Rights.Read | Rights.Identify);
    const modify = (...args: number[]): number[] => [
      Syscall.Invoke,
      invokeHeader(MappingCmd.Modify, 2),
      mapping,
      ...args,
    ];
    const wide = 0xffff_ffff;
    const cases = [
      ['SYS_ERR_VNODE_SLOT_INVALID', [4, 1, Read]],
      ['SYS_ERR_VNODE_SLOT_INVALID', [wide, 1, Read]],
      ['SYS_ERR_VM_MAP_SIZE', [0, 0, Read]],
      ['SYS_ERR_VM_MAP_SIZE', [0, 5, Read]],
      ['SYS_ERR_VM_MAP_SIZE', [3, 2, Read]],
      ['SYS_ERR_VM_MAP_SIZE', [1, wide, Read]],
      ['SYS_ERR_VM_MAP_RIGHTS', [0, 1, Write]],
      ['SYS_ERR_VM_MAP_RIGHTS', [0, 4, PageFlag.Execute]],
      ['SYS_ERR_VM_MAP_RIGHTS', [0, 1, 0x10]],
      ['SYS_ERR_VM_MAP_RIGHTS', [0, 1, 0x8000_0000]],
    ] as const;
    for (const [name, args] of cases) expectRefused(user, [name], modify(...args));
    const byTable = (...args: number[]): number[] => [
      Syscall.Invoke,
      invokeHeader(VNodeCmd.ModifyFlags, 2),
      table,
      ...args,
    ];
    expectRefused(user, ['SYS_ERR_VM_MAP_RIGHTS'], byTable(first - 1, 2, Read | Write));
  });

  test('a table refuses entries that it has not, and tables in it', () => {
    const { user, table } = mapPages(target);
    const weak = user.newSlot();
    must(user.mint(table, weak, Rights.Read));
    const rootShape = target.paging.levels[0];
    const leafShape = target.paging.levels.at(-1);
    if (rootShape === undefined || leafShape === undefined) throw new Error('no levels');
    const onRoot = target.paging.entryIndex(0, user.bench.arch.heapBase);
    const cases = [
      ['SYS_ERR_DEST_CAP_RIGHTS', weak, [0, 1, Read]],
      ['SYS_ERR_VNODE_SLOT_INVALID', table, [leafShape.entryCount, 1, Read]],
      ['SYS_ERR_VM_MAP_SIZE', table, [0, 0, Read]],
      ['SYS_ERR_VM_MAP_SIZE', table, [1, leafShape.entryCount, Read]],
      ['SYS_ERR_WRONG_MAPPING', ROOT_TABLE, [onRoot, 1, Read]],
    ] as const;
    for (const [name, invoked, args] of cases) {
      const header = invokeHeader(VNodeCmd.ModifyFlags, 2);
      expectRefused(user, [name], [Syscall.Invoke, header, invoked, ...args]);
    }
    if (rootShape.reservedFrom === rootShape.entryCount) return;
    const header = invokeHeader(VNodeCmd.ModifyFlags, 2);
    const words = [Syscall.Invoke, header, ROOT_TABLE, rootShape.reservedFrom, 1, Read];
    expectRefused(user, ['SYS_ERR_VNODE_SLOT_RESERVED'], words);
  });

  test('T8: the mapping of a page table changes nothing', () => {
    const user = new User(target);
    const { levels } = target.paging;
    const child = user.make(levels[1]?.type ?? 0);
    const way = user.newSlot();
    const first = target.paging.entryIndex(0, user.bench.arch.heapBase);
    must(user.map(ROOT_TABLE, child, way, { first }));
    const words = [Syscall.Invoke, invokeHeader(MappingCmd.Modify, 2), way, 0, 1, Read];
    expectRefused(user, ['SYS_ERR_WRONG_MAPPING'], words);
  });
});

describe('on armv7, sixteen equal entries', () => {
  const armv7 = TARGETS.find(({ name }) => name === 'armv7') as Target;
  const LARGE = 16 * PAGE;
  const RW = Read | Write;

  /** 40 pages mapped in one call, of a frame that suits large pages from the fourth page on. */
  function mapForty() {
    const user = new User(armv7);
    const va = user.bench.arch.heapBase + LARGE - 4 * PAGE;
    const table = user.makeTables(va);
    const frame = user.make(ObjType.Frame, 64 * PAGE, LARGE);
    const mapping = user.newSlot();
    const first = user.entryOf(va);
    must(user.map(table, frame, mapping, { first, count: 40, flags: RW, offset: 12 * PAGE }));
    const walker = armv7.paging.createWalker(user.bench.mem);
    /** Size of the page at page `page` of the mapping, if it shows what it should. */
    const sizeAt = (page: number, access: number = Access.Read): number => {
      const pa = walker.walk(user.bench.core.mmu.root, va + page * PAGE, access | Access.User);
      if (pa !== user.at(frame, LARGE + (page - 4) * PAGE)) return -1;
      return 2 ** walker.pageBits;
    };
    return { user, va, table, frame, mapping, first, sizeAt };
  }

  test('map one page of 64 KiB where place and address suit it', () => {
    const { user, sizeAt } = mapForty();
    expect([0, 3, 4, 19, 20, 35, 36, 39].map((page) => sizeAt(page))).toEqual([
      ...[PAGE, PAGE, LARGE, LARGE, LARGE, LARGE, PAGE, PAGE],
    ]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('become small pages when some of them change, and show the same memory', () => {
    const { user, va, mapping, sizeAt } = mapForty();
    expect(user.writes(va + 10 * PAGE, 5)).toBe(true);
    must(user.invoke(mapping, MappingCmd.Modify, 10, 4, Read));
    expect([4, 9, 10, 13, 14, 19].map((page) => sizeAt(page))).toEqual(Array(6).fill(PAGE));
    expect([9, 10, 13, 14].map((page) => user.writes(va + page * PAGE, 6))).toEqual([
      ...[true, false, false, true],
    ]);
    expect(sizeAt(20), 'its neighbour stays').toBe(LARGE);
    must(user.invoke(mapping, MappingCmd.Modify, 0, 40, RW));
    expect([3, 4, 19, 20, 36].map((page) => sizeAt(page, Access.Write))).toEqual([
      ...[PAGE, LARGE, LARGE, LARGE, PAGE],
    ]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('go with their mapping, all of them', () => {
    const { user, va, table, frame, mapping, sizeAt } = mapForty();
    expect(user.reads(va + 20 * PAGE)).toBe(0);
    must(user.unmap(table, mapping));
    expect([0, 4, 12, 20, 35, 39].map((page) => sizeAt(page))).toEqual(Array(6).fill(-1));
    expect(user.reads(va + 21 * PAGE), 'the TLB has forgotten').toBe(undefined);
    must(user.map(table, frame, mapping, { first: user.entryOf(va) + 5, count: 1 }));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('of the first level map 16 MiB', () => {
    const user = new User(armv7, { ramBytes: 64 * 2 ** 20 });
    const bytes = 16 * 2 ** 20;
    const frame = user.make(ObjType.Frame, bytes, bytes);
    const va = user.bench.arch.heapBase + 4 * bytes;
    const first = armv7.paging.entryIndex(0, va);
    must(user.map(ROOT_TABLE, frame, user.newSlot(), { first, count: 16, flags: RW }));
    const walker = armv7.paging.createWalker(user.bench.mem);
    const at = va + 11 * 2 ** 20 + 8;
    const pa = walker.walk(user.bench.core.mmu.root, at, Access.Write | Access.User);
    expect([pa, walker.pageBits]).toEqual([user.at(frame, at - va), 24]);
    expect(user.writes(at, 3)).toBe(true);
    expect(user.bench.mem.load32(user.at(frame, at - va))).toBe(3);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

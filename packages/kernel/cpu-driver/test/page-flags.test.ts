/** Changing what mapped pages allow, through a mapping and through a table. */

import {
  invokeHeader,
  MappingCmd,
  ObjType,
  PageFlag,
  Rights,
  Syscall,
  VNodeCmd,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkKernel } from '../src/index.ts';
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
    expect(checkKernel(user.bench.kernel)).toEqual([]);
  });

  test('a table does the same to whatever is mapped in it', () => {
    const { user, table, first, writable } = mapPages(target);
    must(user.invoke(table, VNodeCmd.ModifyFlags, first + 3, 4, Read | Write));
    expect(writable()).toEqual([false, false, false, false, true, true]);
    must(user.invoke(table, VNodeCmd.ModifyFlags, first - 1, 2, Read | Write));
    expect(writable()).toEqual([true, true, false, false, true, true]);
    expect(checkKernel(user.bench.kernel)).toEqual([]);
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

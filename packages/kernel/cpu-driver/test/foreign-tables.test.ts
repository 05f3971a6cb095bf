/** Page tables for cores of other architectures, built by a domain on this one. */

import { Access, invokeHeader, ObjType, PageFlag, Syscall, VNodeCmd } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { TARGETS, type Target } from './bench.ts';
import { expectRefused } from './memory.ts';
import { mapWords, must, User } from './user.ts';

const PAGE = 4096;
const USER_WRITE = Access.Write | Access.User;

/** Every architecture with another one's tables. */
const PAIRS = TARGETS.flatMap((target) =>
  TARGETS.filter((other) => other !== target).map((other) => ({
    name: `${other.name} tables on ${target.name}`,
    target,
    other,
  })),
);

/** Tables of `format` for the page at `va`: root and last table. */
function buildTables(user: User, { paging }: Target, va: number): { root: number; leaf: number } {
  const root = user.make(paging.rootType);
  let leaf = root;
  for (let level = 1; level < paging.levels.length; level++) {
    const child = user.make(paging.levels[level]?.type ?? 0);
    must(user.map(leaf, child, user.newSlot(), { first: paging.entryIndex(level - 1, va) }));
    leaf = child;
  }
  return { root, leaf };
}

describe.each(PAIRS)('$name', ({ target, other }) => {
  test('translate as the other architecture does, until the frame dies', () => {
    const user = new User(target, { foreignFormats: [other.paging] });
    const va = other.board.arch.heapBase + 3 * PAGE;
    const { root, leaf } = buildTables(user, other, va);
    const frame = user.make(ObjType.Frame, 2 * PAGE);
    const flags = PageFlag.Read | PageFlag.Write;
    const first = other.paging.entryIndex(other.paging.levels.length - 1, va);
    must(user.map(leaf, frame, user.newSlot(), { first, count: 2, flags }));
    const walker = other.paging.createWalker(user.bench.mem);
    const walk = (at: number): number => walker.walk(user.base(root), at, USER_WRITE);
    expect(walk(va + PAGE + 8)).toBe(user.at(frame, PAGE + 8));
    expect(walk(va + 2 * PAGE)).toBeLessThan(0);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
    must(user.delete(frame));
    expect(walk(va)).toBeLessThan(0);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
    must(user.delete(leaf));
    must(user.delete(root));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('do not mix with the tables of this one, and are nothing to a kernel without them', () => {
    const va = other.board.arch.heapBase;
    const user = new User(target, { foreignFormats: [other.paging] });
    const { leaf } = buildTables(user, other, va);
    const own = user.make(target.paging.levels.at(-1)?.type ?? 0);
    const map = (table: number, source: number): number[] => {
      const header = invokeHeader(VNodeCmd.Map, 2);
      return [Syscall.Invoke, header, table, ...mapWords(source, user.newSlot())];
    };
    expectRefused(user, ['SYS_ERR_WRONG_MAPPING'], map(leaf, own));
    expectRefused(user, ['SYS_ERR_WRONG_MAPPING'], map(own, leaf));

    const plain = new User(target);
    const table = plain.make(other.paging.levels.at(-1)?.type ?? 0);
    const frame = plain.make(ObjType.Frame, PAGE);
    const header = invokeHeader(VNodeCmd.Map, 2);
    const words = [Syscall.Invoke, header, table, ...mapWords(frame, plain.newSlot())];
    expectRefused(plain, ['SYS_ERR_VNODE_TYPE'], words);
  });

  test('take no frame and no table that they have no address for', () => {
    const format = { ...other.paging, paddrBits: 20 };
    const user = new User(target, { foreignFormats: [format] });
    const [root, ...below] = format.levels.map(({ type }) => user.make(type));
    const leaf = below.at(-1) ?? 0;
    const map = (table: number, source: number): number[] => {
      const header = invokeHeader(VNodeCmd.Map, 2);
      return [Syscall.Invoke, header, table, ...mapWords(source, user.newSlot())];
    };
    const refusal = ['SYS_ERR_VM_FRAME_OUT_OF_REACH'];
    expectRefused(user, refusal, map(leaf, user.make(ObjType.Frame, PAGE)));
    expectRefused(user, refusal, map(root ?? 0, below[0] ?? 0));
  });
});

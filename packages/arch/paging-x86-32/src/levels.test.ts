import { CAP_TYPE_INFO, ObjType } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { pagingX86_32, pagingX86_32Pae } from './index.ts';

describe.each([pagingX86_32, pagingX86_32Pae])('$name', (paging) => {
  test('each level covers one entry of the level above it', () => {
    for (const [i, level] of paging.levels.entries()) {
      const child = paging.levels[i + 1];
      expect(level.childType).toBe(child?.type);
      if (child) expect(2 ** level.spanBits).toBe(child.entryCount * 2 ** child.spanBits);
      expect(level.tableBytes).toBe(CAP_TYPE_INFO[level.type]!.bytes);
      expect(level.entryCount * level.entryBytes).toBeLessThanOrEqual(level.tableBytes);
    }
    const [root] = paging.levels;
    expect(root!.entryCount * 2 ** root!.spanBits).toBe(2 ** paging.vaddrBits);
    expect(paging.rootType).toBe(root!.type);
    expect(CAP_TYPE_INFO[paging.rootType]!.vspaceRoot).toBe(true);
  });

  test('the type of a table says its level', () => {
    for (const [i, { type }] of paging.levels.entries()) expect(paging.levelOf(type)).toBe(i);
    expect(paging.levelOf(ObjType.VNode_x86_64_pdir)).toBe(-1);
    expect(paging.levelOf(ObjType.Frame)).toBe(-1);
  });

  test('the entries of the upper half of the root are the kernel’s, and no others', () => {
    const [root, ...others] = paging.levels;
    expect(paging.entryIndex(0, 2 ** 31 - 1)).toBeLessThan(root!.reservedFrom);
    expect(paging.entryIndex(0, 2 ** 31)).toBe(root!.reservedFrom);
    for (const { reservedFrom, entryCount } of others) expect(reservedFrom).toBe(entryCount);
  });
});

test('a page-directory-pointer table is nothing to 32-bit paging', () => {
  expect(pagingX86_32.levelOf(ObjType.VNode_x86_32_pdpt)).toBe(-1);
});

test.each([
  [0, [0, 0], [0, 0, 0]],
  [0xfff, [0, 0], [0, 0, 0]],
  [0x1000, [0, 1], [0, 0, 1]],
  [0x0060_3000, [1, 0x203], [0, 3, 3]],
  [0x4123_4567, [0x104, 0x234], [1, 9, 0x34]],
  [0x7fff_ffff, [511, 1023], [1, 511, 511]],
  [0xffff_f000, [1023, 1023], [3, 511, 511]],
  [-0x1000, [1023, 1023], [3, 511, 511]],
  [-(2 ** 31), [512, 0], [2, 0, 0]],
])('address %i takes entries %j, with PAE %j', (va, two, three) => {
  expect(two.map((_, level) => pagingX86_32.entryIndex(level, va))).toEqual(two);
  expect(three.map((_, level) => pagingX86_32Pae.entryIndex(level, va))).toEqual(three);
});

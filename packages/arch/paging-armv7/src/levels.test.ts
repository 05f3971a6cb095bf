import { CAP_TYPE_INFO, ObjType } from '@barreleye/spec';
import { expect, test } from 'vitest';
import { pagingArmv7 as paging } from './index.ts';

test('each level covers one entry of the level above it', () => {
  for (const [i, level] of paging.levels.entries()) {
    const child = paging.levels[i + 1];
    expect(level.childType).toBe(child?.type);
    if (child) expect(2 ** level.spanBits).toBe(child.entryCount * 2 ** child.spanBits);
    expect(level.tableBytes).toBe(level.entryCount * level.entryBytes);
    expect(level.tableBytes).toBe(CAP_TYPE_INFO[level.type]!.bytes);
  }
  const [root] = paging.levels;
  expect(root!.entryCount * 2 ** root!.spanBits).toBe(2 ** paging.vaddrBits);
  expect(paging.rootType).toBe(root!.type);
});

test('the type of a table says its level', () => {
  expect(paging.levels.map(({ type }) => paging.levelOf(type))).toEqual([0, 1]);
  expect(paging.levelOf(ObjType.VNode_x86_64_pml4)).toBe(-1);
  expect(paging.levelOf(ObjType.Frame)).toBe(-1);
});

test.each([
  [0, [0, 0]],
  [0xfff, [0, 0]],
  [0x1000, [0, 1]],
  [0x0123_4567, [0x012, 0x34]],
  [0x7fff_ffff, [0x7ff, 0xff]],
  [0x8000_0000, [0x800, 0]],
  [0xffff_f000, [0xfff, 0xff]],
  [-(2 ** 31), [0x800, 0]],
  [-0x1000, [0xfff, 0xff]],
])('address %i takes entries %j', (va, indexes) => {
  expect(indexes.map((_, level) => paging.entryIndex(level, va))).toEqual(indexes);
});

test('the entries of the upper half of the root are the kernel’s, and no others', () => {
  expect(paging.levels.map(({ reservedFrom }) => reservedFrom)).toEqual([2048, 256]);
  expect(paging.entryIndex(0, 2 ** 31 - 1)).toBeLessThan(2048);
  expect(paging.entryIndex(0, 2 ** 31)).toBe(2048);
});

import { CAP_TYPE_INFO, ObjType } from '@barreleye/spec';
import { expect, test } from 'vitest';
import { pagingX86_64 as paging } from './index.ts';

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
  expect(paging.levels.map(({ type }) => paging.levelOf(type))).toEqual([0, 1, 2, 3]);
  expect(paging.levelOf(ObjType.VNode_ARM_l1)).toBe(-1);
  expect(paging.levelOf(ObjType.Frame)).toBe(-1);
});

test.each([
  [0, [0, 0, 0, 0]],
  [0xfff, [0, 0, 0, 0]],
  [0x1000, [0, 0, 0, 1]],
  [0x0000_0080_4040_3000, [1, 1, 2, 3]],
  [2 ** 47 - 1, [255, 511, 511, 511]],
  [-(2 ** 47), [256, 0, 0, 0]],
  [-0x1000, [511, 511, 511, 511]],
  [-1, [511, 511, 511, 511]],
])('address %i takes entries %j', (va, indexes) => {
  expect(indexes.map((_, level) => paging.entryIndex(level, va))).toEqual(indexes);
});

test('the entries of the upper half of the root are the kernel’s, and no others', () => {
  expect(paging.levels.map(({ reservedFrom }) => reservedFrom)).toEqual([256, 512, 512, 512]);
  expect(paging.entryIndex(0, 2 ** 47 - 1)).toBeLessThan(256);
  expect(paging.entryIndex(0, -(2 ** 47))).toBe(256);
});

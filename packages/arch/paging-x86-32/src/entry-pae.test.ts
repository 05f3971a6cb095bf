import { KernelPanic, PhysMem, paddr } from '@barreleye/core';
import { PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { pagingX86_32Pae as paging } from './index.ts';

const { Read, Write, Execute, All } = PageFlag;
const TABLE = paddr(0x4000);
const EMPTY = { kind: 'empty', base: 0, pageBits: 0, flags: 0, accessed: false, dirty: false };

function memory(): PhysMem {
  return new PhysMem(new ArrayBuffer(0x8000), 0x1000);
}

/** Entry `index` of the table as hexadecimal. */
function wordOf(mem: PhysMem, index: number): string {
  return mem.view.getBigUint64(TABLE - mem.origin + 8 * index, true).toString(16);
}

test.each([
  ['4 KiB, read', 2, 0x123_4000, Read, '8000000001234005'],
  ['4 KiB, everything', 2, 0x123_4000, All, '1234017'],
  ['4 KiB above 4 GiB', 2, 0xf_ffff_f000, Read | Execute, 'ffffff005'],
  ['4 KiB, nothing', 2, 0x123_4000, 0, '8000000001234001'],
  ['2 MiB', 1, 0x1_4020_0000, Read | Write, '8000000140200087'],
])('writePage makes the entries of the manual: %s', (_, level, frame, flags, word) => {
  const mem = memory();
  paging.writePage(mem, level, TABLE, 7, paddr(frame), flags);
  expect(wordOf(mem, 7)).toBe(word);
  expect(paging.readEntry(mem, level, TABLE, 7)).toMatchObject({
    kind: 'page',
    base: frame,
    pageBits: level === 1 ? 21 : 12,
  });
});

test('pointers have no rights: those bits are reserved', () => {
  const mem = memory();
  for (const level of [0, 1]) paging.writeTable(mem, level, TABLE, level, paddr(0x1_2345_6000));
  expect([0, 1].map((index) => wordOf(mem, index))).toEqual(['123456001', '123456007']);
  for (const level of [0, 1]) {
    expect(paging.isPresent(mem, level, TABLE, level)).toBe(true);
    expect(paging.readEntry(mem, level, TABLE, level)).toEqual({
      ...EMPTY,
      kind: 'table',
      base: 0x1_2345_6000,
    });
  }
});

test('clearEntry empties one entry, at every level', () => {
  for (const level of [0, 1, 2]) {
    const mem = memory();
    new Uint8Array(mem.buffer).fill(0xff);
    paging.clearEntry(mem, level, TABLE, 1);
    expect([0, 1, 2].map((index) => wordOf(mem, index) === '0')).toEqual([false, true, false]);
    expect(paging.isPresent(mem, level, TABLE, 1)).toBe(false);
    expect(paging.readEntry(mem, level, TABLE, 1)).toEqual(EMPTY);
  }
});

test('initRoot leaves two pointers to user mode and empties the rest of the page', () => {
  const mem = memory();
  new Uint8Array(mem.buffer).fill(0xff);
  paging.initRoot(mem, TABLE);
  expect(mem.isZero(paddr(TABLE + 16), 4080)).toBe(true);
  expect([0, 1].map((index) => wordOf(mem, index))).toEqual(Array(2).fill('f'.repeat(16)));
  expect(mem.load32(paddr(TABLE + 4096))).toBe(0xffff_ffff);
});

describe('bugs of a caller panic', () => {
  const write = (level: number, index: number, frame: number) =>
    paging.writePage(memory(), level, TABLE, index, paddr(frame), Read);
  const point = (level: number, index: number, child: number, table = TABLE) =>
    paging.writeTable(memory(), level, table, index, paddr(child));

  test.each([
    ['a page among the pointers', () => write(0, 0, 0)],
    ['a 2 MiB page that is not aligned', () => write(1, 0, 0x1000)],
    ['an index too high', () => write(2, 512, 0)],
    ['a fifth pointer', () => point(0, 4, TABLE)],
    ['a pointer before the first', () => point(0, -1, TABLE)],
    ['a table in a page table', () => point(2, 0, TABLE)],
    ['a directory that is not aligned', () => point(0, 0, 0x20)],
    ['a pointer table outside memory', () => point(0, 0, TABLE, paddr(0x9000))],
  ])('%s', (_, act) => {
    expect(act).toThrow(KernelPanic);
  });
});

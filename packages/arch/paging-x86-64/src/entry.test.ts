import { KernelPanic, type Paddr, PhysMem, paddr } from '@barreleye/core';
import { PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { EntryLow, pagingX86_64 as paging } from './index.ts';

const { Read, Write, Execute, NoCache } = PageFlag;
const TABLE = paddr(0x4000);

function memory(): PhysMem {
  return new PhysMem(new ArrayBuffer(0x8000), 0x1000);
}

/** Entry `index` of the table as hexadecimal. */
function wordOf(mem: PhysMem, index: number): string {
  return mem.view.getBigUint64(TABLE - mem.origin + 8 * index, true).toString(16);
}

/** The entry that `flags` become in a table of level `level`. */
function pageWord(level: number, frame: number, flags: number): string {
  const mem = memory();
  paging.writePage(mem, level, TABLE, 7, paddr(frame), flags);
  return wordOf(mem, 7);
}

describe('writePage makes the entries of the manual', () => {
  test.each([
    ['4 KiB, read', 3, 0x123_4000, Read, '8000000001234005'],
    ['4 KiB, write', 3, 0x123_4000, Read | Write, '8000000001234007'],
    ['4 KiB, execute', 3, 0x123_4000, Read | Execute, '1234005'],
    ['4 KiB, everything', 3, 0x123_4000, PageFlag.All, '1234017'],
    ['4 KiB, not cached', 3, 0x123_4000, Read | NoCache, '8000000001234015'],
    ['4 KiB, nothing', 3, 0x123_4000, 0, '8000000001234001'],
    ['4 KiB, high up', 3, 0xf_ffff_ffff_f000, Read | Execute, 'ffffffffff005'],
    ['2 MiB', 2, 0x1_4020_0000, Read | Write, '8000000140200087'],
    ['1 GiB', 1, 0x40_c000_0000, Read | Write | Execute, '40c0000087'],
  ])('%s', (_, level, frame, flags, word) => {
    expect(pageWord(level, frame, flags)).toBe(word);
  });
});

test('writeTable allows everything below it', () => {
  const mem = memory();
  for (const level of [0, 1, 2]) paging.writeTable(mem, level, TABLE, level, paddr(0x1_2345_6000));
  expect([0, 1, 2].map((index) => wordOf(mem, index))).toEqual(Array(3).fill('123456007'));
  expect(paging.readEntry(mem, 1, TABLE, 1)).toEqual({
    kind: 'table',
    base: 0x1_2345_6000,
    pageBits: 0,
    flags: 0,
    accessed: false,
    dirty: false,
  });
});

test('every set of flags comes back, with what the format implies', () => {
  const mem = memory();
  for (const level of [1, 2, 3]) {
    for (let flags = 0; flags <= PageFlag.All; flags++) {
      paging.writePage(mem, level, TABLE, flags, paddr(0x3_4000_0000), flags);
      const isReadable = (flags & (Read | Write | Execute)) !== 0;
      expect(paging.readEntry(mem, level, TABLE, flags)).toEqual({
        kind: 'page',
        base: 0x3_4000_0000,
        pageBits: [39, 30, 21, 12][level],
        flags: isReadable ? flags | Read : flags,
        accessed: false,
        dirty: false,
      });
      expect(paging.isPresent(mem, level, TABLE, flags)).toBe(true);
    }
  }
});

test('a page without rights takes its slot, and is not user mode’s', () => {
  const mem = memory();
  paging.writePage(mem, 3, TABLE, 1, paddr(0), NoCache);
  expect(paging.isPresent(mem, 3, TABLE, 1)).toBe(true);
  expect(mem.load32(paddr(TABLE + 8)) & (EntryLow.US | EntryLow.RW)).toBe(0);
});

test('an entry shows that the hardware has used it', () => {
  const mem = memory();
  const view = (low: number): [boolean, boolean] => {
    mem.store32(TABLE, low);
    const { accessed, dirty } = paging.readEntry(mem, 3, TABLE, 0);
    return [accessed, dirty];
  };
  expect(view(0x1007)).toEqual([false, false]);
  expect(view(0x1027)).toEqual([true, false]);
  expect(view(0x1067)).toEqual([true, true]);
  expect(view(0x1066)).toEqual([false, false]); // not present
});

test('clearEntry empties one entry', () => {
  const mem = memory();
  for (const index of [0, 1, 2]) paging.writePage(mem, 3, TABLE, index, paddr(0x9000), Read);
  paging.clearEntry(mem, 3, TABLE, 1);
  expect([0, 1, 2].map((index) => wordOf(mem, index))).toEqual([
    '8000000000009005',
    '0',
    '8000000000009005',
  ]);
  expect(paging.isPresent(mem, 3, TABLE, 1)).toBe(false);
  expect(paging.readEntry(mem, 3, TABLE, 1)).toEqual({
    kind: 'empty',
    base: 0,
    pageBits: 0,
    flags: 0,
    accessed: false,
    dirty: false,
  });
});

test('bit 7 maps a page where the level can, and is PAT in a page table', () => {
  const mem = memory();
  mem.store32(TABLE, 0x4000_0087);
  expect(paging.readEntry(mem, 1, TABLE, 0).kind).toBe('page');
  expect(paging.readEntry(mem, 2, TABLE, 0).kind).toBe('page');
  expect(paging.readEntry(mem, 3, TABLE, 0)).toMatchObject({ kind: 'page', base: 0x4000_0000 });
  mem.store32(TABLE, 0x4020_1087); // PAT of a large page is bit 12
  expect(paging.readEntry(mem, 2, TABLE, 0).base).toBe(0x4020_0000);
});

test('initRoot empties the kernel’s half and leaves the user’s', () => {
  const mem = memory();
  new Uint8Array(mem.buffer).fill(0xff);
  paging.initRoot(mem, TABLE);
  expect(mem.isZero(paddr(TABLE + 2048), 2048)).toBe(true);
  expect([0, 255].map((index) => wordOf(mem, index))).toEqual(Array(2).fill('f'.repeat(16)));
  expect(mem.load32(paddr(TABLE + 4096))).toBe(0xffff_ffff);
});

describe('bugs of a caller panic', () => {
  const write = (level: number, table: Paddr, index: number, frame: number, flags: number = Read) =>
    paging.writePage(memory(), level, table, index, paddr(frame), flags);

  test.each([
    ['a page in a PML4', () => write(0, TABLE, 0, 0)],
    ['a 4 KiB page that is not aligned', () => write(3, TABLE, 0, 0x800)],
    ['a 2 MiB page that is not aligned', () => write(2, TABLE, 0, 0x1000)],
    ['a 1 GiB page that is not aligned', () => write(1, TABLE, 0, 0x20_0000)],
    ['an unknown flag', () => write(3, TABLE, 0, 0, 16)],
    ['an index too high', () => write(3, TABLE, 512, 0)],
    ['an index too low', () => write(3, TABLE, -1, 0)],
    ['a table outside memory', () => write(3, paddr(0x9000), 0, 0)],
    ['a table in a page table', () => paging.writeTable(memory(), 3, TABLE, 0, TABLE)],
    ['a table that is not aligned', () => paging.writeTable(memory(), 2, TABLE, 0, paddr(8))],
    ['a root outside memory', () => paging.initRoot(memory(), paddr(0x9000))],
  ])('%s', (_, act) => {
    expect(act).toThrow(KernelPanic);
  });
});

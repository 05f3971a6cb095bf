import { KernelPanic, type Paddr, PhysMem, paddr } from '@barreleye/core';
import { PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { pagingX86_32 as paging } from './index.ts';

const { Read, Write, Execute, NoCache, All } = PageFlag;
const TABLE = paddr(0x4000);
const EMPTY = { kind: 'empty', base: 0, pageBits: 0, flags: 0, accessed: false, dirty: false };

function memory(): PhysMem {
  return new PhysMem(new ArrayBuffer(0x8000), 0x1000);
}

/** Entry `index` of the table as hexadecimal. */
function wordOf(mem: PhysMem, index: number): string {
  return mem.load32(paddr(TABLE + 4 * index)).toString(16);
}

describe('writePage makes the entries of the manual', () => {
  test.each([
    ['4 KiB, read', 1, 0x123_4000, Read, '1234005'],
    ['4 KiB, write', 1, 0x123_4000, Read | Write, '1234007'],
    ['4 KiB, execute', 1, 0x123_4000, Execute, '1234005'],
    ['4 KiB, not cached', 1, 0x123_4000, Read | NoCache, '1234015'],
    ['4 KiB, nothing', 1, 0x123_4000, 0, '1234001'],
    ['4 KiB, high up', 1, 0xffff_f000, All, 'fffff017'],
    ['4 MiB', 0, 0x1240_0000, Read | Write, '12400087'],
    ['4 MiB above 4 GiB', 0, 0x5a_1240_0000, Read, '124b4085'],
    ['4 MiB, the last', 0, 0xff_ffc0_0000, All, 'ffdfe097'],
  ])('%s', (_, level, frame, flags, word) => {
    const mem = memory();
    paging.writePage(mem, level, TABLE, 7, paddr(frame), flags);
    expect(wordOf(mem, 7)).toBe(word);
    expect(paging.readEntry(mem, level, TABLE, 7).base).toBe(frame);
  });
});

test('writeTable allows everything below it', () => {
  const mem = memory();
  paging.writeTable(mem, 0, TABLE, 3, paddr(0x8765_4000));
  expect(wordOf(mem, 3)).toBe('87654007');
  expect(paging.readEntry(mem, 0, TABLE, 3)).toEqual({
    ...EMPTY,
    kind: 'table',
    base: 0x8765_4000,
  });
});

test('every set of flags comes back, with what the format implies', () => {
  const mem = memory();
  for (const level of [0, 1]) {
    for (let flags = 0; flags <= All; flags++) {
      paging.writePage(mem, level, TABLE, flags, paddr(0x4000_0000), flags);
      const canAccess = (flags & (Read | Write | Execute)) !== 0;
      expect(paging.readEntry(mem, level, TABLE, flags)).toEqual({
        kind: 'page',
        base: 0x4000_0000,
        pageBits: level === 0 ? 22 : 12,
        flags: canAccess ? flags | Read | Execute : flags,
        accessed: false,
        dirty: false,
      });
      expect(paging.isPresent(mem, level, TABLE, flags)).toBe(true);
    }
  }
});

test('an entry shows that the hardware has used it', () => {
  const mem = memory();
  const view = (level: number, word: number): [boolean, boolean] => {
    mem.store32(TABLE, word);
    const { accessed, dirty } = paging.readEntry(mem, level, TABLE, 0);
    return [accessed, dirty];
  };
  expect(view(1, 0x1007)).toEqual([false, false]);
  expect(view(1, 0x1027)).toEqual([true, false]);
  expect(view(1, 0x1067)).toEqual([true, true]);
  expect(view(0, 0x40_00e7)).toEqual([true, true]);
  expect(view(0, 0x1067)).toEqual([true, false]); // a table is never dirty
  expect(view(1, 0x1066)).toEqual([false, false]); // not present
});

test('bit 7 maps 4 MiB in a directory, and is PAT in a page table', () => {
  const mem = memory();
  mem.store32(TABLE, 0x4040_1087); // PAT of a 4 MiB page is bit 12
  expect(paging.readEntry(mem, 0, TABLE, 0)).toMatchObject({ base: 0x4040_0000, pageBits: 22 });
  expect(paging.readEntry(mem, 1, TABLE, 0)).toMatchObject({ base: 0x4040_1000, pageBits: 12 });
});

test('clearEntry empties one entry', () => {
  const mem = memory();
  for (const index of [0, 1, 2]) paging.writePage(mem, 1, TABLE, index, paddr(0x9000), Read);
  paging.clearEntry(mem, 1, TABLE, 1);
  expect([0, 1, 2].map((index) => wordOf(mem, index))).toEqual(['9005', '0', '9005']);
  expect(paging.isPresent(mem, 1, TABLE, 1)).toBe(false);
  expect(paging.readEntry(mem, 1, TABLE, 1)).toEqual(EMPTY);
});

test('initRoot empties the kernel’s half and leaves the user’s', () => {
  const mem = memory();
  new Uint8Array(mem.buffer).fill(0xff);
  paging.initRoot(mem, TABLE);
  expect(mem.isZero(paddr(TABLE + 2048), 2048)).toBe(true);
  expect([0, 511].map((index) => wordOf(mem, index))).toEqual(Array(2).fill('ffffffff'));
  expect(mem.load32(paddr(TABLE + 4096))).toBe(0xffff_ffff);
});

describe('bugs of a caller panic', () => {
  const write = (level: number, table: Paddr, index: number, frame: number, flags: number = Read) =>
    paging.writePage(memory(), level, table, index, paddr(frame), flags);
  const point = (level: number, child: number) =>
    paging.writeTable(memory(), level, TABLE, 0, paddr(child));

  test.each([
    ['a 4 KiB page that is not aligned', () => write(1, TABLE, 0, 0x800)],
    ['a 4 MiB page that is not aligned', () => write(0, TABLE, 0, 0x20_0000)],
    ['a 4 KiB page above 4 GiB', () => write(1, TABLE, 0, 2 ** 32)],
    ['a 4 MiB page above 1 TiB', () => write(0, TABLE, 0, 2 ** 40)],
    ['an unknown flag', () => write(1, TABLE, 0, 0, 16)],
    ['an index too high', () => write(1, TABLE, 1024, 0)],
    ['an index too low', () => write(1, TABLE, -1, 0)],
    ['a table outside memory', () => write(1, paddr(0x9000), 0, 0)],
    ['a table in a page table', () => point(1, TABLE)],
    ['a table that is not aligned', () => point(0, 0x800)],
    ['a table above 4 GiB', () => point(0, 2 ** 32)],
    ['a root outside memory', () => paging.initRoot(memory(), paddr(0x9000))],
  ])('%s', (_, act) => {
    expect(act).toThrow(KernelPanic);
  });
});

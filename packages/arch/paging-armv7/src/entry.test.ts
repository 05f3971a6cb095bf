import { KernelPanic, type Paddr, PhysMem, paddr } from '@barreleye/core';
import { PageFlag } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { pagingArmv7 as paging, SectionBits, SmallPageBits } from './index.ts';

const { Read, Write, Execute, NoCache } = PageFlag;
const TABLE = paddr(0x8000_4000);

function memory(): PhysMem {
  return new PhysMem(new ArrayBuffer(0xc000), 0x8000_0000);
}

/** The entry that `flags` become in a table of level `level`. */
function pageWord(level: number, frame: number, flags: number): string {
  const mem = memory();
  paging.writePage(mem, level, TABLE, 7, paddr(frame), flags);
  return mem.load32(paddr(TABLE + 28)).toString(16);
}

/** The entry that maps part of a page of `2 ** pageBits` bytes. */
function repeatedWord(level: number, frame: number, flags: number, pageBits: number): string {
  const mem = memory();
  paging.writePage(mem, level, TABLE, 7, paddr(frame), flags, pageBits);
  expect(paging.readEntry(mem, level, TABLE, 7)).toMatchObject({ base: frame, pageBits });
  return mem.load32(paddr(TABLE + 28)).toString(16);
}

/** What `readEntry` makes of `word` in a table of level `level`. */
function view(level: number, word: number): unknown[] {
  const mem = memory();
  mem.store32(TABLE, word);
  const { kind, base, flags } = paging.readEntry(mem, level, TABLE, 0);
  return [kind, base, flags];
}

describe('writePage makes the entries of the manual', () => {
  // Always shareable and not global; TEX, C, B = 001, 1, 1, or 000, 0, 1 when not cached.
  test.each([
    ['small page, read', 1, 0x8123_4000, Read, '81234c6f'],
    ['small page, write', 1, 0x8123_4000, Read | Write, '81234c7f'],
    ['small page, execute', 1, 0x8123_4000, Read | Execute, '81234c6e'],
    ['small page, everything', 1, 0x8123_4000, PageFlag.All, '81234c36'],
    ['small page, not cached', 1, 0x8123_4000, Read | NoCache, '81234c27'],
    ['small page, nothing', 1, 0x8123_4000, 0, '81234e5f'],
    ['section, read', 0, 0xfff0_0000, Read, 'fff3181e'],
    ['section, write', 0, 0xfff0_0000, Read | Write, 'fff31c1e'],
    ['section, execute', 0, 0xfff0_0000, Read | Execute, 'fff3180e'],
    ['section, everything', 0, 0xfff0_0000, PageFlag.All, 'fff30c06'],
    ['section, nothing', 0, 0xfff0_0000, 0, 'fff3941e'],
  ])('%s', (_, level, frame, flags, word) => {
    expect(pageWord(level, frame, flags)).toBe(word);
  });
});

describe('writePage makes each of the sixteen entries of a larger page', () => {
  test.each([
    ['large page, read', 1, 0x8123_0000, Read, 16, '81239c2d'],
    ['large page, write', 1, 0x8123_0000, Read | Write, 16, '81239c3d'],
    ['large page, everything', 1, 0x8123_0000, PageFlag.All, 16, '81230c35'],
    ['large page, nothing', 1, 0x8123_0000, 0, 16, '81239e1d'],
    ['supersection, read', 0, 0x8100_0000, Read, 24, '8107181e'],
    ['supersection, execute', 0, 0x8100_0000, Read | Execute, 24, '8107180e'],
    ['supersection above 4 GiB', 0, 0x5a_8100_0000, Read, 24, '81a718be'],
    ['supersection, the last', 0, 0xff_ff00_0000, PageFlag.All, 24, 'fff70de6'],
  ])('%s', (_, level, frame, flags, pageBits, word) => {
    expect(repeatedWord(level, frame, flags, pageBits)).toBe(word);
  });

  test('and the flags come back', () => {
    const mem = memory();
    for (const [level, pageBits] of [
      [0, 24],
      [1, 16],
    ] as const) {
      for (let flags = 0; flags <= PageFlag.All; flags++) {
        paging.writePage(mem, level, TABLE, 16, paddr(0xc300_0000), flags, pageBits);
        const canAccess = (flags & (Read | Write | Execute)) !== 0;
        const told = canAccess ? flags | Read : flags;
        expect(paging.readEntry(mem, level, TABLE, 16).flags).toBe(told);
      }
    }
  });
});

test('writeTable points to a quarter of a page, in domain 0', () => {
  const mem = memory();
  paging.writeTable(mem, 0, TABLE, 0, paddr(0x8001_0400));
  expect(mem.load32(TABLE)).toBe(0x8001_0401);
  expect(paging.readEntry(mem, 0, TABLE, 0)).toEqual({
    kind: 'table',
    base: 0x8001_0400,
    pageBits: 0,
    flags: 0,
    accessed: true,
    dirty: false,
  });
});

test('every set of flags comes back, with what the format implies', () => {
  const mem = memory();
  for (const level of [0, 1]) {
    for (let flags = 0; flags <= PageFlag.All; flags++) {
      paging.writePage(mem, level, TABLE, flags, paddr(0xc340_0000), flags);
      const isReadable = (flags & (Read | Write | Execute)) !== 0;
      expect(paging.readEntry(mem, level, TABLE, flags)).toEqual({
        kind: 'page',
        base: 0xc340_0000,
        pageBits: level === 0 ? 20 : 12,
        flags: isReadable ? flags | Read : flags,
        accessed: true,
        dirty: true,
      });
      expect(paging.isPresent(mem, level, TABLE, flags)).toBe(true);
    }
  }
});

describe('readEntry knows what the package does not write:', () => {
  test.each([
    ['a fault entry', 0, 0xffff_fffc, ['empty', 0, 0]],
    ['a fault entry', 1, 0xffff_fffc, ['empty', 0, 0]],
    ['a table in another domain', 0, 0x8001_05e1, ['table', 0x8001_0400, 0]],
    ['a section with PXN', 0, 0x1230_1c0f, ['page', 0x1230_0000, Read | Write | Execute]],
    ['a supersection', 0, 0x1204_1c0e, ['page', 0x1200_0000, Read | Write | Execute]],
    ['a supersection above 4 GiB', 0, 0x12a4_1cae, ['page', 0x5a_1200_0000, 7]],
    ['a large page', 1, 0x4567_1031, ['page', 0x4567_0000, 7 | NoCache]],
    ['a large page, XN', 1, 0x4567_903d, ['page', 0x4567_0000, Read | Write]],
    ['a read-only page, AP = 111', 1, 0x4567_823e, ['page', 0x4567_8000, Read | Execute]],
    ['a reserved AP = 100', 1, 0x4567_820e, ['page', 0x4567_8000, 0]],
  ])('%s (level %i)', (_, level, word, expected) => {
    expect(view(level, word)).toEqual(expected);
  });

  // TEX, C, B. ARM DDI 0406C B3.8.2
  test.each([
    ['strongly-ordered', 0b00000, true],
    ['shareable device', 0b00001, true],
    ['write-through', 0b00010, false],
    ['write-back', 0b00011, false],
    ['normal, not cached', 0b00100, true],
    ['write-back, write-allocate', 0b00111, false],
    ['device, not shareable', 0b01000, true],
    ['inner not cached', 0b10100, true],
    ['inner write-back, write-allocate', 0b10001, false],
    ['inner write-through', 0b10010, false],
    ['inner write-back', 0b10011, false],
  ])('%s memory', (_, type, isUncached) => {
    const small = ((type >>> 2) << 6) | ((type & 3) << 2) | 0x2;
    const large = ((type >>> 2) << 12) | ((type & 3) << 2);
    for (const [level, word] of [
      [1, small],
      [1, large | 1],
      [0, large | 2],
    ] as const) {
      expect(view(level, word)[2]).toBe(isUncached ? NoCache : 0);
    }
  });
});

test('the fields of an entry do not overlap', () => {
  for (const bits of [SectionBits, SmallPageBits]) {
    const masks = Object.values(bits);
    const sum = masks.reduce((a, b) => a + b, 0);
    const union = masks.reduce((a, b) => a | b, 0);
    expect(sum).toBe(union >>> 0);
  }
});

test('clearEntry empties one entry', () => {
  const mem = memory();
  for (const index of [0, 1, 2]) paging.writePage(mem, 1, TABLE, index, paddr(0x9000), Read);
  paging.clearEntry(mem, 1, TABLE, 1);
  const words = [0, 1, 2].map((index) => mem.load32(paddr(TABLE + 4 * index)));
  expect(words).toEqual([0x9c6f, 0, 0x9c6f]);
  expect(paging.isPresent(mem, 1, TABLE, 1)).toBe(false);
});

test('initRoot empties the kernel’s half and leaves the user’s', () => {
  const mem = memory();
  new Uint8Array(mem.buffer).fill(0xff);
  paging.initRoot(mem, TABLE);
  expect(mem.isZero(paddr(TABLE + 8192), 8192)).toBe(true);
  expect(mem.load32(paddr(TABLE + 8188))).toBe(0xffff_ffff);
  expect(mem.load32(TABLE)).toBe(0xffff_ffff);
  expect(mem.load32(paddr(TABLE - 4))).toBe(0xffff_ffff);
});

describe('bugs of a caller panic', () => {
  const write = (level: number, table: Paddr, index: number, frame: number, flags: number = Read) =>
    paging.writePage(memory(), level, table, index, paddr(frame), flags);

  test.each([
    ['a small page that is not aligned', () => write(1, TABLE, 0, 0x800)],
    ['a section that is not aligned', () => write(0, TABLE, 0, 0x1000)],
    ['a page above 4 GiB', () => write(1, TABLE, 0, 2 ** 32)],
    ['a large page that is not aligned', () => repeatedWord(1, 0x1000, Read, 16)],
    ['a supersection that is not aligned', () => repeatedWord(0, 0x10_0000, Read, 24)],
    ['a large page above 4 GiB', () => repeatedWord(1, 2 ** 32, Read, 16)],
    ['a supersection above 1 TiB', () => repeatedWord(0, 2 ** 40, Read, 24)],
    ['a small page in the first table', () => repeatedWord(0, 0, Read, 12)],
    ['a section in the second table', () => repeatedWord(1, 0, Read, 20)],
    ['an unknown flag', () => write(1, TABLE, 0, 0, 16)],
    ['an index too high', () => write(1, TABLE, 256, 0)],
    ['an index too low', () => write(0, TABLE, -1, 0)],
    ['a table outside memory', () => write(0, paddr(0x8000_c000), 0, 0)],
    ['a table in a second-level table', () => paging.writeTable(memory(), 1, TABLE, 0, TABLE)],
    ['a table that is not aligned', () => paging.writeTable(memory(), 0, TABLE, 0, paddr(0x200))],
    ['a table above 4 GiB', () => paging.writeTable(memory(), 0, TABLE, 0, paddr(2 ** 32))],
    ['a root outside memory', () => paging.initRoot(memory(), paddr(0x9000))],
  ])('%s', (_, act) => {
    expect(act).toThrow(KernelPanic);
  });
});

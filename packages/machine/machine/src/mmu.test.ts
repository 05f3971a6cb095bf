/** The MMU: what the TLB remembers, and what it takes to make it forget. */

import { asPaddr, PhysMem } from '@barreleye/core';
import { pagingArmv7 } from '@barreleye/paging-armv7';
import { pagingX86_32, pagingX86_32Pae } from '@barreleye/paging-x86-32';
import { EntryLow, pagingX86_64 } from '@barreleye/paging-x86-64';
import { Access, PageFlag, type Paging } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Tables } from '../test/tables.ts';
import { Mmu, TAG_LIMIT, TLB_ENTRIES } from './mmu.ts';

const RAM = 0x20_0000;
const RAM_BYTES = 2 ** 20;
const PAGE = 4096;
const VA = 0x40_0000;
/** Another page that wants the same place in the TLB. */
const RIVAL = VA ^ ((TLB_ENTRIES + 1) * PAGE);
const A = 0x28_0000;
const B = 0x28_5000;
const { Read, Write, Execute } = PageFlag;
const FAULT = -1;

function create(paging: Paging): { mem: PhysMem; tables: Tables; other: Tables; mmu: Mmu } {
  const mem = new PhysMem(new ArrayBuffer(RAM_BYTES), RAM);
  const tables = new Tables(mem, paging, RAM);
  const other = new Tables(mem, paging, RAM + 0x4_0000);
  const mmu = new Mmu(mem, paging);
  mmu.root = tables.root;
  mmu.tag = 1;
  return { mem, tables, other, mmu };
}

/** What `use` makes the MMU walk for. */
function walks(mmu: Mmu, use: () => void): number {
  const before = mmu.missCount;
  use();
  return mmu.missCount - before;
}

const ALL = [
  ['x86_64', pagingX86_64],
  ['x86_32', pagingX86_32],
  ['x86_32 with PAE', pagingX86_32Pae],
  ['armv7', pagingArmv7],
] as const;

describe.each(ALL)('the MMU over page tables of %s', (_, paging) => {
  it('walks once for a page and then remembers all of it', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    expect(walks(mmu, () => expect(mmu.translate(VA, Access.Read)).toBe(A))).toBe(1);
    const more = walks(mmu, () => {
      expect(mmu.translate(VA, Access.Read)).toBe(A);
      expect(mmu.translate(VA + 0xffc, Access.Read)).toBe(A + 0xffc);
    });
    expect(more).toBe(0);
  });

  it('keeps showing a page that was unmapped, until it is invalidated', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    mmu.translate(VA, Access.Read);
    tables.unmap(VA);
    expect(mmu.translate(VA + 4, Access.Read)).toBe(A + 4);
    mmu.invalidatePage(VA + 0x123);
    expect(mmu.translate(VA + 4, Access.Read)).toBe(FAULT);
  });

  it('keeps showing the old frame of a page that was mapped anew, until it is invalidated', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    mmu.translate(VA, Access.Read);
    tables.map(VA, B, Read);
    expect(mmu.translate(VA, Access.Read)).toBe(A);
    mmu.invalidatePage(VA);
    expect(mmu.translate(VA, Access.Read)).toBe(B);
  });

  it('keeps a right that was taken away, until the page is invalidated', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read | Write);
    mmu.translate(VA, Access.Write);
    tables.map(VA, A, Read);
    expect(mmu.translate(VA, Access.Write)).toBe(A);
    mmu.invalidatePage(VA);
    expect(mmu.translate(VA, Access.Write)).toBe(FAULT);
    expect(mmu.translate(VA, Access.Read)).toBe(A);
  });

  it('sees a right that was added without being told', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    mmu.translate(VA, Access.Read);
    tables.map(VA, A, Read | Write | Execute);
    expect(mmu.translate(VA, Access.Write)).toBe(A);
    expect(mmu.translate(VA, Access.Execute)).toBe(A);
  });

  it('does not remember faults', () => {
    const { tables, mmu } = create(paging);
    expect(mmu.translate(VA, Access.Read)).toBe(FAULT);
    tables.map(VA, A, Read);
    expect(mmu.translate(VA, Access.Read)).toBe(A);
  });

  it.each([
    ['reading', Access.Read, Read],
    ['writing', Access.Write, Write],
    ['executing', Access.Execute, Execute],
  ])('allows %s exactly where the tables do, walked or remembered', (_name, access, right) => {
    for (const flags of [0, Read, Read | Write, Read | Execute, Read | Write | Execute]) {
      const { mem, tables, mmu } = create(paging);
      tables.map(VA, A, flags);
      const { level, table, index } = tables.place(VA);
      const told = paging.readEntry(mem, level, table, index).flags;
      const expected = (told & right) !== 0 ? A : FAULT;
      expect(mmu.translate(VA, access)).toBe(expected);
      for (const other of [Access.Read, Access.Write, Access.Execute]) mmu.translate(VA, other);
      expect(mmu.translate(VA, access)).toBe(expected);
    }
  });

  it('says what the walker found when a remembered page refuses an access', () => {
    const { mem, tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    mmu.translate(VA, Access.Read);
    mmu.walker.faultName = 'nothing yet';
    expect(mmu.translate(VA, Access.Write)).toBe(FAULT);
    const plain = paging.createWalker(mem);
    plain.walk(tables.root, VA, Access.Write | Access.User);
    expect(mmu.walker.faultName).toBe(plain.faultName);
    expect(mmu.walker.faultCode).toBe(plain.faultCode);
  });

  it('has one place for pages a multiple of its size apart', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    tables.map(RIVAL, B, Read);
    expect(mmu.translate(VA, Access.Read)).toBe(A);
    expect(mmu.translate(RIVAL, Access.Read)).toBe(B);
    expect(walks(mmu, () => expect(mmu.translate(VA, Access.Read)).toBe(A))).toBe(1);
  });

  it('forgets only the page that it is told to', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    tables.map(VA + PAGE, B, Read);
    mmu.translate(VA, Access.Read);
    mmu.translate(VA + PAGE, Access.Read);
    mmu.invalidatePage(RIVAL);
    mmu.invalidatePage(VA + 2 * PAGE);
    expect(walks(mmu, () => mmu.translate(VA, Access.Read))).toBe(0);
    mmu.invalidatePage(VA);
    expect(walks(mmu, () => mmu.translate(VA + PAGE, Access.Read))).toBe(0);
    expect(walks(mmu, () => mmu.translate(VA, Access.Read))).toBe(1);
  });

  it('forgets everything at once', () => {
    const { tables, mmu } = create(paging);
    for (let i = 0; i < 8; i++) tables.map(VA + i * PAGE, A, Read);
    const touch = (): void => {
      for (let i = 0; i < 8; i++) mmu.translate(VA + i * PAGE, Access.Read);
    };
    expect(walks(mmu, touch)).toBe(8);
    mmu.invalidateAll();
    expect(walks(mmu, touch)).toBe(8);
  });

  it('keeps address spaces apart by their tags', () => {
    const { tables, other, mmu } = create(paging);
    tables.map(VA, A, Read);
    other.map(VA, B, Read);
    expect(mmu.translate(VA, Access.Read)).toBe(A);
    mmu.root = other.root;
    mmu.tag = 2;
    expect(mmu.translate(VA, Access.Read)).toBe(B);
    mmu.root = tables.root;
    mmu.tag = 1;
    expect(mmu.translate(VA, Access.Read)).toBe(A);
  });

  it('does not hold the pages of one address space against another', () => {
    const { tables, other, mmu } = create(paging);
    tables.map(VA, A, Read);
    mmu.translate(VA, Access.Read);
    mmu.root = other.root;
    mmu.tag = 2;
    expect(mmu.translate(VA, Access.Read)).toBe(FAULT);
  });

  it('goes by the tag alone: a new root under an old tag shows stale pages', () => {
    const { tables, other, mmu } = create(paging);
    tables.map(VA, A, Read);
    other.map(VA, B, Read);
    mmu.translate(VA, Access.Read);
    mmu.root = other.root;
    expect(mmu.translate(VA, Access.Read)).toBe(A);
    mmu.invalidateTag(1);
    expect(mmu.translate(VA, Access.Read)).toBe(B);
  });

  it('forgets the pages of one tag and keeps those of the others', () => {
    const { tables, other, mmu } = create(paging);
    tables.map(VA, A, Read);
    other.map(VA + PAGE, B, Read);
    mmu.translate(VA, Access.Read);
    mmu.root = other.root;
    mmu.tag = 2;
    mmu.translate(VA + PAGE, Access.Read);
    mmu.invalidateTag(1);
    expect(walks(mmu, () => mmu.translate(VA + PAGE, Access.Read))).toBe(0);
    mmu.root = tables.root;
    mmu.tag = 1;
    expect(walks(mmu, () => mmu.translate(VA, Access.Read))).toBe(1);
  });

  it('invalidates a page under every tag', () => {
    const { tables, other, mmu } = create(paging);
    tables.map(VA, A, Read);
    mmu.translate(VA, Access.Read);
    mmu.root = other.root;
    mmu.tag = 2;
    mmu.invalidatePage(VA);
    mmu.root = tables.root;
    mmu.tag = 1;
    expect(walks(mmu, () => mmu.translate(VA, Access.Read))).toBe(1);
  });

  it('faults everywhere before a root is loaded', () => {
    const mmu = new Mmu(new PhysMem(new ArrayBuffer(RAM_BYTES), RAM), paging);
    expect(mmu.translate(VA, Access.Read)).toBe(FAULT);
  });

  it('translates each base page of a large page to its place', () => {
    const { tables, mmu } = create(paging);
    const level = paging.levels.length - 2;
    const span = 2 ** (paging.levels[level]?.spanBits ?? 0);
    tables.map(span * 3, RAM - (RAM % span), Read, level);
    const frame = RAM - (RAM % span);
    for (const at of [0, 5, PAGE, 7 * PAGE + 12, span - 1]) {
      expect(mmu.translate(span * 3 + at, Access.Read)).toBe(frame + at);
    }
    expect(walks(mmu, () => mmu.translate(span * 3 + 7 * PAGE, Access.Read))).toBe(0);
  });

  it('forgets all of a large page when any address of it is invalidated', () => {
    const { tables, mmu } = create(paging);
    const level = paging.levels.length - 2;
    const span = 2 ** (paging.levels[level]?.spanBits ?? 0);
    tables.map(span * 3, RAM - (RAM % span), Read, level);
    const small = VA + 6 * PAGE;
    tables.map(small, A, Read);
    const touched = [0, PAGE, 200 * PAGE].map((at) => span * 3 + at);
    for (const va of [...touched, small]) mmu.translate(va, Access.Read);
    mmu.invalidatePage(span * 2);
    mmu.invalidatePage(span * 4);
    for (const va of touched) expect(walks(mmu, () => mmu.translate(va, Access.Read))).toBe(0);
    mmu.invalidatePage(span * 3 + 77 * PAGE); // a part of it that nobody has touched
    for (const va of touched) expect(walks(mmu, () => mmu.translate(va, Access.Read))).toBe(1);
    expect(walks(mmu, () => mmu.translate(small, Access.Read))).toBe(0);
  });

  it('knows where in memory a word is exactly while the TLB has its page', () => {
    const { mem, tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    tables.map(VA + PAGE, RAM + RAM_BYTES, Read); // nothing is there
    mem.store32(asPaddr(A + 0x124), 77);
    expect(mmu.ramIndexAt(VA + 0x124, Access.Read)).toBe(-1);
    mmu.translate(VA, Access.Read);
    expect(mem.words[mmu.ramIndexAt(VA + 0x124, Access.Read)]).toBe(77);
    expect(mmu.ramIndex(0, VA + 0x124, Access.Read)).toBe(mmu.ramIndexAt(VA + 0x124, Access.Read));
    expect(mmu.ramIndexAt(VA + 0x124, Access.Write)).toBe(-1);
    expect(mmu.translate(VA + PAGE, Access.Read)).toBe(RAM + RAM_BYTES);
    expect(mmu.ramIndexAt(VA + PAGE, Access.Read)).toBe(-1);
    mmu.tag = 2;
    expect(mmu.ramIndexAt(VA + 0x124, Access.Read)).toBe(-1);
    mmu.tag = 1;
    mmu.invalidatePage(VA);
    expect(mmu.ramIndexAt(VA + 0x124, Access.Read)).toBe(-1);
  });

  it('has tags up to a limit, and each keeps its own pages', () => {
    const { tables, mmu } = create(paging);
    tables.map(VA, A, Read);
    for (const tag of [0, 1, TAG_LIMIT - 1]) {
      mmu.tag = tag;
      expect(mmu.tag).toBe(tag);
      expect(walks(mmu, () => mmu.translate(VA, Access.Read))).toBe(1);
    }
    for (const tag of [-1, TAG_LIMIT]) {
      expect(() => {
        mmu.tag = tag;
      }).toThrow('no such tag');
    }
  });
});

describe('the MMU over page tables of x86_64', () => {
  /** Set the G bit in the entry of `va`. */
  function makeGlobal(mem: PhysMem, tables: Tables, va: number): void {
    const { table, index } = tables.place(va);
    const at = asPaddr(table + 8 * index);
    mem.store32(at, mem.load32(at) | EntryLow.G);
  }

  it('keeps a global page when root and tag change', () => {
    const { mem, tables, other, mmu } = create(pagingX86_64);
    tables.map(VA, A, Read);
    makeGlobal(mem, tables, VA);
    mmu.translate(VA, Access.Read);
    mmu.root = other.root;
    mmu.tag = 2;
    expect(walks(mmu, () => expect(mmu.translate(VA, Access.Read)).toBe(A))).toBe(0);
    mmu.invalidateTag(1);
    mmu.invalidateTag(2);
    expect(mmu.translate(VA, Access.Read)).toBe(A);
  });

  it('forgets a global page when told to by address, or to forget everything', () => {
    for (const forget of [(m: Mmu) => m.invalidatePage(VA), (m: Mmu) => m.invalidateAll()]) {
      const { mem, tables, other, mmu } = create(pagingX86_64);
      tables.map(VA, A, Read);
      makeGlobal(mem, tables, VA);
      mmu.translate(VA, Access.Read);
      mmu.root = other.root;
      forget(mmu);
      expect(mmu.translate(VA, Access.Read)).toBe(FAULT);
    }
  });

  it('walks again for the first store to a clean page, to set its dirty bit', () => {
    const { mem, tables, mmu } = create(pagingX86_64);
    tables.map(VA, A, Read | Write);
    const { level, table, index } = tables.place(VA);
    const dirty = (): boolean => pagingX86_64.readEntry(mem, level, table, index).dirty;
    mmu.translate(VA, Access.Read);
    expect(dirty()).toBe(false);
    expect(walks(mmu, () => expect(mmu.translate(VA, Access.Write)).toBe(A))).toBe(1);
    expect(dirty()).toBe(true);
    expect(walks(mmu, () => mmu.translate(VA, Access.Write))).toBe(0);
    expect(walks(mmu, () => mmu.translate(VA, Access.Read))).toBe(0);
  });

  it('does not set a dirty bit that was cleared without invalidating the page', () => {
    const { mem, tables, mmu } = create(pagingX86_64);
    tables.map(VA, A, Read | Write);
    const { level, table, index } = tables.place(VA);
    mmu.translate(VA, Access.Write);
    tables.map(VA, A, Read | Write); // a fresh entry: clean
    mmu.translate(VA, Access.Write);
    expect(pagingX86_64.readEntry(mem, level, table, index).dirty).toBe(false);
    mmu.invalidatePage(VA);
    mmu.translate(VA, Access.Write);
    expect(pagingX86_64.readEntry(mem, level, table, index).dirty).toBe(true);
  });

  it('faults on addresses that are not canonical, and at the top of the address space', () => {
    const { mmu } = create(pagingX86_64);
    for (const va of [2 ** 47, -(2 ** 47) - 1, 2 ** 53, 2 ** 64 + VA, Number.NaN]) {
      expect(mmu.translate(va, Access.Read)).toBe(FAULT);
      expect(mmu.walker.faultName).toBe('general-protection');
    }
    expect(mmu.translate(-4096, Access.Read)).toBe(FAULT);
    expect(mmu.walker.faultName).toBe('not-present');
  });
});

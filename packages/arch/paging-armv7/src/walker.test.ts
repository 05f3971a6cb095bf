import { type Paddr, PhysMem, Prng, paddr } from '@barreleye/core';
import { Access, PageFlag, type Walker } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { createWalker, pagingArmv7 as paging } from './index.ts';

const { Read, Write, Execute, User } = Access;
const ROOT = paddr(0x8000_0000);
const SECOND = paddr(0x8000_4400);
const VA = 0x1234_5678;
const SMALL = 0x9000_0c7e; // user mode may do everything
const SECTION = 0x9000_1c0e;

/** Memory in which `first` is the entry for `VA` in the root, and `second` in the second table. */
function tables(first: number, second = 0): PhysMem {
  const mem = new PhysMem(new ArrayBuffer(0x8000), ROOT);
  mem.store32(paddr(ROOT + 4 * 0x123), first);
  mem.store32(paddr(SECOND + 4 * 0x45), second);
  return mem;
}

const table = (domain = 0): number => SECOND | (domain << 5) | 1;

function outcome(walker: Walker, va: number, access: number, root: Paddr = ROOT): string | number {
  const pa = walker.walk(root, va, access);
  return pa < 0 ? `${walker.faultName} ${walker.faultCode} ${walker.faultDomain}` : pa;
}

describe('a walk that succeeds', () => {
  test.each([
    ['small page', tables(table(), SMALL), 12, 0x9000_0678],
    ['large page', tables(table(), 0x9001_0c3d), 16, 0x9001_5678],
    ['section', tables(SECTION), 20, 0x9004_5678],
    ['supersection', tables(SECTION | 0x4_0000), 24, 0x9034_5678],
    ['supersection above 4 GiB', tables(SECTION | 0xa4_00a0), 24, 0x5a_9034_5678],
  ])('tells the size of a %s', (_, mem, bits, pa) => {
    const walker = createWalker(mem);
    expect(walker.walk(ROOT, VA, Write | User)).toBe(pa);
    expect(walker.pageBits).toBe(bits);
    expect(walker.isDirty).toBe(true);
  });

  test('tells what user mode may do with what the package maps', () => {
    for (let flags = 0; flags <= PageFlag.All; flags++) {
      for (const level of [0, 1]) {
        const mem = tables(table());
        const at = level === 0 ? ROOT : SECOND;
        paging.writePage(mem, level, at, paging.entryIndex(level, VA), paddr(0x9000_0000), flags);
        const walker = createWalker(mem);
        expect(walker.walk(ROOT, VA, Read)).toBeGreaterThan(0);
        const told = (flags & ~PageFlag.NoCache) === 0 ? flags : flags | PageFlag.Read;
        expect(walker.pageFlags).toBe(told);
        expect(walker.isGlobal).toBe(false);
      }
    }
  });

  test('tells whether the page is global', () => {
    const walker = createWalker(tables(table(), SMALL & ~0x800));
    walker.walk(ROOT, VA, Read);
    expect(walker.isGlobal).toBe(true);
  });

  test('changes no memory', () => {
    const mem = tables(table(), SMALL);
    const before = mem.read(ROOT, mem.bytes);
    createWalker(mem).walk(ROOT, VA, Write | User);
    expect(mem.read(ROOT, mem.bytes)).toEqual(before);
  });

  test('takes signed and unsigned addresses', () => {
    const mem = tables(0);
    mem.store32(paddr(ROOT + 4 * 0xfff), SECTION);
    const walker = createWalker(mem);
    expect(walker.walk(ROOT, 0xffff_0004, Read)).toBe(0x900f_0004);
    expect(walker.walk(ROOT, -0xfffc, Read)).toBe(0x900f_0004);
  });
});

describe('a walk that faults', () => {
  test.each([
    ['nothing in the root', tables(0), 'translation-1 5 0'],
    ['nothing in the second table', tables(table(3), 0), 'translation-2 7 3'],
    ['a page for reading', tables(table(3), SMALL | 0x200), 'permission-2 15 3'],
    ['a section for reading', tables(SECTION | 0x8040), 'permission-1 13 2'],
    ['a supersection for reading', tables(SECTION | 0x4_8040), 'permission-1 13 0'],
  ])('at %s', (_, mem, fault) => {
    expect(outcome(createWalker(mem), VA, Write | User)).toBe(fault);
  });

  test.each([
    ['domain-2 11 5', table(5), SMALL],
    ['domain-2 11 5', table(5), 0], // QEMU's order: the manual would say translation-2
    ['domain-1 9 5', SECTION | 0xa0, 0],
  ])('for want of the domain: %s', (fault, first, second) => {
    const mem = tables(first, second);
    for (const access of [0, 2]) {
      const DACR = (0x5555_5555 & ~(3 << 10)) | (access << 10);
      expect(outcome(createWalker(mem, { DACR }), VA, Read)).toBe(fault);
    }
  });

  test('does not for the manager of a domain', () => {
    const mem = tables(table(), 0x9000_0001 | 2);
    expect(outcome(createWalker(mem), VA, Execute)).toBe('permission-2 15 0');
    const walker = createWalker(mem, { DACR: 3, SCTLR: 0x2000_0000 });
    for (const access of [Write | User, Execute | User]) {
      expect(walker.walk(ROOT, VA, access)).toBe(0x9000_0678);
    }
    expect(walker.pageFlags).toBe(PageFlag.All);
  });

  test('for want of the access flag, with AFE', () => {
    const SCTLR = 0x20c5_0078;
    const page = tables(table(1), SMALL & ~0x10);
    expect(outcome(createWalker(page, { SCTLR }), VA, Read)).toBe('access-flag-2 6 1');
    const section = tables(SECTION & ~0x400);
    expect(outcome(createWalker(section, { SCTLR }), VA, Read)).toBe('access-flag-1 3 0');
  });

  test('when privileged mode may not execute (PXN) but user mode may', () => {
    for (const [mem, fault] of [
      [tables(table() | 4, SMALL), 'permission-2 15 0'],
      [tables(SECTION | 1), 'permission-1 13 0'],
    ] as const) {
      const walker = createWalker(mem);
      expect(outcome(walker, VA, Execute)).toBe(fault);
      expect(walker.walk(ROOT, VA, Execute | User)).toBeGreaterThan(0);
    }
  });
});

describe('TTBCR', () => {
  test('gives addresses with any of the top N bits set to TTBR1', () => {
    const mem = tables(SECTION);
    const lower = paddr(0x8000_4000); // 8 KiB for N = 1: a root need not be at 16 KiB
    mem.store32(paddr(lower + 4 * 0x123), SECTION | 0x10_0000);
    const walker = createWalker(mem, { TTBCR: 1, TTBR1: ROOT });
    expect(walker.walk(lower, VA, Read)).toBe(0x9014_5678);
    expect(outcome(walker, VA + 2 ** 31, Read, lower)).toBe('translation-1 5 0');
    mem.store32(paddr(ROOT + 4 * 0x923), SECTION | 0x20_0000);
    expect(walker.walk(lower, VA + 2 ** 31, Read)).toBe(0x9024_5678);
  });

  test('stops walks of either table', () => {
    const mem = tables(SECTION);
    mem.store32(paddr(ROOT + 4 * 0x923), SECTION);
    const upper = VA + 2 ** 31;
    const regs = { TTBR1: ROOT };
    const pd0 = createWalker(mem, { ...regs, TTBCR: 0x11 });
    expect(outcome(pd0, VA, Read)).toBe('translation-1 5 0');
    expect(pd0.walk(ROOT, upper, Read)).toBe(0x9004_5678);
    const pd1 = createWalker(mem, { ...regs, TTBCR: 0x21 });
    expect(pd1.walk(ROOT, VA, Read)).toBe(0x9004_5678);
    expect(outcome(pd1, upper, Read)).toBe('translation-1 5 0');
  });

  test('must not ask for long descriptors', () => {
    expect(() => createWalker(tables(0), { TTBCR: 0x8000_0000 })).toThrow();
  });
});

describe('tables outside memory are external aborts', () => {
  test.each([0x8000_8000, 0, 0x7fff_c000, 0xffff_c000])('root at %i', (root) => {
    expect(outcome(createWalker(tables(0)), VA, Read, paddr(root))).toBe('external-1 12 0');
  });

  test('root that ends outside', () => {
    expect(outcome(createWalker(tables(0)), VA, Read, paddr(0x8000_4000))).not.toMatch(/external/);
    const last = outcome(createWalker(tables(0)), 0xfff0_0000, Read, paddr(0x8000_4000));
    expect(last).toBe('translation-1 5 0');
    const small = new PhysMem(new ArrayBuffer(0x1000), ROOT);
    expect(outcome(createWalker(small), 0xfff0_0000, Read)).toBe('external-1 12 0');
  });

  test.each([0x8000_8000, 0, 0x7fff_fc00, 0xffff_fc00])('second-level table at %i', (at) => {
    const mem = tables((at | 0x61) >>> 0);
    expect(outcome(createWalker(mem), VA, Write | User)).toBe('external-2 14 3');
  });

  test('but a page may be anywhere', () => {
    expect(createWalker(tables(table(), 0xffff_f07e)).walk(ROOT, VA, Read)).toBe(0xffff_f678);
  });
});

test('memory full of rubbish does not stop a walker', () => {
  const random = new Prng(1);
  const mem = new PhysMem(new ArrayBuffer(0x8000), ROOT);
  const walkers = [{}, { DACR: 0x1234_5678, SCTLR: 0x2000_0000 }, { TTBCR: 3, TTBR1: ROOT }].map(
    (regs) => createWalker(mem, regs),
  );
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < mem.words.length; i++) {
      mem.words[i] = random.below(2) ? random.next32() : 0x8000_0001 + 0x400 * random.below(32);
    }
    for (const walker of walkers) {
      for (let i = 0; i < 20; i++) {
        const access = random.below(3) | (random.below(2) * User);
        const pa = walker.walk(paddr(ROOT + 0x1000 * random.below(8)), random.next32(), access);
        expect(pa === -1 || (Number.isInteger(pa) && pa >= 0 && pa < 2 ** 40)).toBe(true);
      }
    }
  }
});

import { asPaddr, type Paddr, PhysMem, Prng, paddr } from '@barreleye/core';
import { Access, PageFlag, type Walker } from '@barreleye/spec';
import { describe, expect, test, vi } from 'vitest';
import { type ControlRegs, createWalker, FaultName, pagingX86_64 as paging } from './index.ts';

const { Read, Write, Execute, User } = Access;
const VA = 0x80_4060_3000;
const UPPER_VA = -0x7fc0_0000_0000;

/** One page mapped at `VA` through tables in the four pages after `origin`, the root first. */
function onePage({ origin = 0x10_0000, flags = PageFlag.All as number, level = 3, va = VA } = {}) {
  const mem = new PhysMem(new ArrayBuffer(0x1_0000), origin);
  const tables = [0, 1, 2, 3].map((i) => paddr(origin + 0x1000 * i));
  for (let i = 0; i < level; i++) {
    paging.writeTable(mem, i, tables[i]!, paging.entryIndex(i, va), tables[i + 1]!);
  }
  const frame = paddr(0x7_4000_0000);
  paging.writePage(mem, level, tables[level]!, paging.entryIndex(level, va), frame, flags);
  const entries = tables.map((table, i) => paddr(table + 8 * paging.entryIndex(i, va)));
  return { mem, root: tables[0]!, entries, frame };
}

function outcome(walker: Walker, root: Paddr, va: number, access: number): string | number {
  const pa = walker.walk(root, va, access);
  return pa < 0 ? `${walker.faultName} ${walker.faultCode}` : pa;
}

describe('a walk that succeeds', () => {
  test.each([
    [3, 12],
    [2, 21],
    [1, 30],
  ])('at level %i tells a page of 2^%i bytes', (level, bits) => {
    const { mem, root, frame } = onePage({ level });
    const walker = createWalker(mem);
    const inPage = 2 ** bits - 3;
    const start = Math.floor(VA / 2 ** bits) * 2 ** bits;
    expect(walker.walk(root, start + inPage, Read | User)).toBe(frame + inPage);
    expect(walker.pageBits).toBe(bits);
  });

  test.each([
    [PageFlag.Read, PageFlag.Read],
    [PageFlag.Write, PageFlag.Read | PageFlag.Write],
    [PageFlag.Execute, PageFlag.Read | PageFlag.Execute],
    [PageFlag.All, PageFlag.All],
    [PageFlag.NoCache, PageFlag.NoCache],
  ])('tells what user mode may do: flags %i are %i', (flags, told) => {
    const { mem, root } = onePage({ flags });
    const walker = createWalker(mem);
    for (let i = 0; i < 2; i++) {
      expect(walker.walk(root, VA, Read)).toBeGreaterThanOrEqual(0);
      expect(walker.pageFlags).toBe(told);
    }
  });

  test('takes rights away that a table does not give', () => {
    const { mem, root, entries } = onePage();
    mem.store32(entries[1]!, mem.load32(entries[1]!) & ~2);
    const walker = createWalker(mem);
    walker.walk(root, VA, Read);
    expect(walker.pageFlags).toBe(PageFlag.All & ~PageFlag.Write);
    mem.store32(asPaddr(entries[0]! + 4), 0x8000_0000);
    walker.walk(root, VA, Read);
    expect(walker.pageFlags).toBe(PageFlag.Read | PageFlag.NoCache);
  });

  test('tells whether the page is global', () => {
    const { mem, root, entries } = onePage();
    const walker = createWalker(mem);
    walker.walk(root, VA, Read);
    expect(walker.isGlobal).toBe(false);
    mem.store32(entries[3]!, mem.load32(entries[3]!) | 0x100);
    walker.walk(root, VA, Read);
    expect(walker.isGlobal).toBe(true);
  });

  test('marks tables and page accessed, and a page that is written to dirty', () => {
    const { mem, root, entries } = onePage();
    const walker = createWalker(mem);
    const marks = () => entries.map((entry) => mem.load32(entry) & 0x60);
    expect(marks()).toEqual([0, 0, 0, 0]);
    walker.walk(root, VA, Read | User);
    expect(marks()).toEqual([0x20, 0x20, 0x20, 0x20]);
    expect(walker.isDirty).toBe(false);
    walker.walk(root, VA, Write | User);
    expect(marks()).toEqual([0x20, 0x20, 0x20, 0x60]);
    expect(walker.isDirty).toBe(true);
    walker.walk(root, VA, Read | User);
    expect(walker.isDirty).toBe(true);
  });

  test.each([0, 2 ** 32, 2 ** 43])('works in memory at %i', (origin) => {
    const { mem, root, frame } = onePage({ origin });
    expect(createWalker(mem).walk(root, VA + 5, Read)).toBe(frame + 5);
  });

  test('works in the upper half', () => {
    const { mem, root, frame } = onePage({ va: UPPER_VA });
    const walker = createWalker(mem);
    expect(walker.walk(root, UPPER_VA + 0xfff, Execute | User)).toBe(frame + 0xfff);
    expect(outcome(walker, root, UPPER_VA + 0x1000, Read)).toBe('not-present 0');
  });

  test('ignores the low bits of CR3', () => {
    const { mem, root, frame } = onePage();
    expect(createWalker(mem).walk(paddr(root + 0x18), VA, Read)).toBe(frame);
  });
});

describe('a walk that faults', () => {
  test('changes nothing at the page', () => {
    const { mem, root, entries } = onePage({ flags: PageFlag.Read });
    const before = mem.load32(entries[3]!);
    expect(outcome(createWalker(mem), root, VA, Write | User)).toBe('protection 7');
    expect(mem.load32(entries[3]!)).toBe(before);
  });

  test.each([2 ** 47, -(2 ** 47) - 1, 2 ** 48, 2 ** 63, -(2 ** 63), 2 ** 64 - 2048, Number.NaN])(
    'is a general protection fault for %d, which is not canonical',
    (va) => {
      const { mem, root } = onePage();
      expect(outcome(createWalker(mem), root, va, Write | User)).toBe('general-protection 0');
    },
  );

  test('says that a fetch was one only when the hardware would', () => {
    const { mem, root } = onePage({ flags: 0 });
    const noNx = { EFER: 0x500 };
    const other = VA + 0x1000;
    expect(outcome(createWalker(mem), root, other, Execute | User)).toBe('not-present 20');
    expect(outcome(createWalker(mem, noNx), root, other, Execute | User)).toBe('not-present 4');
    const smep = { EFER: 0x500, CR4: 0x10_0020 };
    expect(outcome(createWalker(mem, smep), root, other, Execute)).toBe('not-present 16');
  });

  test('reserves address bits from MAXPHYADDR up', () => {
    const { mem, root, entries, frame } = onePage();
    const high = asPaddr(entries[3]! + 4);
    mem.store32(high, mem.load32(high) | 0x8_0000); // bit 51
    expect(createWalker(mem).walk(root, VA, Read)).toBe(frame + 2 ** 51);
    for (const MAXPHYADDR of [36, 40, 51]) {
      expect(outcome(createWalker(mem, { MAXPHYADDR }), root, VA, Read)).toBe('reserved 9');
    }
  });
});

describe('tables outside memory are bus errors', () => {
  const atEnd = 0x11_0000;

  test.each([atEnd, 0, 0xf_f000, 2 ** 44 + 0x10_0000, 2 ** 52 - 0x1000])('root at %i', (root) => {
    const { mem } = onePage();
    expect(outcome(createWalker(mem), paddr(root), VA, Write)).toBe(`${FaultName.Bus} 11`);
  });

  test.each([
    [0, atEnd],
    [1, atEnd],
    [2, atEnd],
    [0, 0],
    [1, 2 ** 32],
    [2, 2 ** 44 + 0x10_0000], // as a frame number of 32 bits this would be inside
    [2, 2 ** 52 - 0x1000],
  ])('below level %i at %i', (level, table) => {
    const { mem, root, entries } = onePage();
    mem.store32(entries[level]!, (table | 7) >>> 0);
    mem.store32(asPaddr(entries[level]! + 4), Math.floor(table / 2 ** 32));
    expect(outcome(createWalker(mem), root, VA, Read | User)).toBe('bus 13');
  });

  test('but a page may be anywhere', () => {
    const { mem, root, entries } = onePage();
    mem.store32(asPaddr(entries[3]! + 4), 0xf_ffff);
    expect(createWalker(mem).walk(root, VA, Read)).toBe(0xf_ffff_4000_0000);
  });
});

test('an entry that another core clears under a walk is not used', () => {
  const { mem, root, entries } = onePage();
  const walker = createWalker(mem);
  const { compareExchange } = Atomics;
  const spy = vi.spyOn(Atomics, 'compareExchange');
  for (const [level, entry] of entries.entries()) {
    const word = mem.load32(entry);
    mem.store32(entry, word & ~0x60);
    spy.mockImplementationOnce((...change: Parameters<typeof compareExchange>) => {
      mem.store32(entry, 0);
      return compareExchange(...change);
    });
    expect([level, outcome(walker, root, VA, Write)]).toEqual([level, 'not-present 2']);
    expect(mem.load32(entry)).toBe(0);
    mem.store32(entry, word);
    expect(walker.walk(root, VA, Write)).toBeGreaterThan(0);
  }
  spy.mockRestore();
});

test('memory full of rubbish does not stop a walker', () => {
  const random = new Prng(1);
  const mem = new PhysMem(new ArrayBuffer(0x4000), 0x10_0000);
  const walkers = [{}, { CR0: 0x8000_0011, EFER: 0x100 }, { MAXPHYADDR: 32 }].map((regs) =>
    createWalker(mem, regs as ControlRegs),
  );
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < mem.words.length; i += 2) {
      // Often present, often pointing into memory.
      mem.words[i] = random.below(2) ? 0x10_0007 + 0x1000 * random.below(4) : random.next32();
      mem.words[i + 1] = random.below(2) ? 0 : random.next32();
    }
    for (const walker of walkers) {
      const va = random.below(2 ** 32) * 0x1_0000 - 2 ** 47 + random.below(0x1_0000);
      const access = random.below(3) | (random.below(2) * User);
      const pa = walker.walk(paddr(0x10_0000 + 0x1000 * random.below(4)), va, access);
      expect(pa === -1 || (Number.isInteger(pa) && pa >= 0 && pa < 2 ** 52)).toBe(true);
    }
  }
});

test.each([
  [{ CR0: 0x11 }],
  [{ CR4: 0 }],
  [{ EFER: 0x800 }],
  [{ MAXPHYADDR: 31 }],
  [{ MAXPHYADDR: 53 }],
])('control registers %j are not those of 4-level paging', (regs) => {
  const mem = new PhysMem(new ArrayBuffer(4096));
  expect(() => createWalker(mem, regs)).toThrow();
});

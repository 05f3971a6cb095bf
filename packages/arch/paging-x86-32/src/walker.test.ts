import { asPaddr, type Paddr, PhysMem, Prng, paddr } from '@barreleye/core';
import { Access, PageFlag, type Walker } from '@barreleye/spec';
import { describe, expect, test, vi } from 'vitest';
import { FORMATS, type Format } from '../test/formats.ts';
import { type ControlRegs, createWalker, pagingX86_32, pagingX86_32Pae } from './index.ts';

const { Read, Write, Execute, User } = Access;
const VA = 0x4060_3000;

/** One page mapped at `VA` through tables in the pages after `origin`, the root first. */
function onePage(
  { paging }: Format,
  { origin = 0x10_0000, flags = PageFlag.All as number, isLarge = false, va = VA } = {},
) {
  const mem = new PhysMem(new ArrayBuffer(0x1_0000), origin);
  const tables = paging.levels.map((_, i) => paddr(origin + 0x1000 * i));
  const level = paging.levels.length - (isLarge ? 2 : 1);
  for (let i = 0; i < level; i++) {
    paging.writeTable(mem, i, tables[i]!, paging.entryIndex(i, va), tables[i + 1]!);
  }
  const frame = paddr(0x7400_0000);
  paging.writePage(mem, level, tables[level]!, paging.entryIndex(level, va), frame, flags);
  const entries = paging.levels.map(({ entryBytes }, i) =>
    paddr(tables[i]! + entryBytes * paging.entryIndex(i, va)),
  );
  return { mem, root: tables[0]!, entries, page: entries[level]!, frame };
}

function outcome(walker: Walker, root: Paddr, va: number, access: number): string | number {
  const pa = walker.walk(root, va, access);
  return pa < 0 ? `${walker.faultName} ${walker.faultCode}` : pa;
}

describe.each(FORMATS)('$name: a walk that succeeds', (format) => {
  const { paging, name } = format;

  test.each([false, true])('tells the size of the page (large: %s)', (isLarge) => {
    const { mem, root, frame } = onePage(format, { isLarge });
    const walker = paging.createWalker(mem);
    const bits = isLarge ? paging.levels.at(-2)!.spanBits : 12;
    const start = Math.floor(VA / 2 ** bits) * 2 ** bits;
    expect(walker.walk(root, start + 2 ** bits - 3, Read | User)).toBe(frame + 2 ** bits - 3);
    expect(walker.pageBits).toBe(bits);
  });

  test('tells what user mode may do', () => {
    for (let flags = 0; flags <= PageFlag.All; flags++) {
      const { mem, root, page } = onePage(format, { flags });
      const walker = paging.createWalker(mem);
      expect(walker.walk(root, VA, Read)).toBeGreaterThan(0);
      const level = paging.levels.length - 1;
      const view = paging.readEntry(
        mem,
        level,
        asPaddr(page - (page % 4096)),
        paging.entryIndex(level, VA),
      );
      expect(walker.pageFlags).toBe(view.flags);
    }
  });

  test('takes rights away that the directory does not give', () => {
    const { mem, root, entries } = onePage(format);
    const directory = entries.at(-2)!;
    const walker = paging.createWalker(mem);
    mem.store32(directory, mem.load32(directory) & ~2);
    walker.walk(root, VA, Read);
    expect(walker.pageFlags).toBe(PageFlag.All & ~PageFlag.Write);
    mem.store32(directory, mem.load32(directory) & ~4);
    walker.walk(root, VA, Read);
    expect(walker.pageFlags).toBe(PageFlag.NoCache);
  });

  test('tells whether the page is global', () => {
    const { mem, root, page } = onePage(format);
    const walker = paging.createWalker(mem);
    walker.walk(root, VA, Read);
    expect(walker.isGlobal).toBe(false);
    mem.store32(page, mem.load32(page) | 0x100);
    walker.walk(root, VA, Read);
    expect(walker.isGlobal).toBe(true);
  });

  test('marks the directory and the page accessed, and a page that is written to dirty', () => {
    const { mem, root, entries } = onePage(format);
    const walker = paging.createWalker(mem);
    const marks = () => entries.map((entry) => mem.load32(entry) & 0x60);
    const pointer = name === 'pae' ? [0] : []; // a pointer has no such bits
    expect(marks()).toEqual([...pointer, 0, 0]);
    walker.walk(root, VA, Read | User);
    expect(marks()).toEqual([...pointer, 0x20, 0x20]);
    expect(walker.isDirty).toBe(false);
    walker.walk(root, VA, Write | User);
    expect(marks()).toEqual([...pointer, 0x20, 0x60]);
    expect(walker.isDirty).toBe(true);
    walker.walk(root, VA, Read | User);
    expect(walker.isDirty).toBe(true);
  });

  test.each([0, 2 ** 31])('works in memory at %i', (origin) => {
    const { mem, root, frame } = onePage(format, { origin });
    expect(paging.createWalker(mem).walk(root, VA + 5, Read)).toBe(frame + 5);
  });

  test('takes signed and unsigned addresses', () => {
    const { mem, root, frame } = onePage(format, { va: 0xc060_3000 });
    const walker = paging.createWalker(mem);
    expect(walker.walk(root, 0xc060_3fff, Execute | User)).toBe(frame + 0xfff);
    expect(walker.walk(root, 0xc060_3fff - 2 ** 32, Execute | User)).toBe(frame + 0xfff);
  });

  test('ignores the low bits of CR3', () => {
    const { mem, root, frame } = onePage(format);
    expect(paging.createWalker(mem).walk(paddr(root + 0x18), VA, Read)).toBe(frame);
  });
});

describe.each(FORMATS)('$name: a walk that faults', (format) => {
  const { paging, name } = format;

  test('changes nothing at the page', () => {
    const { mem, root, page } = onePage(format, { flags: PageFlag.Read });
    const before = mem.load32(page);
    expect(outcome(paging.createWalker(mem), root, VA, Write | User)).toBe('protection 7');
    expect(mem.load32(page)).toBe(before);
  });

  test('says that a fetch was one only when the hardware would', () => {
    const { mem, root } = onePage(format);
    const fetch = (regs?: ControlRegs) =>
      outcome(paging.createWalker(mem, regs), root, VA + 0x1000, Execute | User);
    expect(fetch()).toBe(name === 'pae' ? 'not-present 20' : 'not-present 4');
    expect(fetch({ EFER: 0 })).toBe('not-present 4');
    const CR4 = name === 'pae' ? 0x10_0020 : 0x10_0010;
    expect(fetch({ EFER: 0, CR4 })).toBe('not-present 20');
  });

  test('at tables outside memory is a bus error', () => {
    const { mem, root, entries } = onePage(format);
    const walker = paging.createWalker(mem);
    for (const at of [0x11_0000, 0, 0xf_f000, 0xffff_f000]) {
      expect(outcome(walker, paddr(at), VA, Write)).toBe('bus 11');
      for (const entry of entries.slice(0, -1)) {
        const word = mem.load32(entry);
        mem.store32(entry, at | 7);
        expect(outcome(walker, root, VA, Read | User)).toBe('bus 13');
        mem.store32(entry, word);
      }
    }
  });
});

describe('32-bit paging', () => {
  const [format] = FORMATS as [Format, Format];

  test('a 4 MiB page takes address bits 39:32 from bits 20:13 of its entry', () => {
    const { mem, root, page } = onePage(format, { isLarge: true });
    mem.store32(page, mem.load32(page) | (0xa5 << 13));
    const walk = (MAXPHYADDR: number) =>
      outcome(pagingX86_32.createWalker(mem, { MAXPHYADDR }), root, VA, Read);
    const inPage = VA % 2 ** 22;
    expect([52, 40].map(walk)).toEqual(Array(2).fill(0xa5_7400_0000 + inPage));
    expect([39, 36, 32].map(walk)).toEqual(Array(3).fill('reserved 9'));
    mem.store32(page, mem.load32(page) | 0x20_0000);
    expect(walk(52)).toBe('reserved 9'); // bit 21
  });

  test('without CR4.PSE bit 7 of a directory entry means nothing', () => {
    const { mem, root, entries, frame } = onePage(format);
    mem.store32(entries[0]!, mem.load32(entries[0]!) | 0x80);
    expect(pagingX86_32.createWalker(mem, { CR4: 0 }).walk(root, VA, Read)).toBe(frame);
    const large = pagingX86_32.createWalker(mem).walk(root, VA, Read);
    expect(large).not.toBe(frame);
  });
});

describe('PAE', () => {
  const [, format] = FORMATS as [Format, Format];

  test('reserves address bits from MAXPHYADDR up, and XD without NXE', () => {
    const { mem, root, page, frame } = onePage(format);
    const high = asPaddr(page + 4);
    const walk = (regs: ControlRegs = {}) =>
      outcome(pagingX86_32Pae.createWalker(mem, regs), root, VA, Read);
    mem.store32(high, 0x8_0000); // bit 51
    expect(walk()).toBe(frame + 2 ** 51);
    for (const MAXPHYADDR of [36, 40, 51]) expect(walk({ MAXPHYADDR })).toBe('reserved 9');
    mem.store32(high, 0x10_0000); // bit 52
    expect(walk()).toBe('reserved 9');
    mem.store32(high, 0x8000_0000);
    expect(walk()).toBe(frame);
    expect(walk({ EFER: 0 })).toBe('reserved 9');
  });

  test('a directory beyond memory is a bus error, whatever its low address bits', () => {
    const { mem, root, entries } = onePage(format);
    for (const entry of entries.slice(0, 2)) {
      for (const high of [1, 0x1000, 0xf_ffff]) {
        mem.store32(asPaddr(entry + 4), high);
        expect(outcome(pagingX86_32Pae.createWalker(mem), root, VA, Read)).toBe('bus 9');
      }
      mem.store32(asPaddr(entry + 4), 0);
    }
  });
});

test.each(FORMATS)(
  '$name: an entry that another core clears under a walk is not used',
  (format) => {
    const { mem, root, entries } = onePage(format);
    const walker = format.paging.createWalker(mem);
    const { compareExchange } = Atomics;
    const spy = vi.spyOn(Atomics, 'compareExchange');
    for (const entry of entries.slice(-2)) {
      const word = mem.load32(entry);
      mem.store32(entry, word & ~0x60);
      spy.mockImplementationOnce((...change: Parameters<typeof compareExchange>) => {
        mem.store32(entry, 0);
        return compareExchange(...change);
      });
      expect(outcome(walker, root, VA, Write)).toBe('not-present 2');
      expect(mem.load32(entry)).toBe(0);
      mem.store32(entry, word);
      expect(walker.walk(root, VA, Write)).toBeGreaterThan(0);
    }
    spy.mockRestore();
  },
);

test.each(FORMATS)('$name: memory full of rubbish does not stop a walker', ({ paging }) => {
  const random = new Prng(1);
  const mem = new PhysMem(new ArrayBuffer(0x4000), 0x10_0000);
  const walkers = [{}, { CR0: 0x8000_0011, EFER: 0 }, { MAXPHYADDR: 32 }].map((regs) =>
    paging.createWalker(mem, regs),
  );
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < mem.words.length; i++) {
      // Often present, often pointing into memory.
      mem.words[i] = random.below(2) ? 0x10_0007 + 0x1000 * random.below(4) : random.next32();
    }
    for (const walker of walkers) {
      const access = random.below(3) | (random.below(2) * User);
      const root = paddr(0x10_0000 + 0x1000 * random.below(4));
      const pa = walker.walk(root, random.next32(), access);
      expect(pa === -1 || (Number.isInteger(pa) && pa >= 0 && pa < 2 ** 52)).toBe(true);
    }
  }
});

test('each format insists on its CR4.PAE', () => {
  const mem = new PhysMem(new ArrayBuffer(4096));
  expect(() => pagingX86_32.createWalker(mem, { CR4: 0x20 })).toThrow('CR4.PAE is set');
  expect(() => pagingX86_32Pae.createWalker(mem, { CR4: 0x10 })).toThrow('CR4.PAE is clear');
});

test.each([[{ CR0: 0x11 }], [{ MAXPHYADDR: 31 }], [{ MAXPHYADDR: 53 }]])(
  'control registers %j are not those of a paging processor',
  (regs) => {
    expect(() => createWalker(new PhysMem(new ArrayBuffer(4096)), regs)).toThrow();
  },
);

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPaddr, type Paddr, paddr } from './addr.ts';
import { KernelPanic } from './assert.ts';
import { PhysMem } from './memory.ts';

const ORIGIN = 0x8000_0000;
const BYTES = 2 * 4096;
const END = ORIGIN + BYTES;
const MAX = Number.MAX_SAFE_INTEGER;

const create = (): PhysMem => new PhysMem(new ArrayBuffer(BYTES), ORIGIN);
const at = (index: number): Paddr => asPaddr(ORIGIN + index);
const bytesOf = (mem: PhysMem, first: number, count: number): number[] => [
  ...mem.read(at(first), count),
];

describe('PhysMem', () => {
  it('is made over any fixed buffer of whole pages, at a page', () => {
    expect(new PhysMem(new SharedArrayBuffer(4096)).bytes).toBe(4096);
    expect(new PhysMem(new ArrayBuffer(4096)).origin).toBe(0);
    expect(() => new PhysMem(new ArrayBuffer(4095))).toThrow('memory must be whole pages');
    expect(() => new PhysMem(new ArrayBuffer(4096), 512)).toThrow('begin at a page boundary');
  });

  it('contains what lies wholly inside', () => {
    const mem = create();
    expect(mem.contains(ORIGIN, BYTES)).toBe(true);
    expect(mem.contains(ORIGIN, BYTES + 1)).toBe(false);
    expect(mem.contains(ORIGIN - 1, 1)).toBe(false);
    expect(mem.contains(END - 1, 1)).toBe(true);
    expect(mem.contains(END - 1, 2)).toBe(false);
    expect(mem.contains(END, 0)).toBe(true);
    expect(mem.contains(END, 1)).toBe(false);
    expect(mem.contains(ORIGIN, MAX)).toBe(false);
    expect(mem.contains(MAX, MAX)).toBe(false);
  });

  it('shows the same bytes through every width, little-endian', () => {
    const mem = create();
    mem.store32(at(8), 0x1122_3344);
    expect(bytesOf(mem, 8, 4)).toEqual([0x44, 0x33, 0x22, 0x11]);
    expect([mem.load8(at(8)), mem.load16(at(8)), mem.load16(at(10))]).toEqual([
      0x44, 0x3344, 0x1122,
    ]);
    expect(mem.words[2]).toBe(0x1122_3344);
    mem.store16(at(9), 0xabcd);
    mem.store8(at(11), 0xff);
    expect(mem.load32(at(8))).toBe(0xffab_cd44);
    expect(mem.load64(at(8))).toBe(0xffab_cd44);
  });

  it('keeps the low bits of what is stored', () => {
    const mem = create();
    mem.store8(at(0), 0x1ff);
    mem.store16(at(2), -1);
    mem.store32(at(4), -1);
    expect(bytesOf(mem, 0, 8)).toEqual([0xff, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
  });

  it.each([
    ['load8', 1, (m: PhysMem, a: Paddr) => m.load8(a)],
    ['load16', 2, (m: PhysMem, a: Paddr) => m.load16(a)],
    ['load32', 4, (m: PhysMem, a: Paddr) => m.load32(a)],
    ['load64', 8, (m: PhysMem, a: Paddr) => m.load64(a)],
    ['load64Signed', 8, (m: PhysMem, a: Paddr) => m.load64Signed(a)],
    ['store8', 1, (m: PhysMem, a: Paddr) => m.store8(a, 1)],
    ['store16', 2, (m: PhysMem, a: Paddr) => m.store16(a, 1)],
    ['store32', 4, (m: PhysMem, a: Paddr) => m.store32(a, 1)],
  ])('%s throws rather than reach outside', (_, bytes, access) => {
    const mem = create();
    expect(() => access(mem, asPaddr(END - bytes))).not.toThrow();
    for (const address of [ORIGIN - 1, ORIGIN - bytes, END - bytes + 1, END, 0, MAX]) {
      expect(() => access(mem, asPaddr(address))).toThrow(RangeError);
    }
  });

  it.each([
    ['store64', (m: PhysMem, a: Paddr) => m.store64(a, 1)],
    ['store64Signed', (m: PhysMem, a: Paddr) => m.store64Signed(a, -1)],
  ])('%s throws rather than reach outside', (_, access) => {
    const mem = create();
    expect(() => access(mem, asPaddr(END - 8))).not.toThrow();
    for (const address of [ORIGIN - 8, ORIGIN - 1, END - 3, END]) {
      expect(() => access(mem, asPaddr(address))).toThrow(RangeError);
    }
  });
});

describe('words that threads share', () => {
  it('are the same words', () => {
    const mem = create();
    mem.storeRelease32(at(4), 0xfedc_ba98);
    expect([mem.load32(at(4)), mem.loadAcquire32(at(4))]).toEqual([0xfedc_ba98, 0xfedc_ba98]);
    expect(mem.load32(at(0)) + mem.load32(at(8))).toBe(0);
  });

  it('are aligned, and inside', () => {
    const mem = create();
    for (const address of [ORIGIN - 4, END, 0, MAX - 3]) {
      expect(() => mem.loadAcquire32(asPaddr(address))).toThrow();
      expect(() => mem.storeRelease32(asPaddr(address), 1)).toThrow();
    }
    for (const address of [ORIGIN - 1, ORIGIN + 1, ORIGIN + 2, END - 3]) {
      expect(() => mem.loadAcquire32(asPaddr(address))).toThrow('misaligned');
      expect(() => mem.storeRelease32(asPaddr(address), 1)).toThrow('misaligned');
    }
  });
});

describe('64-bit words', () => {
  const mem = create();
  const view = new DataView(mem.buffer);

  it('hold every exact unsigned number', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat({ max: BYTES - 8 }), (n, index) => {
        mem.store64(at(index), n);
        expect(view.getBigUint64(index, true)).toBe(BigInt(n));
        expect(mem.load64(at(index))).toBe(n);
      }),
    );
  });

  it('hold every exact signed number', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat({ max: BYTES - 8 }), (n, index) => {
        mem.store64Signed(at(index), n);
        expect(view.getBigInt64(index, true)).toBe(BigInt(n));
        expect(mem.load64Signed(at(index))).toBe(n);
      }),
    );
  });

  it.each([0, MAX])('hold %d, the limits of the unsigned ones', (n) => {
    mem.store64(at(0), n);
    expect(mem.load64(at(0))).toBe(n);
  });

  it.each([0, MAX, -MAX, -1])('hold %d, the limits of the signed ones', (n) => {
    mem.store64Signed(at(0), n);
    expect(mem.load64Signed(at(0))).toBe(n);
  });

  it.each([-1, 2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('do not take %d', (n) => {
    mem.store64(at(0), 77);
    expect(() => mem.store64(at(0), n)).toThrow(KernelPanic);
    expect(mem.load64(at(0))).toBe(77);
  });

  it.each([2 ** 53, -(2 ** 53), 0.5, Number.NaN])('do not take %d as signed', (n) => {
    mem.store64Signed(at(0), -77);
    expect(() => mem.store64Signed(at(0), n)).toThrow(KernelPanic);
    expect(mem.load64Signed(at(0))).toBe(-77);
  });

  it('panic when a word is more than an exact number', () => {
    view.setBigUint64(0, 2n ** 53n, true);
    expect(() => mem.load64(at(0))).toThrow('more than an exact number');
    expect(() => mem.load64Signed(at(0))).toThrow('more than an exact number');
    view.setBigUint64(0, 2n ** 64n - 1n, true);
    expect(() => mem.load64(at(0))).toThrow('more than an exact number');
    expect(mem.load64Signed(at(0))).toBe(-1);
    view.setBigInt64(0, -(2n ** 53n), true);
    expect(() => mem.load64Signed(at(0))).toThrow('more than an exact number');
    view.setBigInt64(0, -(2n ** 63n) + 1n, true);
    expect(() => mem.load64Signed(at(0))).toThrow('more than an exact number');
  });
});

describe('ranges', () => {
  const filled = (): PhysMem => {
    const mem = create();
    mem.write(
      at(0),
      new Uint8Array(BYTES).map((_, i) => (i % 255) + 1),
    );
    return mem;
  };

  it('are zeroed exactly', () => {
    const mem = filled();
    mem.zero(at(16), 24);
    expect(mem.isZero(at(16), 24)).toBe(true);
    expect(mem.isZero(at(12), 4)).toBe(false);
    expect(mem.isZero(at(12), 8)).toBe(false);
    expect(mem.isZero(at(36), 8)).toBe(false);
    expect(mem.isZero(at(40), 0)).toBe(true);
    expect(bytesOf(mem, 15, 1)).toEqual([16]);
    expect(bytesOf(mem, 40, 1)).toEqual([41]);
    mem.zero(at(0), BYTES);
    expect(mem.isZero(at(0), BYTES)).toBe(true);
  });

  it('are not zeroed outside memory, nor in parts of a word', () => {
    const mem = filled();
    expect(() => mem.zero(at(8), BYTES)).toThrow('zeroing outside memory');
    expect(() => mem.zero(at(-8), 8)).toThrow('zeroing outside memory');
    expect(() => mem.zero(at(4), 8)).toThrow('zeroing from a misaligned address');
    expect(() => mem.zero(at(8), 4)).toThrow('zeroing part of a word');
    expect(() => mem.isZero(at(BYTES), 4)).toThrow('looking outside memory');
    expect(() => mem.isZero(at(2), 4)).toThrow('looking from a misaligned address');
    expect(() => mem.isZero(at(4), 2)).toThrow('looking at part of a word');
    expect(bytesOf(mem, 0, 3)).toEqual([1, 2, 3]);
  });

  it('are copied as if through a buffer, also when they overlap', () => {
    const byteCount = fc.nat({ max: 64 });
    fc.assert(
      fc.property(byteCount, byteCount, byteCount, (target, source, count) => {
        const mem = filled();
        const before = [...mem.read(at(0), BYTES)];
        mem.copyWithin(at(target), at(source), count);
        const expected = [...before];
        expected.splice(target, count, ...before.slice(source, source + count));
        expect([...mem.read(at(0), BYTES)]).toEqual(expected);
      }),
    );
  });

  it('are not copied from or to the outside', () => {
    const mem = filled();
    expect(() => mem.copyWithin(at(BYTES - 4), at(0), 8)).toThrow('copying to outside memory');
    expect(() => mem.copyWithin(at(0), at(BYTES - 4), 8)).toThrow('copying from outside memory');
  });

  it('are copied word by word', () => {
    const mem = filled();
    const before = mem.read(at(0), 64);
    mem.copyWords(at(64), at(4), 60);
    expect([...mem.read(at(64), 60)]).toEqual([...before.slice(4)]);
    expect([...mem.read(at(0), 64)]).toEqual([...before]);
    expect(() => mem.copyWords(at(BYTES - 4), at(0), 8)).toThrow('copying to outside memory');
    expect(() => mem.copyWords(at(0), at(BYTES - 4), 8)).toThrow('copying from outside memory');
    expect(() => mem.copyWords(at(4), at(0), 8)).toThrow('copying onto itself');
    expect(() => mem.copyWords(at(34), at(0), 8)).toThrow('copying to a misaligned address');
    expect(() => mem.copyWords(at(32), at(2), 8)).toThrow('copying from a misaligned address');
    expect(() => mem.copyWords(at(32), at(0), 6)).toThrow('copying part of a word');
  });

  it('are written and read as copies', () => {
    const mem = create();
    const source = Uint8Array.of(1, 2, 3);
    mem.write(at(5), source);
    source[0] = 9;
    const copy = mem.read(at(4), 5);
    expect([...copy]).toEqual([0, 1, 2, 3, 0]);
    copy[1] = 9;
    expect(mem.load8(at(5))).toBe(1);
    expect(() => mem.write(at(BYTES - 2), source)).toThrow('writing outside memory');
    expect(() => mem.read(at(BYTES - 2), 3)).toThrow('reading outside memory');
    expect(() => mem.read(paddr(0), 1)).toThrow('reading outside memory');
  });
});

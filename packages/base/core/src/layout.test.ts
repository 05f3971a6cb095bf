import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPaddr, asPtr } from './addr.ts';
import { KernelPanic } from './assert.ts';
import { bits, i64, inner, layout, text, u8, u16, u32, u64, words } from './layout.ts';
import { PhysMem } from './memory.ts';

const ORIGIN = 0x1_0000;
const Point = layout('Point', 16, { x: u32(0), y: u32(4), z: u64(8) });
const All = layout('All', 128, {
  byte: u8<1 | 2 | 3>(0),
  half: u16(2),
  word: u32(4),
  long: u64(8),
  signed: i64(16),
  low: bits(24, 0, 4),
  middle: bits(24, 4, 27),
  high: bits(24, 31, 1),
  full: bits(28, 0, 32),
  name: text(32, 6),
  list: words(40, 3),
  points: inner(56, Point, 2),
  point: inner(96, Point),
});

const create = (): PhysMem => new PhysMem(new ArrayBuffer(4096), ORIGIN);
const AT = asPtr<'All'>(ORIGIN + 256);

describe('scalars', () => {
  it('have their place, width and byte order', () => {
    const mem = create();
    All.byte.set(mem, AT, 3);
    All.half.set(mem, AT, 0x0102);
    All.word.set(mem, AT, 0x0304_0506);
    All.long.set(mem, AT, 0x01_0203_0405_0607);
    All.signed.set(mem, AT, -2);
    expect([...mem.read(AT, 24)]).toEqual([
      3, 0, 2, 1, 6, 5, 4, 3, 7, 6, 5, 4, 3, 2, 1, 0, 0xfe, 255, 255, 255, 255, 255, 255, 255,
    ]);
    expect(All.byte.get(mem, AT)).toBe(3);
    expect(All.half.get(mem, AT)).toBe(0x0102);
    expect(All.word.get(mem, AT)).toBe(0x0304_0506);
    expect(All.long.get(mem, AT)).toBe(0x01_0203_0405_0607);
    expect(All.signed.get(mem, AT)).toBe(-2);
  });

  it('touch nothing beside themselves', () => {
    for (const { offset, bytes } of All.$fields.slice(0, 5)) {
      const mem = create();
      mem.write(asPaddr(AT + offset), new Uint8Array(bytes).fill(0xff));
      const [byte, half, word, long] = [0, 2, 4, 8].map((o) => (o === offset ? 'self' : 'other'));
      if (byte === 'other') expect(All.byte.get(mem, AT)).toBe(0);
      if (half === 'other') expect(All.half.get(mem, AT)).toBe(0);
      if (word === 'other') expect(All.word.get(mem, AT)).toBe(0);
      if (long === 'other') expect(All.long.get(mem, AT)).toBe(0);
    }
  });

  it('of 64 bits take exact numbers only', () => {
    const mem = create();
    expect(() => All.long.set(mem, AT, 2 ** 53)).toThrow(KernelPanic);
    expect(() => All.long.set(mem, AT, -1)).toThrow(KernelPanic);
    expect(() => All.signed.set(mem, AT, 2 ** 53)).toThrow(KernelPanic);
    mem.store32(asPaddr(AT + 12), 0x20_0000);
    expect(() => All.long.get(mem, AT)).toThrow(KernelPanic);
  });

  it('are not read outside memory', () => {
    const mem = create();
    const outside = asPtr<'All'>(ORIGIN + 4096);
    expect(() => All.byte.get(mem, outside)).toThrow(RangeError);
    expect(() => All.half.set(mem, outside, 1)).toThrow(RangeError);
    expect(() => All.word.get(mem, asPtr<'All'>(0))).toThrow(RangeError);
  });

  it('carry the type they were declared with', () => {
    const mem = create();
    All.byte.set(mem, AT, 2);
    const value: 1 | 2 | 3 = All.byte.get(mem, AT);
    expect(value).toBe(2);
    // @ts-expect-error 4 is not among the values of this field
    All.byte.set(mem, AT, 4);
  });

  it('want a pointer to their own structure', () => {
    const mem = create();
    // @ts-expect-error a plain address holds no known structure
    expect(All.byte.get(mem, asPaddr(AT))).toBe(0);
    // @ts-expect-error this one holds another
    expect(All.byte.get(mem, All.point.at(AT))).toBe(0);
    expect(Point.x.get(mem, All.point.at(AT))).toBe(0);
  });
});

describe('bit fields', () => {
  it('share a word without touching each other', () => {
    const low = fc.nat({ max: 15 });
    const middle = fc.nat({ max: 2 ** 27 - 1 });
    const high = fc.nat({ max: 1 });
    const mem = create();
    fc.assert(
      fc.property(fc.array(fc.tuple(low, middle, high), { minLength: 1 }), (values) => {
        for (const [l, m, h] of values) {
          All.high.set(mem, AT, h);
          All.low.set(mem, AT, l);
          All.middle.set(mem, AT, m);
          const read = [All.low.get(mem, AT), All.middle.get(mem, AT), All.high.get(mem, AT)];
          expect(read).toEqual([l, m, h]);
          expect(mem.load32(asPaddr(AT + 24))).toBe((l + m * 16 + h * 2 ** 31) >>> 0);
        }
      }),
    );
  });

  it('may be a whole word, which is never negative', () => {
    const mem = create();
    for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      All.full.set(mem, AT, value);
      expect(All.full.get(mem, AT)).toBe(value);
    }
  });

  it.each([16, -1, 0.5, 2 ** 32])('panic on %d, which does not fit', (value) => {
    const mem = create();
    expect(() => All.low.set(mem, AT, value)).toThrow('value does not fit its bit field');
    expect(mem.isZero(asPaddr(AT + 24), 4)).toBe(true);
  });

  it.each([
    [-1, 4],
    [0, 0],
    [0, 33],
    [30, 3],
    [32, 1],
  ])('panic when declared from bit %d with width %d', (shift, width) => {
    expect(() => bits(0, shift, width)).toThrow('bit field outside its word');
  });
});

describe('words', () => {
  it('are counted from zero', () => {
    const mem = create();
    All.list.set(mem, AT, 0, 7);
    All.list.set(mem, AT, 2, 0xffff_ffff);
    expect([0, 1, 2].map((i) => All.list.get(mem, AT, i))).toEqual([7, 0, 0xffff_ffff]);
    expect(mem.load32(asPaddr(AT + 48))).toBe(0xffff_ffff);
    expect([All.list.offset, All.list.count]).toEqual([40, 3]);
  });

  it.each([-1, 3])('panic on index %d', (index) => {
    const mem = create();
    expect(() => All.list.get(mem, AT, index)).toThrow('word index outside its field');
    expect(() => All.list.set(mem, AT, index, 1)).toThrow('word index outside its field');
  });
});

describe('text', () => {
  it('is padded with zeros, and may fill its field', () => {
    const mem = create();
    All.name.set(mem, AT, 'abcdef');
    expect(All.name.get(mem, AT)).toBe('abcdef');
    All.name.set(mem, AT, 'xy');
    expect(All.name.get(mem, AT)).toBe('xy');
    expect([...mem.read(asPaddr(AT + 32), 8)]).toEqual([0x78, 0x79, 0, 0, 0, 0, 0, 0]);
    All.name.set(mem, AT, '');
    expect(All.name.get(mem, AT)).toBe('');
  });

  it('panics when it is too long or not ASCII', () => {
    const mem = create();
    expect(() => All.name.set(mem, AT, 'abcdefg')).toThrow('text does not fit its field');
    expect(() => All.name.set(mem, AT, 'é')).toThrow('text fields hold ASCII only');
  });
});

describe('inner structures', () => {
  it('are at their stride', () => {
    const mem = create();
    const [first, second] = [All.points.at(AT, 0), All.points.at(AT, 1)];
    Point.y.set(mem, second, 5);
    expect([first - AT, second - AT, All.point.at(AT) - AT]).toEqual([56, 72, 96]);
    expect(Point.y.get(mem, second)).toBe(5);
    expect(mem.load32(asPaddr(AT + 76))).toBe(5);
  });

  it.each([-1, 2])('panic on index %d', (index) => {
    expect(() => All.points.at(AT, index)).toThrow('inner structure index outside its field');
  });
});

describe('layout', () => {
  it('describes itself', () => {
    expect([Point.$name, Point.$bytes]).toEqual(['Point', 16]);
    expect(Point.$fields).toEqual([
      { name: 'x', offset: 0, bytes: 4 },
      { name: 'y', offset: 4, bytes: 4 },
      { name: 'z', offset: 8, bytes: 8 },
    ]);
  });

  it.each([
    ['half', () => layout('L', 8, { half: u16(1) })],
    ['word', () => layout('L', 8, { word: u32(2) })],
    ['long', () => layout('L', 16, { long: u64(4) })],
    ['signed', () => layout('L', 16, { signed: i64(4) })],
    ['list', () => layout('L', 16, { list: words(2, 1) })],
    ['point', () => layout('L', 32, { point: inner(4, Point) })],
  ])('panics when %s is not naturally aligned', (field, make) => {
    expect(make).toThrow(`L.${field} is not naturally aligned`);
  });

  it.each([
    ['byte', () => layout('L', 8, { byte: u8(8) })],
    ['long', () => layout('L', 12, { long: u64(8) })],
    ['name', () => layout('L', 8, { name: text(4, 5) })],
    ['list', () => layout('L', 8, { list: words(0, 3) })],
    ['point', () => layout('L', 24, { point: inner(0, Point, 2) })],
  ])('panics when %s reaches outside', (field, make) => {
    expect(make).toThrow(`L.${field} lies outside the structure`);
  });

  it.each([
    ['two scalars', () => layout('L', 8, { a: u32(0), b: u8(3) }), 'L.b overlaps'],
    ['a scalar and bits', () => layout('L', 8, { a: bits(0, 8, 4), b: u16(0) }), 'L.b overlaps'],
    ['bits', () => layout('L', 8, { a: bits(0, 0, 5), b: bits(0, 4, 1) }), 'at byte 0'],
    ['bits of the top byte', () => layout('L', 8, { a: bits(0, 31, 1), b: u8(3) }), 'at byte 3'],
    ['text and words', () => layout('L', 8, { a: text(0, 5), b: words(4, 1) }), 'at byte 4'],
    ['the same twice', () => layout('L', 8, { a: u64(0), b: u64(0) }), 'at byte 0'],
  ])('panics when %s overlap', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('panics on an offset that is no place', () => {
    expect(() => u8(-1)).toThrow('a field offset is a non-negative integer');
    expect(() => u8(0.5)).toThrow('a field offset is a non-negative integer');
  });

  it('panics on a name that would hide what describes the layout', () => {
    expect(() => layout('L', 8, { $bytes: u8(0) })).toThrow('names with $ belong to the layout');
  });

  it('lets bits and bytes be neighbours in one word', () => {
    const mem = create();
    const L = layout('L', 4, { bit: bits(0, 0, 1), byte: u8(3) });
    const at = asPtr<'L'>(ORIGIN);
    L.byte.set(mem, at, 0xaa);
    L.bit.set(mem, at, 1);
    expect(mem.load32(at)).toBe(0xaa00_0001);
  });
});

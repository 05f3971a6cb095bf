/**
 * Memory structures as tables. A layout is checked when its module loads (alignment, overlap,
 * total size) and then read and written through its fields: `Cte.base.get(mem, cte)`. No object
 * ever mirrors a structure in memory: the memory is the state.
 *
 * All fields are little-endian. A `u64` holds an exact number below 2^53 and panics otherwise; a
 * word that uses bits 53-63 is two `u32` fields.
 */

import { asPaddr, asPtr, type Paddr, type Ptr } from './addr.ts';
import { assert, panic } from './assert.ts';
import type { PhysMem } from './memory.ts';

/** What a field occupies, before it belongs to a layout. */
export interface FieldSpec<F> {
  readonly offset: number;
  /** Bytes that the field covers. */
  readonly bytes: number;
  /** Natural alignment, bytes. */
  readonly align: number;
  /** Bits of the covered bytes that are used; undefined when all of them. */
  readonly mask: number | undefined;
  /** Only for the compiler: the accessor that `layout` hands out. */
  readonly accessor: F;
}

/** One scalar of a structure at an address of type `A`. */
export interface Field<T, A extends Paddr = Paddr> {
  readonly offset: number;
  get(mem: PhysMem, at: A): T;
  set(mem: PhysMem, at: A, value: T): void;
}

/** Equal 32-bit words in a row. */
export interface WordsField {
  readonly offset: number;
  readonly count: number;
  get(mem: PhysMem, at: Paddr, index: number): number;
  set(mem: PhysMem, at: Paddr, index: number, value: number): void;
}

/** Printable ASCII, padded with zero bytes; not terminated when full. */
export interface TextField {
  readonly offset: number;
  readonly bytes: number;
  get(mem: PhysMem, at: Paddr): string;
  set(mem: PhysMem, at: Paddr, value: string): void;
}

/** A structure `I`, or a run of them, inside another. */
export interface InnerField<I extends string> {
  readonly offset: number;
  readonly count: number;
  /** Address of the `index`-th inner structure of the one at `at`. */
  at(outer: Paddr, index?: number): Ptr<I>;
}

/** An accessor as the layout `N` hands it out: its scalars want a pointer to an `N`. */
type Bound<N extends string, F> = F extends Field<infer T extends number> ? Field<T, Ptr<N>> : F;

/** A checked table of fields. The `$` members describe the layout itself. */
export type Layout<N extends string, S extends Record<string, FieldSpec<unknown>>> = {
  readonly [K in keyof S]: Bound<N, S[K]['accessor']>;
} & {
  readonly $name: N;
  readonly $bytes: number;
  readonly $fields: readonly { readonly name: string; readonly offset: number; bytes: number }[];
};

class U8Field implements Field<number> {
  readonly offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
  get(mem: PhysMem, at: Paddr): number {
    return mem.view.getUint8(at - mem.origin + this.offset);
  }
  set(mem: PhysMem, at: Paddr, value: number): void {
    mem.view.setUint8(at - mem.origin + this.offset, value);
  }
}

class U16Field implements Field<number> {
  readonly offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
  get(mem: PhysMem, at: Paddr): number {
    return mem.view.getUint16(at - mem.origin + this.offset, true);
  }
  set(mem: PhysMem, at: Paddr, value: number): void {
    mem.view.setUint16(at - mem.origin + this.offset, value, true);
  }
}

class U32Field implements Field<number> {
  readonly offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
  get(mem: PhysMem, at: Paddr): number {
    return mem.view.getUint32(at - mem.origin + this.offset, true);
  }
  set(mem: PhysMem, at: Paddr, value: number): void {
    mem.view.setUint32(at - mem.origin + this.offset, value, true);
  }
}

class U64Field implements Field<number> {
  readonly offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
  get(mem: PhysMem, at: Paddr): number {
    return mem.load64(asPaddr(at + this.offset));
  }
  set(mem: PhysMem, at: Paddr, value: number): void {
    mem.store64(asPaddr(at + this.offset), value);
  }
}

class I64Field implements Field<number> {
  readonly offset: number;
  constructor(offset: number) {
    this.offset = offset;
  }
  get(mem: PhysMem, at: Paddr): number {
    return mem.load64Signed(asPaddr(at + this.offset));
  }
  set(mem: PhysMem, at: Paddr, value: number): void {
    mem.store64Signed(asPaddr(at + this.offset), value);
  }
}

class BitsField implements Field<number> {
  readonly offset: number;
  private readonly shift: number;
  private readonly mask: number;
  constructor(offset: number, shift: number, width: number) {
    this.offset = offset;
    this.shift = shift;
    this.mask = (2 ** width - 1) >>> 0;
  }
  get(mem: PhysMem, at: Paddr): number {
    const word = mem.view.getUint32(at - mem.origin + this.offset, true);
    return ((word >>> this.shift) & this.mask) >>> 0;
  }
  set(mem: PhysMem, at: Paddr, value: number): void {
    assert((value & this.mask) >>> 0 === value, 'value does not fit its bit field');
    const i = at - mem.origin + this.offset;
    const rest = mem.view.getUint32(i, true) & ~(this.mask << this.shift);
    mem.view.setUint32(i, rest | (value << this.shift), true);
  }
}

/** Unsigned byte. */
export function u8<T extends number = number>(offset: number): FieldSpec<Field<T>> {
  return spec(offset, 1, 1, new U8Field(offset));
}

/** Unsigned 16-bit word. */
export function u16<T extends number = number>(offset: number): FieldSpec<Field<T>> {
  return spec(offset, 2, 2, new U16Field(offset));
}

/** Unsigned 32-bit word. */
export function u32<T extends number = number>(offset: number): FieldSpec<Field<T>> {
  return spec(offset, 4, 4, new U32Field(offset));
}

/** Exact unsigned number below 2^53 in a 64-bit word. */
export function u64<T extends number = number>(offset: number): FieldSpec<Field<T>> {
  return spec(offset, 8, 8, new U64Field(offset));
}

/** Exact signed number, magnitude below 2^53, in a 64-bit word. */
export function i64<T extends number = number>(offset: number): FieldSpec<Field<T>> {
  return spec(offset, 8, 8, new I64Field(offset));
}

/** `width` bits from bit `shift` of the 32-bit word at `offset`; several may share a word. */
export function bits<T extends number = number>(
  offset: number,
  shift: number,
  width: number,
): FieldSpec<Field<T>> {
  assert(shift >= 0 && width > 0 && shift + width <= 32, 'bit field outside its word');
  const mask = ((2 ** width - 1) * 2 ** shift) >>> 0;
  return spec(offset, 4, 4, new BitsField(offset, shift, width), mask);
}

/** `count` 32-bit words. */
export function words(offset: number, count: number): FieldSpec<WordsField> {
  const accessor: WordsField = {
    offset,
    count,
    get: (mem, at, index) => {
      assert(index >= 0 && index < count, 'word index outside its field');
      return mem.view.getUint32(at - mem.origin + offset + 4 * index, true);
    },
    set: (mem, at, index, value) => {
      assert(index >= 0 && index < count, 'word index outside its field');
      mem.view.setUint32(at - mem.origin + offset + 4 * index, value, true);
    },
  };
  return spec(offset, 4 * count, 4, accessor);
}

/** `bytes` bytes of text. */
export function text(offset: number, bytes: number): FieldSpec<TextField> {
  const accessor: TextField = {
    offset,
    bytes,
    get: (mem, at) => {
      let value = '';
      for (let i = 0; i < bytes; i++) {
        const code = mem.view.getUint8(at - mem.origin + offset + i);
        if (code === 0) break;
        value += String.fromCharCode(code);
      }
      return value;
    },
    set: (mem, at, value) => {
      assert(value.length <= bytes, 'text does not fit its field');
      for (let i = 0; i < bytes; i++) {
        const code = i < value.length ? value.charCodeAt(i) : 0;
        assert(code < 0x80, 'text fields hold ASCII only');
        mem.view.setUint8(at - mem.origin + offset + i, code);
      }
    },
  };
  return spec(offset, bytes, 1, accessor);
}

/** `count` structures of layout `inner`, one after the other. */
export function inner<I extends string>(
  offset: number,
  layoutOfInner: { readonly $name: I; readonly $bytes: number },
  count = 1,
): FieldSpec<InnerField<I>> {
  const stride = layoutOfInner.$bytes;
  const accessor: InnerField<I> = {
    offset,
    count,
    at: (outer, index = 0) => {
      assert(index >= 0 && index < count, 'inner structure index outside its field');
      return asPtr<I>(outer + offset + index * stride);
    },
  };
  return spec(offset, stride * count, 8, accessor);
}

/**
 * Declare a structure. Panics unless every field is naturally aligned, inside `bytes`, and
 * overlaps no other (bit fields of one word may share it as long as their bits differ).
 */
export function layout<const N extends string, S extends Record<string, FieldSpec<unknown>>>(
  name: N,
  bytes: number,
  specs: S,
): Layout<N, S> {
  const table: Record<string, unknown> = {};
  const claimed = new Map<number, number>();
  for (const [field, s] of Object.entries(specs)) {
    const where = `${name}.${field}`;
    assert(!field.startsWith('$'), `${where}: names with $ belong to the layout`);
    assert(s.offset % s.align === 0, `${where} is not naturally aligned`);
    assert(s.offset + s.bytes <= bytes, `${where} lies outside the structure`);
    claim(claimed, s, where);
    table[field] = s.accessor;
  }
  const $fields = Object.entries(specs).map(([field, s]) => ({
    name: field,
    offset: s.offset,
    bytes: s.bytes,
  }));
  // To V8 a table that has grown by some thirty assignments is a hash table, looked up at each
  // use of a field, and a copy of it in one expression an object of known shape.
  return { ...table, $name: name, $bytes: bytes, $fields } as unknown as Layout<N, S>;
}

function claim(claimed: Map<number, number>, s: FieldSpec<unknown>, where: string): void {
  for (let i = 0; i < s.bytes; i++) {
    const used = s.mask === undefined ? 0xff : (s.mask >>> (8 * i)) & 0xff;
    const before = claimed.get(s.offset + i) ?? 0;
    if ((before & used) !== 0) panic(`${where} overlaps another field at byte ${s.offset + i}`);
    claimed.set(s.offset + i, before | used);
  }
}

function spec<F>(
  offset: number,
  bytes: number,
  align: number,
  accessor: unknown,
  mask?: number,
): FieldSpec<F> {
  assert(Number.isInteger(offset) && offset >= 0, 'a field offset is a non-negative integer');
  return { offset, bytes, align, mask, accessor: accessor as F };
}

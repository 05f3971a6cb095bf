/**
 * Types of the fields of messages: what the compiler knows of them, how they are written and read,
 * and how they are called in the shape of an interface. Each is built once, from a declaration.
 */

import { assert, fromWords, highWord, lowWord } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import type { CapTypeName } from '@barreleye/spec';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** How values of type `T` travel. */
export interface FieldType<T> {
  /** Its declaration, in words that are equal for equal declarations only. */
  readonly shape: string;
  /** The most words and capabilities that a value takes. */
  readonly maxWords: number;
  readonly maxCaps: number;
  /** Whether a field of this type may be left out. */
  readonly isOptional: boolean;
  /** Append `value` to `out`, or have `out` refuse it. */
  encode(out: Writer, value: T): void;
  /** The next value; from a bad message any value of the type. */
  decode(from: Reader): T;
}

/** A field that may be left out. */
export interface OptionalType<T> extends FieldType<T | undefined> {
  readonly isOptional: true;
}

/** Named fields, in the order in which they travel. */
export interface Fields {
  readonly [name: string]: FieldType<unknown>;
}

/** The values of a field type. */
export type ValueOf<F> = F extends FieldType<infer T> ? T : never;

type OptionalNames<F extends Fields> = {
  [K in keyof F]: F[K] extends OptionalType<unknown> ? K : never;
}[keyof F];

/** The values of named fields. */
export type Values<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalNames<F>>]: ValueOf<F[K]> } & {
    readonly [K in OptionalNames<F>]?: ValueOf<F[K]>;
  }
>;

/** One record in place of several: how people read it in messages of the compiler. */
type Flat<T> = { [K in keyof T]: T[K] };

/** Names of fields, methods and interfaces. */
const NAME = /^[a-z][A-Za-z0-9]*$/;

/** Integers from 0 to 2^8 - 1, 2^16 - 1, 2^32 - 1. One word. */
export const u8: FieldType<number> = unsigned('u8', 2 ** 8);
export const u16: FieldType<number> = unsigned('u16', 2 ** 16);
export const u32: FieldType<number> = unsigned('u32', 2 ** 32);

/** Integers from -2^31 to 2^31 - 1. One word, two's complement. */
export const i32: FieldType<number> = {
  shape: 'i32',
  maxWords: 1,
  maxCaps: 0,
  isOptional: false,
  encode(out, value) {
    if ((value | 0) !== value) out.refuse();
    else out.word(value >>> 0);
  },
  decode: (from) => from.word() | 0,
};

/** Exact numbers: integers from 0 to 2^53 - 1, as everywhere in the system. Low word, high word. */
export const u64: FieldType<number> = {
  shape: 'u64',
  maxWords: 2,
  maxCaps: 0,
  isOptional: false,
  encode(out, value) {
    if (!Number.isSafeInteger(value) || value < 0) {
      out.refuse();
      return;
    }
    out.word(lowWord(value));
    out.word(highWord(value));
  },
  decode(from) {
    const low = from.word();
    return fromWords(low, from.wordBelow(2 ** 21));
  },
};

/** One word, 0 or 1. */
export const bool: FieldType<boolean> = {
  shape: 'bool',
  maxWords: 1,
  maxCaps: 0,
  isOptional: false,
  encode: (out, value) => out.word(value ? 1 : 0),
  decode: (from) => from.wordBelow(2) === 1,
};

/** Text of at most `maxBytes` bytes of UTF-8. A word for the number of bytes, then the bytes. */
export function string(maxBytes: number): FieldType<string> {
  return {
    shape: `string(${maxBytes})`,
    maxWords: 1 + Math.ceil(maxBytes / 4),
    maxCaps: 0,
    isOptional: false,
    encode: (out, value) => out.text(value, maxBytes),
    decode: (from) => from.text(maxBytes),
  };
}

/** At most `maxBytes` bytes. A word for their number, then the bytes. */
export function bytes(maxBytes: number): FieldType<Uint8Array> {
  return {
    shape: `bytes(${maxBytes})`,
    maxWords: 1 + Math.ceil(maxBytes / 4),
    maxCaps: 0,
    isOptional: false,
    encode: (out, value) => out.bytes(value, maxBytes),
    decode: (from) => from.bytes(maxBytes),
  };
}

/** One of some names. A word: its place among them. */
export function oneOf<const N extends string>(...names: readonly N[]): FieldType<N> {
  const [first] = names;
  assert(first !== undefined, 'there is at least one name to choose from');
  assert(
    names.every((name) => NAME.test(name)),
    'names to choose from are identifiers',
  );
  return {
    shape: `oneOf(${names.join(',')})`,
    maxWords: 1,
    maxCaps: 0,
    isOptional: false,
    encode(out, value) {
      const place = names.indexOf(value);
      if (place < 0) out.refuse();
      else out.word(place);
    },
    decode: (from) => names[from.wordBelow(names.length)] ?? first,
  };
}

/**
 * A capability: a copy is sent, for the receiver to use and to pass on, but not to revoke. No
 * words. That it is a `type` is what the sender says; the kernel looks whenever it is used.
 */
export function cap<T extends CapTypeName>(type: T): FieldType<Capref<T>> {
  return capField(`cap(${type})`, false);
}

/** As `cap`, but the sender's own is sent, with all its rights, and its slot is freed. */
export function gift<T extends CapTypeName>(type: T): FieldType<Capref<T>> {
  return capField(`gift(${type})`, true);
}

/** A field that may be left out. A word, 0 or 1, then the value if there is one. */
export function optional<T>(of: FieldType<T>): OptionalType<T> {
  return {
    shape: `optional(${of.shape})`,
    maxWords: 1 + of.maxWords,
    maxCaps: of.maxCaps,
    isOptional: true,
    encode(out, value) {
      out.word(value === undefined ? 0 : 1);
      if (value !== undefined) of.encode(out, value);
    },
    decode: (from) => (from.wordBelow(2) === 1 ? of.decode(from) : undefined),
  };
}

/** At most `maxCount` values. A word for their number, then the values. */
export function array<T>(of: FieldType<T>, maxCount: number): FieldType<readonly T[]> {
  return {
    shape: `array(${of.shape},${maxCount})`,
    maxWords: 1 + maxCount * of.maxWords,
    maxCaps: maxCount * of.maxCaps,
    isOptional: false,
    encode(out, values) {
      if (values.length > maxCount) {
        out.refuse();
        return;
      }
      out.word(values.length);
      for (const value of values) of.encode(out, value);
    },
    decode(from) {
      const count = from.wordBelow(maxCount + 1);
      const values: T[] = [];
      while (values.length < count && !from.isBad) values.push(of.decode(from));
      return values;
    },
  };
}

/** Fields one after another. */
export function struct<const F extends Fields>(fields: F): FieldType<Values<F>> {
  const names = Object.keys(fields);
  const types = Object.values(fields);
  assert(
    names.every((name) => NAME.test(name)),
    'names of fields are identifiers',
  );
  return {
    shape: `(${names.map((name, i) => `${name}:${types[i]?.shape}`).join(',')})`,
    maxWords: types.reduce((sum, { maxWords }) => sum + maxWords, 0),
    maxCaps: types.reduce((sum, { maxCaps }) => sum + maxCaps, 0),
    isOptional: false,
    encode(out, value) {
      const record = value as { readonly [name: string]: unknown };
      for (let i = 0; i < names.length; i++) types[i]?.encode(out, record[names[i] ?? '']);
    },
    decode(from) {
      const record: { [name: string]: unknown } = {};
      for (let i = 0; i < names.length; i++) {
        const value = types[i]?.decode(from);
        if (value !== undefined) record[names[i] ?? ''] = value;
      }
      return record as Values<F>;
    },
  };
}

function unsigned(shape: string, limit: number): FieldType<number> {
  return {
    shape,
    maxWords: 1,
    maxCaps: 0,
    isOptional: false,
    encode(out, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit) out.refuse();
      else out.word(value);
    },
    decode: (from) => from.wordBelow(limit),
  };
}

function capField<T extends CapTypeName>(shape: string, isGift: boolean): FieldType<Capref<T>> {
  return {
    shape,
    maxWords: 0,
    maxCaps: 1,
    isOptional: false,
    encode: (out, value) => out.cap(value, isGift),
    decode: (from) => from.cap() as Capref<T>,
  };
}

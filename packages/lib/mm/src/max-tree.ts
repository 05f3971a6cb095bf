/**
 * A row of numbers that answers: which is the first of at least so much? Above the numbers stand
 * levels of maxima, each entry the greatest of the `FAN` below it, up to a single one. To search is
 * to go down from there; to change a number is to go up from it, as far as the change reaches.
 *
 * All entries are in one array of 32-bit integers, 8/7 of a word for each number. A step looks at
 * all of a group and adds up what it finds, without a branch: which entry it will be is as good as
 * chance, so a loop that stops there costs a mistaken guess of the processor a step. With groups of
 * four an allocator took a quarter more time at 1e5 blocks, and as much at 1e3.
 * Source: a tournament tree; D. Knuth, "The Art of Computer Programming" 3, section 5.2.3.
 */

import { assert } from '@barreleye/core';

/** Entries below one entry of a level: half a cache line. */
export const FAN_BITS = 3;
const FAN = 2 ** FAN_BITS;
/** No such entry. */
export const NONE = -1;

export class MaxTree {
  /** Level k begins at `offsets[k]`; level 0 is the numbers, and the last has one entry. */
  readonly values: Int32Array;
  readonly offsets: Int32Array;

  /** `count` zeros. */
  constructor(count: number) {
    assert(count > 0, 'a row of no numbers');
    const offsets = [0];
    let end = padded(count);
    for (let entries = count; entries > 1; ) {
      entries = Math.ceil(entries / FAN);
      offsets.push(end);
      end += padded(entries);
    }
    this.values = new Int32Array(end);
    this.offsets = Int32Array.from(offsets);
  }

  set(index: number, value: number): void {
    const before = this.values[index]!;
    if (value > before) this.raise(index, value);
    else if (value < before) this.lower(index, before, value);
  }

  /** The first number of at least `least`, which is positive, or NONE. */
  first(least: number): number {
    const top = this.offsets.length - 1;
    return this.values[this.offsets[top]!]! >= least ? this.descend(top, 0, least) : NONE;
  }

  /** The first such number at `from` or behind; `from` is at most how many there are. */
  firstFrom(from: number, least: number): number {
    if (from === 0) return this.first(least);
    const { values, offsets } = this;
    // Up, over what lies to the right in the same group.
    let i = from;
    for (let level = 0; level < offsets.length; level++) {
      for (; i % FAN !== 0; i++) {
        if (values[offsets[level]! + i]! >= least) return this.descend(level, i, least);
      }
      i >>= FAN_BITS;
    }
    return NONE;
  }

  /** The greatest entry of the group below entry `index` of a level above 0. */
  greatestBelow(level: number, index: number): number {
    const { values } = this;
    const at = this.offsets[level - 1]! + (index << FAN_BITS);
    const a = Math.max(values[at]!, values[at + 1]!);
    const b = Math.max(values[at + 2]!, values[at + 3]!);
    const c = Math.max(values[at + 4]!, values[at + 5]!);
    const d = Math.max(values[at + 6]!, values[at + 7]!);
    return Math.max(Math.max(a, b), Math.max(c, d));
  }

  private raise(index: number, value: number): void {
    const { values, offsets } = this;
    values[index] = value;
    for (let level = 1, i = index >> FAN_BITS; level < offsets.length; level++, i >>= FAN_BITS) {
      const at = offsets[level]! + i;
      if (values[at]! >= value) return;
      values[at] = value;
    }
  }

  private lower(index: number, before: number, value: number): void {
    const { values, offsets } = this;
    values[index] = value;
    for (let level = 1, i = index >> FAN_BITS; level < offsets.length; level++, i >>= FAN_BITS) {
      const at = offsets[level]! + i;
      if (values[at]! > before) return;
      const now = this.greatestBelow(level, i);
      if (now === before) return;
      values[at] = now;
    }
  }

  /** The first number of at least `least` below an entry that is as great. */
  private descend(level: number, index: number, least: number): number {
    const { values, offsets } = this;
    let i = index;
    for (let k = level - 1; k >= 0; k--) {
      i <<= FAN_BITS;
      const at = offsets[k]! + i;
      // 1 as long as every entry so far is too small.
      const a = (values[at]! - least) >>> 31;
      const b = a & ((values[at + 1]! - least) >>> 31);
      const c = b & ((values[at + 2]! - least) >>> 31);
      const d = c & ((values[at + 3]! - least) >>> 31);
      const e = d & ((values[at + 4]! - least) >>> 31);
      const f = e & ((values[at + 5]! - least) >>> 31);
      const g = f & ((values[at + 6]! - least) >>> 31);
      i += a + b + c + d + e + f + g;
    }
    return i;
  }
}

/** A level is whole groups; what is too much stays 0. */
function padded(count: number): number {
  return Math.ceil(count / FAN) * FAN;
}

/**
 * A set of small numbers that answers: which is the last member up to here? It is a bitmap; above
 * it stand bitmaps with a bit for every word below that is not empty, up to a single word.
 * Source: the priority queue of P. van Emde Boas with words of 32 bits in place of square roots.
 */

import { assert } from '@barreleye/core';

const WORD_BITS = 5;
const LAST = 2 ** WORD_BITS - 1;

export class BitSet {
  /** Level k begins at `offsets[k]`; level 0 has a bit for each number. */
  readonly words: Int32Array;
  readonly offsets: Int32Array;

  /** An empty set of numbers below `limit`. */
  constructor(limit: number) {
    assert(limit > 0, 'a set of no numbers');
    const offsets = [];
    let end = 0;
    let count = limit;
    do {
      count = Math.ceil(count / 2 ** WORD_BITS);
      offsets.push(end);
      end += count;
    } while (count > 1);
    this.words = new Int32Array(end);
    this.offsets = Int32Array.from(offsets);
  }

  has(member: number): boolean {
    return ((this.words[member >> WORD_BITS]! >>> (member & LAST)) & 1) === 1;
  }

  add(member: number): void {
    const before = this.words[member >> WORD_BITS]!;
    this.words[member >> WORD_BITS] = before | (1 << (member & LAST));
    if (before === 0) this.addAbove(member >> WORD_BITS);
  }

  delete(member: number): void {
    const now = this.words[member >> WORD_BITS]! & ~(1 << (member & LAST));
    this.words[member >> WORD_BITS] = now;
    if (now === 0) this.deleteAbove(member >> WORD_BITS);
  }

  /** The last member up to `limit`; there must be one. */
  lastUpTo(limit: number): number {
    const word = limit >> WORD_BITS;
    const bits = this.words[word]! & (-1 >>> (LAST - (limit & LAST)));
    return bits === 0 ? this.lastBefore(word) : lastOf(word, bits);
  }

  /** A word is not empty any more. */
  private addAbove(word: number): void {
    const { words, offsets } = this;
    for (let level = 1, i = word; level < offsets.length; level++, i >>= WORD_BITS) {
      const at = offsets[level]! + (i >> WORD_BITS);
      const before = words[at]!;
      words[at] = before | (1 << (i & LAST));
      if (before !== 0) return;
    }
  }

  /** A word has become empty. */
  private deleteAbove(word: number): void {
    const { words, offsets } = this;
    for (let level = 1, i = word; level < offsets.length; level++, i >>= WORD_BITS) {
      const at = offsets[level]! + (i >> WORD_BITS);
      const now = words[at]! & ~(1 << (i & LAST));
      words[at] = now;
      if (now !== 0) return;
    }
  }

  /** The last member in front of a word. */
  private lastBefore(word: number): number {
    const { words, offsets } = this;
    let level = 0;
    let i = word;
    let bits = 0;
    while (bits === 0) {
      level += 1;
      i -= 1;
      assert(i >= 0, 'no member up to here');
      bits = words[offsets[level]! + (i >> WORD_BITS)]! & (-1 >>> (LAST - (i & LAST)));
      i >>= WORD_BITS;
    }
    i = lastOf(i, bits);
    while (level > 0) {
      level -= 1;
      i = lastOf(i, words[offsets[level]! + i]!);
    }
    return i;
  }
}

/** The number of the last bit of a word. */
function lastOf(word: number, bits: number): number {
  return (word << WORD_BITS) + LAST - Math.clz32(bits);
}

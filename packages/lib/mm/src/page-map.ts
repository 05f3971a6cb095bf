/**
 * The runs of one region, page by page, in typed arrays; made for two questions: which is the first
 * free run of so many pages, and which run is a page in?
 *
 * A run is known by its first page: there the bitmap `starts` has a bit, and `lengths` the number
 * of its pages, negative if it is allocated. Its neighbours are the next and the previous bit.
 * Above the words of the bitmap stand levels of `best`, each entry for `FAN` of the level below: 0
 * if no run starts there, else 1 + the length of the longest free run that does. To search is to go
 * down beside entries that are large enough, or to go up and down again to the left.
 *
 * Pages are numbers from the base of the region. A map takes 4.3 bytes a page, all when it is made;
 * nothing here allocates after that. The first page always starts a run, and runs tile the region.
 * Source: the page allocator of the Go runtime has such summaries over a bitmap; boundary lookup is
 * D. Knuth's, "The Art of Computer Programming" 1, section 2.5.
 */

import { assert } from '@barreleye/core';

/** Pages of one word of the bitmap. */
const WORD_BITS = 5;
/** Entries below one entry of a level: a cache line. */
export const FAN_BITS = 4;
export const NONE = -1;
/** Pages that a map can have. */
export const MAX_PAGES = 2 ** 31 - 1;

export class PageMap {
  readonly pageCount: number;
  /** By page, where a run starts. */
  readonly lengths: Int32Array;
  /** One bit for each page. */
  readonly starts: Int32Array;
  /** All levels; level k begins at `offsets[k]`, the last has one entry. */
  readonly best: Int32Array;
  readonly offsets: Int32Array;

  /** A map of `pageCount` pages, all of them one free run. */
  constructor(pageCount: number) {
    assert(pageCount > 0, 'a map of no pages');
    assert(pageCount <= MAX_PAGES, 'a map of more pages than it can count');
    const wordCount = Math.ceil(pageCount / 2 ** WORD_BITS);
    const offsets = [0];
    let end = wordCount;
    for (let count = wordCount; count > 1; ) {
      count = Math.ceil(count / 2 ** FAN_BITS);
      offsets.push(end);
      end += count;
    }
    this.pageCount = pageCount;
    this.lengths = new Int32Array(pageCount);
    this.starts = new Int32Array(wordCount);
    // A search looks at whole groups, so the last one is padded.
    this.best = new Int32Array(end + 2 ** FAN_BITS);
    this.offsets = Int32Array.from(offsets);
    this.start(0, pageCount);
    this.update(0);
  }

  /** The run that contains `page`. */
  startOf(page: number): number {
    const word = page >> WORD_BITS;
    const upTo = this.starts[word]! & (-1 >>> (31 - (page & 31)));
    if (upTo !== 0) return (word << WORD_BITS) + 31 - Math.clz32(upTo);
    return this.lastStartBefore(word);
  }

  /** The first free run of at least `count` pages, or NONE. */
  firstFree(count: number): number {
    const top = this.offsets.length - 1;
    return this.best[this.offsets[top]!]! > count ? this.descend(top, 0, count) : NONE;
  }

  /** The first such run that starts behind `page`, or NONE. */
  nextFree(page: number, count: number): number {
    const { best, offsets } = this;
    let index = page >> WORD_BITS;
    const found = this.firstInWord(index, -2 << (page & 31), count);
    if (found !== NONE) return found;
    for (let level = 0; level + 1 < offsets.length; level++) {
      const offset = offsets[level]!;
      const end = Math.min(((index >> FAN_BITS) + 1) << FAN_BITS, offsets[level + 1]! - offset);
      for (let i = index + 1; i < end; i++) {
        if (best[offset + i]! > count) return this.descend(level, i, count);
      }
      index >>= FAN_BITS;
    }
    return NONE;
  }

  /**
   * Cut a run: `count` pages behind its first `pad` become an allocated run; what is left over in
   * front and behind is free or allocated as the sign of `sign` says.
   */
  divide(at: number, pad: number, count: number, sign: 1 | -1): void {
    const rest = Math.abs(this.lengths[at]!) - pad - count;
    const own = at + pad;
    const behind = own + count;
    if (pad > 0) this.start(at, sign * pad);
    this.start(own, -count);
    if (rest > 0) this.start(behind, sign * rest);
    this.update(at);
    if (own >> WORD_BITS !== at >> WORD_BITS) this.update(own);
    if (rest > 0 && behind >> WORD_BITS !== own >> WORD_BITS) this.update(behind);
  }

  /**
   * Make an allocated run free, one with its free neighbours.
   * @returns how many neighbours that were
   */
  release(at: number): number {
    const { lengths } = this;
    let first = at;
    let count = -lengths[at]!;
    let merged = 0;
    const right = at + count;
    if (right < this.pageCount && lengths[right]! > 0) {
      count += lengths[right]!;
      this.clear(right);
      merged += 1;
    }
    const left = at > 0 ? this.startOf(at - 1) : at;
    if (lengths[left]! > 0) {
      first = left;
      count += lengths[left]!;
      this.clear(at);
      merged += 1;
    }
    lengths[first] = count;
    this.update(first);
    if (at >> WORD_BITS !== first >> WORD_BITS) this.update(at);
    if (right >> WORD_BITS !== at >> WORD_BITS && right < this.pageCount) this.update(right);
    return merged;
  }

  /** What `best` should be for a word of the bitmap. */
  bestOfWord(word: number): number {
    const { lengths } = this;
    let most = 0;
    for (let bits = this.starts[word]!; bits !== 0; bits &= bits - 1) {
      const length = lengths[(word << WORD_BITS) + 31 - Math.clz32(bits & -bits)]!;
      if (length >= most) most = length + 1;
      else if (most === 0) most = 1;
    }
    return most;
  }

  /** What `best` should be for an entry of a level above the lowest. */
  bestOfGroup(level: number, index: number): number {
    const { best, offsets } = this;
    const first = offsets[level - 1]! + (index << FAN_BITS);
    const end = Math.min(first + 2 ** FAN_BITS, offsets[level]!);
    let most = 0;
    for (let i = first; i < end; i++) if (best[i]! > most) most = best[i]!;
    return most;
  }

  private start(page: number, length: number): void {
    this.lengths[page] = length;
    this.starts[page >> WORD_BITS]! |= 1 << (page & 31);
  }

  private clear(page: number): void {
    this.starts[page >> WORD_BITS]! &= ~(1 << (page & 31));
  }

  /** Runs that start in the word of `page` have changed: bring `best` up to date. */
  private update(page: number): void {
    const { best, offsets } = this;
    let index = page >> WORD_BITS;
    let now = this.bestOfWord(index);
    for (let level = 0; ; level++) {
      const at = offsets[level]! + index;
      const before = best[at]!;
      if (now === before) return;
      best[at] = now;
      if (level + 1 === offsets.length) return;
      index >>= FAN_BITS;
      const above = best[offsets[level + 1]! + index]!;
      if (now < above) {
        if (before < above) return;
        now = this.bestOfGroup(level + 1, index);
      }
    }
  }

  /** The first free run of `count` pages below an entry that has one. */
  private descend(level: number, index: number, count: number): number {
    const { best, offsets } = this;
    let i = index;
    for (let k = level - 1; k >= 0; k--) {
      i <<= FAN_BITS;
      const offset = offsets[k]!;
      while (best[offset + i]! <= count) i++;
    }
    return this.firstInWord(i, -1, count);
  }

  /** The first free run of `count` pages that starts at a bit of `mask` in a word, or NONE. */
  private firstInWord(word: number, mask: number, count: number): number {
    const { lengths } = this;
    for (let bits = this.starts[word]! & mask; bits !== 0; bits &= bits - 1) {
      const page = (word << WORD_BITS) + 31 - Math.clz32(bits & -bits);
      if (lengths[page]! >= count) return page;
    }
    return NONE;
  }

  /** The last run that starts in front of the pages of a word. */
  private lastStartBefore(word: number): number {
    const { best, offsets } = this;
    let index = word;
    let level = 0;
    // Up, until there is a start to the left in the same group; the first page is one.
    for (;;) {
      const first = (index >> FAN_BITS) << FAN_BITS;
      const offset = offsets[level]!;
      do index--;
      while (index >= first && best[offset + index] === 0);
      if (index >= first) break;
      index = first >> FAN_BITS;
      level += 1;
    }
    while (level > 0) {
      level -= 1;
      index = ((index + 1) << FAN_BITS) - 1;
      const offset = offsets[level]!;
      while (best[offset + index] === 0) index--;
    }
    return (index << WORD_BITS) + 31 - Math.clz32(this.starts[index]!);
  }
}

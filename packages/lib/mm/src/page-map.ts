/**
 * The runs of one region, page by page, in typed arrays; made for two questions: which is the first
 * place for so many pages, and which run is a page in?
 *
 * A run is known by its first page. There, `starts` has a member, and `lengths` the number of its
 * pages, negative if it is allocated; everywhere else `lengths` has 0. So the first free run of
 * enough pages is the first number of `lengths` that is large enough, its right neighbour begins
 * where it ends, and the run that a page is in begins at the last start up to there.
 *
 * Alignments have an index each, made when the alignment is first asked for (aligned-places.ts).
 *
 * Pages are numbers from the base of the region. A map takes 4.7 bytes a page, all when it is made,
 * and 4.6 over the pages of the alignment for each of these; nothing else here allocates. The first
 * page always starts a run, and runs tile the region.
 * Source: boundary lookup is D. Knuth's, "The Art of Computer Programming" 1, section 2.5.
 */

import { assert } from '@barreleye/core';
import { AlignedPlaces } from './aligned-places.ts';
import { BitSet } from './bit-set.ts';
import { MaxTree, NONE } from './max-tree.ts';

/** Pages that a map can have: twice as many are still a number of 32 bits. */
export const MAX_PAGES = 2 ** 30;

export class PageMap {
  readonly pageCount: number;
  readonly lengths: MaxTree;
  readonly starts: BitSet;
  /** Of every alignment that was asked for, in that order. */
  readonly alignments: AlignedPlaces[];
  private readonly firstPage: number;

  /**
   * A map of `pageCount` pages, all of them one free run.
   * @param firstPage number of the first page in all memory
   */
  constructor(pageCount: number, firstPage: number) {
    assert(pageCount > 0, 'a map of no pages');
    assert(pageCount <= MAX_PAGES, 'a map of more pages than it can count');
    this.pageCount = pageCount;
    this.lengths = new MaxTree(pageCount);
    this.starts = new BitSet(pageCount);
    this.alignments = [];
    this.firstPage = firstPage;
    this.starts.add(0);
    this.lengths.set(0, pageCount);
  }

  /** Pages of the run that starts at `page`, negative if it is allocated. */
  lengthOf(page: number): number {
    return this.lengths.values[page]!;
  }

  /** The run that contains `page`. */
  startOf(page: number): number {
    return this.starts.lastUpTo(page);
  }

  /** The allocated run that contains `count` pages at `page`, or NONE. */
  allocatedAt(page: number, count: number): number {
    const at = this.startOf(page);
    return page + count <= at - this.lengthOf(at) ? at : NONE;
  }

  /** The first free run of at least `count` pages, or NONE. */
  firstFree(count: number): number {
    return this.lengths.first(count);
  }

  /**
   * The first page in [`from`, `to`) where `count` pages are free, or NONE.
   * @param alignPages of what its number in all memory is a multiple, a power of two
   */
  firstPlace(count: number, alignPages: number, from: number, to: number): number {
    if (alignPages >= this.pageCount) return this.onlyPlace(count, alignPages, from, to);
    const places = alignPages > 1 ? this.placesAt(alignPages) : undefined;
    // A run that begins before `from` is known there by a page that may be too low.
    const first = places?.alignedFrom(from) ?? from;
    if (from > 0 && this.isFree(first, count)) return first + count <= to ? first : NONE;
    const found = (places ?? this.lengths).firstFrom(from, count);
    return found + count <= to ? found : NONE;
  }

  /** Allocate `count` pages at `page`, in the free run at `at`; what is left of that stays free. */
  take(at: number, page: number, count: number): void {
    if (this.alignments.length > 0) this.placesTaken(at, page, count);
    this.divide(at, page, count, 1);
  }

  /**
   * Make `count` pages at `page` free, which are in the allocated run at `at`, and one run with
   * their free neighbours.
   * @returns how many more runs there are now; may be negative
   */
  give(at: number, page: number, count: number): number {
    const isWhole = count === -this.lengthOf(at);
    const cut = isWhole ? 0 : this.divide(at, page, count, -1);
    return cut - this.release(page, count);
  }

  /** The places of an alignment, as the runs are now. */
  indexAlignment(alignPages: number): AlignedPlaces {
    const { pageCount } = this;
    const places = new AlignedPlaces(pageCount, alignPages, this.firstPage);
    for (let page = 0; page < pageCount; page += Math.abs(this.lengthOf(page))) {
      if (this.lengthOf(page) > 0) places.add(page, this.lengthOf(page));
    }
    return places;
  }

  private placesAt(alignPages: number): AlignedPlaces {
    for (const places of this.alignments) if (places.alignPages === alignPages) return places;
    const places = this.indexAlignment(alignPages);
    this.alignments.push(places);
    return places;
  }

  /** `firstPlace` where the region has at most one aligned page. */
  private onlyPlace(count: number, alignPages: number, from: number, to: number): number {
    const past = this.firstPage % alignPages;
    const only = past === 0 ? 0 : alignPages - past;
    const isIn = only >= from && only + count <= Math.min(to, this.pageCount);
    return isIn && this.isFree(only, count) ? only : NONE;
  }

  private isFree(page: number, count: number): boolean {
    if (page >= this.pageCount) return false;
    const at = this.startOf(page);
    return page + count <= at + this.lengthOf(at);
  }

  /**
   * Make `count` pages at `page` an allocated run; what is left of the run at `at` in front and
   * behind is free or allocated as the sign of `sign` says.
   * @returns how many more runs there are now
   */
  private divide(at: number, page: number, count: number, sign: 1 | -1): number {
    const { lengths, starts } = this;
    const behind = page + count;
    const rest = at + Math.abs(this.lengthOf(at)) - behind;
    let runs = 0;
    // What becomes greater comes first: then what becomes smaller may not have to go up as far.
    if (rest > 0) {
      starts.add(behind);
      lengths.set(behind, sign * rest);
      runs += 1;
    }
    if (page > at) {
      starts.add(page);
      lengths.set(at, sign * (page - at));
      runs += 1;
    }
    lengths.set(page, -count);
    return runs;
  }

  /** Make an allocated run free, and one with its free neighbours. Returns how many that were. */
  private release(page: number, count: number): number {
    const { lengths, starts } = this;
    const right = page + count;
    const left = page > 0 ? this.startOf(page - 1) : page;
    const rightCount = right < this.pageCount ? Math.max(0, this.lengthOf(right)) : 0;
    const leftCount = Math.max(0, this.lengthOf(left));
    const first = page - leftCount;
    const freed = leftCount + count + rightCount;
    if (this.alignments.length > 0) this.placesFreed(first, leftCount, count, rightCount);
    lengths.set(first, freed);
    if (leftCount > 0) {
      starts.delete(page);
      lengths.set(page, 0);
    }
    if (rightCount > 0) {
      starts.delete(right);
      lengths.set(right, 0);
    }
    return (leftCount > 0 ? 1 : 0) + (rightCount > 0 ? 1 : 0);
  }

  private placesTaken(at: number, page: number, count: number): void {
    const length = this.lengthOf(at);
    const behind = page + count;
    for (const places of this.alignments) {
      places.remove(at, length);
      places.add(at, page - at);
      places.add(behind, at + length - behind);
    }
  }

  private placesFreed(first: number, left: number, count: number, right: number): void {
    for (const places of this.alignments) {
      places.remove(first, left);
      places.remove(first + left + count, right);
      places.add(first, left + count + right);
    }
  }
}

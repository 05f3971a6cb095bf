/**
 * For one alignment, what each aligned page of a region could begin: at the first aligned page of a
 * free run stands how many pages of the run lie there and behind, everywhere else 0. So an aligned
 * request is a search for the first that is large enough, like any other.
 *
 * Places are numbered from 0; place `i` is page `(i << shift) - skew` of the region, where `skew`
 * is how far the region begins behind an aligned page.
 */

import { MaxTree, NONE } from './max-tree.ts';

export class AlignedPlaces {
  readonly alignPages: number;
  readonly tree: MaxTree;
  private readonly shift: number;
  private readonly skew: number;

  /**
   * @param alignPages a power of two, less than `pageCount`
   * @param firstPage number of the first page of the region in all memory
   */
  constructor(pageCount: number, alignPages: number, firstPage: number) {
    this.alignPages = alignPages;
    this.shift = Math.log2(alignPages);
    this.skew = firstPage % alignPages;
    this.tree = new MaxTree(this.placeFrom(pageCount));
  }

  /** There is a free run. */
  add(page: number, pageCount: number): void {
    this.set(page, pageCount, true);
  }

  /** There was one. */
  remove(page: number, pageCount: number): void {
    this.set(page, pageCount, false);
  }

  /** The first aligned page at `page` or behind; it may be behind the region. */
  alignedFrom(page: number): number {
    return this.pageOf(this.placeFrom(page));
  }

  /** The first aligned page of a run, at `page` or behind, with `count` pages left in the run. */
  firstFrom(page: number, count: number): number {
    const place = this.tree.firstFrom(this.placeFrom(page), count);
    return place === NONE ? NONE : this.pageOf(place);
  }

  private set(page: number, pageCount: number, isFree: boolean): void {
    const place = this.placeFrom(page);
    const rest = page + pageCount - this.pageOf(place);
    if (rest > 0) this.tree.set(place, isFree ? rest : 0);
  }

  private placeFrom(page: number): number {
    return ((page + this.skew - 1) >> this.shift) + 1;
  }

  private pageOf(place: number): number {
    return (place << this.shift) - this.skew;
  }
}

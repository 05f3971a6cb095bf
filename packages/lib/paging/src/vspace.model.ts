/**
 * What an address space should do, said with a row of pages: each is free, or shows a page of the
 * frame. Places are page numbers from the start of the space.
 */

export class PageModel {
  /** The page of the frame that each page shows. */
  readonly pages: (number | undefined)[];
  /** Page counts of the regions, by first page. */
  readonly regions: Map<number, number>;

  constructor(pageCount: number) {
    this.pages = Array(pageCount).fill(undefined);
    this.regions = new Map();
  }

  /** Whether `count` pages from `at` exist and are free. */
  isFree(at: number, count: number): boolean {
    if (at + count > this.pages.length) return false;
    return this.pages.slice(at, at + count).every((page) => page === undefined);
  }

  /** The lowest place for `count` pages with a free page or the end on both sides; -1: none. */
  firstFit(count: number): number {
    for (let at = 0; at + count <= this.pages.length; at++) {
      const isApart = this.pages[at - 1] === undefined && this.pages[at + count] === undefined;
      if (isApart && this.isFree(at, count)) return at;
    }
    return -1;
  }

  map(at: number, count: number): void {
    this.regions.set(at, count);
    for (let i = 0; i < count; i++) this.pages[at + i] = i;
  }

  /** Whether a region begins there. */
  unmap(at: number): boolean {
    const count = this.regions.get(at);
    this.pages.fill(undefined, at, at + (count ?? 0));
    return this.regions.delete(at);
  }
}

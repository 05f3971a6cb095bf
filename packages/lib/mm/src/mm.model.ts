/**
 * What a memory manager should do, said with a table of pages: each page knows its region and the
 * number of the allocation that holds it. Slow, obvious, and no code in common with the manager.
 */

import { Err, type ErrName } from '@barreleye/spec';

/** Outcome of an operation of the model: a page number, or the name of an error. */
export type Answer = number | ErrName;

interface Page {
  readonly region: number;
  /** Allocation that the page belongs to; 0 for none. */
  owner: number;
}

export interface Run {
  readonly first: number;
  readonly count: number;
  readonly region: number;
  readonly isFree: boolean;
}

export class PageTableModel {
  /** Index is the page number; undefined where there is no memory. */
  private readonly pages: (Page | undefined)[] = [];
  private regionCount = 0;
  private allocationCount = 0;
  private readonly nodeLimit: number;

  constructor(nodeLimit: number) {
    this.nodeLimit = nodeLimit;
  }

  addRegion(first: number, count: number): void {
    this.regionCount += 1;
    for (let i = first; i < first + count; i++) {
      this.pages[i] = { region: this.regionCount, owner: 0 };
    }
  }

  /** Allocate `count` pages at a multiple of `align` pages inside [`from`, `to`). */
  alloc(count: number, align: number, from: number, to: number): Answer {
    for (let first = 0; first + count <= this.pages.length; first++) {
      if (first % align !== 0 || first < from || first + count > to) continue;
      if (!this.isFreeRun(first, count)) continue;
      if (this.runCount() + this.cost(first, count) > this.nodeLimit) return 'MM_ERR_NEW_NODE';
      this.allocationCount += 1;
      this.setOwner(first, count, this.allocationCount);
      return first;
    }
    const isKnown = this.pages.some((page, i) => page !== undefined && i >= from && i < to);
    return isKnown ? 'MM_ERR_NOT_FOUND' : 'MM_ERR_OUT_OF_BOUNDS';
  }

  /** Free pages, which must all belong to one allocation. */
  free(first: number, count: number): Answer {
    const err = this.errorOfFree(first, count);
    if (err !== undefined) return err;
    this.setOwner(first, count, 0);
    return first;
  }

  errorOfFree(first: number, count: number): ErrName | undefined {
    const owner = this.pages[first]?.owner ?? 0;
    if (owner === 0) return 'MM_ERR_NOT_ALLOCATED';
    for (let i = first; i < first + count; i++) {
      if (this.pages[i]?.owner !== owner) return 'MM_ERR_NOT_ALLOCATED';
    }
    const isTooMany = this.runCount() + this.cost(first, count) > this.nodeLimit;
    return isTooMany ? 'MM_ERR_NEW_NODE' : undefined;
  }

  /** Longest runs of pages that are alike: what the nodes must be. */
  runs(): Run[] {
    const runs: Run[] = [];
    for (let i = 0; i < this.pages.length; i++) {
      const page = this.pages[i];
      if (page === undefined || this.isAlike(i - 1, i)) continue;
      let end = i + 1;
      while (this.isAlike(end - 1, end)) end += 1;
      runs.push({ first: i, count: end - i, region: page.region, isFree: page.owner === 0 });
    }
    return runs;
  }

  private runCount(): number {
    return this.runs().length;
  }

  /** How many more runs there are once these pages, all of one run, are cut out of it. */
  private cost(first: number, count: number): number {
    const isCutInFront = this.isAlike(first - 1, first) ? 1 : 0;
    const isCutBehind = this.isAlike(first + count - 1, first + count) ? 1 : 0;
    return isCutInFront + isCutBehind;
  }

  private isAlike(a: number, b: number): boolean {
    const [one, other] = [this.pages[a], this.pages[b]];
    if (one === undefined || other === undefined) return false;
    return one.region === other.region && one.owner === other.owner;
  }

  private isFreeRun(first: number, count: number): boolean {
    const region = this.pages[first]?.region;
    for (let i = first; i < first + count; i++) {
      const page = this.pages[i];
      if (page === undefined || page.owner !== 0 || page.region !== region) return false;
    }
    return true;
  }

  private setOwner(first: number, count: number, owner: number): void {
    for (let i = first; i < first + count; i++) {
      const page = this.pages[i];
      if (page !== undefined) page.owner = owner;
    }
  }
}

/** Number of the error called `answer`, or OK. */
export function errorOfAnswer(answer: Answer): number {
  return typeof answer === 'number' ? 0 : Err[answer];
}

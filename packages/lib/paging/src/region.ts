/** Ranges of virtual addresses and what stands behind them. */

import { BASE_PAGE_SIZE } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import type { Mapping } from './mapping.ts';

/** What stands behind a region. */
export type RegionKind =
  | 'frame' // part of a frame, mapped when the region is made
  | 'lazy' //  pages of zeros, each backed when it is touched
  | 'guard'; // nothing: every access is a fault

/** A range of virtual addresses that is in use. */
export interface Region {
  readonly base: number;
  readonly bytes: number;
  readonly kind: RegionKind;
  /** `PageFlag` bits: of a lazy region those of pages that are yet to be backed. */
  readonly flags: number;
  /** So many bytes at its start are never backed: what runs over the end of a stack hits them. */
  readonly guardBytes: number;
  /** For people. */
  readonly name: string;
}

/** A region as the address space keeps it. */
export interface OwnRegion extends Region {
  flags: number;
  /** In address order. */
  readonly mappings: Mapping[];
  /** Lazy regions: the frame of each page that is backed, by address. */
  readonly backing: Map<number, Capref<'Frame'>>;
}

/** Regions of [`from`, `to`) in address order, none of which overlaps another. */
export class RegionList {
  private readonly list: OwnRegion[];
  private readonly from: number;
  private readonly to: number;
  /** Below this address there is no room for a page and the free page that keeps it apart. */
  private firstGap: number;

  constructor(from: number, to: number) {
    this.list = [];
    this.from = from;
    this.to = to;
    this.firstGap = from;
  }

  /** All regions, in address order. */
  all(): readonly OwnRegion[] {
    return this.list;
  }

  /** The region that `va` lies in. */
  at(va: number): OwnRegion | undefined {
    const region = this.list[this.indexBehind(va) - 1];
    return region !== undefined && va < region.base + region.bytes ? region : undefined;
  }

  /** Whether a region lies in or reaches into [`base`, `base` + `bytes`). */
  touches(base: number, bytes: number): boolean {
    const last = this.list[this.indexBehind(base + bytes - 1) - 1];
    return last !== undefined && last.base + last.bytes > base;
  }

  /**
   * The lowest free place for `bytes` bytes, `offset` bytes behind a multiple of `alignBytes`, with
   * a free page on both sides; -1: none.
   */
  findGap(bytes: number, alignBytes: number, offset: number): number {
    const place = (at: number): number =>
      Math.ceil((at - offset) / alignBytes) * alignBytes + offset;
    let base = place(this.firstGap);
    for (let i = this.indexBehind(this.firstGap); i < this.list.length; i++) {
      const region = this.list[i] as OwnRegion;
      if (base + bytes + BASE_PAGE_SIZE <= region.base) return base;
      base = Math.max(base, place(behind(region)));
    }
    return base + bytes <= this.to ? base : -1;
  }

  add(region: OwnRegion): void {
    const i = this.indexBehind(region.base);
    this.list.splice(i, 0, region);
    for (let next = i; next < this.list.length; next++) {
      const { base } = this.list[next] as OwnRegion;
      if (base >= this.firstGap + 2 * BASE_PAGE_SIZE) return;
      this.firstGap = Math.max(this.firstGap, behind(this.list[next] as OwnRegion));
    }
  }

  remove(region: OwnRegion): void {
    const i = this.indexBehind(region.base) - 1;
    this.list.splice(i, 1);
    const before = this.list[i - 1];
    this.firstGap = Math.min(this.firstGap, before === undefined ? this.from : behind(before));
  }

  /** Index of the first region that begins behind `va`. */
  private indexBehind(va: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.list[middle]?.base ?? 0) <= va) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The lowest address that another region may begin at, behind this one and a free page. */
function behind({ base, bytes }: OwnRegion): number {
  return base + bytes + BASE_PAGE_SIZE;
}

/** Ranges of virtual addresses and what stands behind them. */

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

/** Regions in address order, none of which overlaps another. */
export class RegionList {
  private readonly list: OwnRegion[];

  constructor() {
    this.list = [];
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

  add(region: OwnRegion): void {
    this.list.splice(this.indexBehind(region.base), 0, region);
  }

  remove(region: OwnRegion): void {
    this.list.splice(this.indexBehind(region.base) - 1, 1);
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

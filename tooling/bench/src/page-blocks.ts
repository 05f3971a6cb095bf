/**
 * A crowd of blocks of 1 to 16 pages that are replaced one by one, in an order that chance decides:
 * what allocators of pages are measured with. `c/best-fit.c` does the same from the same seed.
 */
import { asPaddr, BASE_PAGE_SIZE, offset, Prng } from '@barreleye/core';
import { MmIndex, type MmRequest, NONE, PageMap } from '@barreleye/mm';

const SEED = 1;
/** Draws that are made beforehand, then used in turn; a power of two. */
const PICKS = 2 ** 20;
const MAX_PAGES = 16;

/** Something that keeps a block of so many pages in a numbered place. */
export interface BlockKeeper {
  alloc(place: number, pageCount: number): void;
  free(place: number): void;
}

export class PageBlocks {
  /** Blocks that are held at any time. */
  readonly count: number;
  private readonly picks: Uint32Array;
  private readonly pageCounts: Uint8Array;
  private cursor: number;

  constructor(count: number) {
    const prng = new Prng(SEED);
    this.count = count;
    this.picks = new Uint32Array(PICKS);
    this.pageCounts = new Uint8Array(PICKS);
    this.cursor = 0;
    for (let i = 0; i < PICKS; i++) {
      this.picks[i] = prng.below(count);
      this.pageCounts[i] = 1 + prng.below(MAX_PAGES);
    }
  }

  /** Fill every place, then replace as many blocks, so that memory is as cut up as it will be. */
  fill(keeper: BlockKeeper, replaced = this.count): void {
    for (let i = 0; i < this.count; i++) keeper.alloc(i, this.pageCounts[i % PICKS]!);
    this.replace(keeper, replaced);
  }

  /** Free and allocate `times` blocks. */
  replace(keeper: BlockKeeper, times: number): void {
    for (let i = 0; i < times; i++) {
      const place = this.picks[this.cursor]!;
      keeper.free(place);
      keeper.alloc(place, this.pageCounts[this.cursor]!);
      this.cursor = (this.cursor + 1) % PICKS;
    }
  }
}

/** One map of pages, which is as large and does as much as the allocators beside it. */
export class MapKeeper implements BlockKeeper {
  private readonly map: PageMap;
  private readonly pages: Int32Array;
  private readonly pageCounts: Uint8Array;

  constructor(count: number) {
    this.map = new PageMap(count * MAX_PAGES, 0);
    this.pages = new Int32Array(count);
    this.pageCounts = new Uint8Array(count);
  }

  alloc(place: number, pageCount: number): void {
    const page = this.map.firstFree(pageCount);
    if (page === NONE) throw new Error('the map is full');
    this.map.take(page, page, pageCount);
    this.pages[place] = page;
    this.pageCounts[place] = pageCount;
  }

  free(place: number): void {
    const page = this.pages[place]!;
    const pageCount = this.pageCounts[place]!;
    const at = this.map.allocatedAt(page, pageCount);
    if (at === NONE) throw new Error('the block is not allocated');
    this.map.give(at, page, pageCount);
  }
}

/** How an index is asked: where blocks may lie, and how they are freed. */
export type Manner = 'anywhere' | 'aligned' | 'in a range' | 'in parts';

/** The record of the memory manager, over one region that is twice as large as needed. */
export class IndexKeeper implements BlockKeeper {
  private readonly index: MmIndex<number>;
  private readonly request: { -readonly [K in keyof MmRequest]: MmRequest[K] };
  private readonly bases: Float64Array;
  private readonly bytes: Float64Array;
  private readonly manner: Manner;
  private readonly regionBytes: number;

  constructor(count: number, manner: Manner = 'anywhere') {
    this.regionBytes = count * MAX_PAGES * BASE_PAGE_SIZE;
    this.index = new MmIndex();
    this.index.add({ cap: 0, base: asPaddr(0), bytes: this.regionBytes });
    const alignBytes = (manner === 'aligned' ? 4 : 1) * BASE_PAGE_SIZE;
    this.request = { bytes: 0, alignBytes, from: 0, to: this.regionBytes };
    this.bases = new Float64Array(count);
    this.bytes = new Float64Array(count);
    this.manner = manner;
  }

  alloc(place: number, pageCount: number): void {
    const { request } = this;
    request.bytes = pageCount * BASE_PAGE_SIZE;
    // Upwards from the middle of the block's share: a place in memory of its own for each block.
    if (this.manner === 'in a range') {
      request.from = ((place + 0.5) / this.bases.length) * this.regionBytes * 0.9;
    }
    const taken = this.index.take(request);
    if (taken < 0) throw new Error('the region is full');
    this.bases[place] = taken;
    this.bytes[place] = request.bytes;
  }

  free(place: number): void {
    let base = asPaddr(this.bases[place]!);
    let bytes = this.bytes[place]!;
    if (this.manner === 'in parts' && bytes > BASE_PAGE_SIZE) {
      this.index.give(base, BASE_PAGE_SIZE);
      base = offset(base, BASE_PAGE_SIZE);
      bytes -= BASE_PAGE_SIZE;
    }
    this.index.give(base, bytes);
  }
}

/**
 * A heap: blocks of any size in lazy regions, so memory is taken page by page as it is touched.
 * Small blocks come from runs of equal blocks; large ones have a region of their own.
 * Every operation takes constant time but the making of a region.
 * @source J. Bonwick, "The Slab Allocator" (1994), without its caches of constructed objects
 */

import {
  BASE_PAGE_SIZE,
  type Errval,
  errPush,
  fail,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import { Err, PageFlag } from '@barreleye/spec';
import type { Vspace } from './vspace.ts';

/** Blocks are aligned to this many bytes, and none is smaller. */
const GRANULE_BITS = 4;
/** log2 of the largest block that shares a region. */
const LARGEST_SMALL_BITS = 15;
/** Bytes of a region for small blocks: the runs are carved out of it. */
const ARENA_BYTES = 2 ** 20;
/** A run is at least so many blocks. */
const RUN_BLOCKS = 8;
const FLAGS = PageFlag.Read | PageFlag.Write;

export class Heap {
  private readonly vspace: Vspace;
  /** Free blocks by log2 of their size. */
  private readonly freeLists: number[][];
  /** Blocks that are out, by address: log2 of the size of small ones, bytes of large ones. */
  private readonly small: Map<number, number>;
  private readonly large: Map<number, number>;
  /** What is left of the arena that runs are carved out of. */
  private arenaAt: number;
  private arenaEnd: number;
  private used: number;

  constructor(vspace: Vspace) {
    this.vspace = vspace;
    this.freeLists = Array.from({ length: LARGEST_SMALL_BITS + 1 }, () => []);
    this.small = new Map();
    this.large = new Map();
    this.arenaAt = 0;
    this.arenaEnd = 0;
    this.used = 0;
  }

  /** Bytes of the blocks that are out, as they were rounded up. */
  get usedBytes(): number {
    return this.used;
  }

  /** Blocks that are out. */
  get blockCount(): number {
    return this.small.size + this.large.size;
  }

  /**
   * A block of at least `bytes` bytes; its address is a multiple of 16.
   * @errors LIB_ERR_BAD_INPUT not a positive number; LIB_ERR_HEAP_FULL over the reason
   */
  alloc(bytes: number): Result<number> {
    if (!(bytes > 0)) return fail(Err.LIB_ERR_BAD_INPUT);
    const bits = Math.max(GRANULE_BITS, Math.ceil(Math.log2(bytes)));
    return bits <= LARGEST_SMALL_BITS ? this.allocSmall(bits) : this.allocLarge(bytes);
  }

  /**
   * Give a block back. The pages of a large one are free again; those of small ones stay with the
   * heap for the next blocks of their size.
   * @errors LIB_ERR_HEAP_FREE no block begins at `va`, or it was given back already
   */
  free(va: number): Errval {
    const bits = this.small.get(va);
    if (bits !== undefined) {
      this.small.delete(va);
      this.freeLists[bits]?.push(va);
      this.used -= 2 ** bits;
      return OK;
    }
    const bytes = this.large.get(va);
    if (bytes === undefined) return Err.LIB_ERR_HEAP_FREE;
    const err = this.vspace.unmap(va);
    if (err !== OK) return errPush(err, Err.LIB_ERR_HEAP_FREE);
    this.large.delete(va);
    this.used -= bytes;
    return OK;
  }

  private allocSmall(bits: number): Result<number> {
    const list = this.freeLists[bits];
    if (list === undefined) return fail(Err.LIB_ERR_BAD_INPUT);
    if (list.length === 0) {
      const err = this.addRun(bits, list);
      if (err !== OK) return fail(errPush(err, Err.LIB_ERR_HEAP_FULL));
    }
    const va = list.pop() as number;
    this.small.set(va, bits);
    this.used += 2 ** bits;
    return succeed(va);
  }

  private allocLarge(wanted: number): Result<number> {
    const bytes = Math.ceil(wanted / BASE_PAGE_SIZE) * BASE_PAGE_SIZE;
    const region = this.vspace.reserve({ bytes, flags: FLAGS, name: 'heap' });
    if (!region.ok) return fail(errPush(region.err, Err.LIB_ERR_HEAP_FULL));
    this.large.set(region.value.base, bytes);
    this.used += bytes;
    return succeed(region.value.base);
  }

  /** Carve a run of blocks of `2 ** bits` bytes out of the arena, and list them lowest first. */
  private addRun(bits: number, list: number[]): Errval {
    const runBytes = Math.max(BASE_PAGE_SIZE, RUN_BLOCKS * 2 ** bits);
    if (this.arenaAt + runBytes > this.arenaEnd) {
      const arena = this.vspace.reserve({ bytes: ARENA_BYTES, flags: FLAGS, name: 'heap' });
      if (!arena.ok) return arena.err;
      this.arenaAt = arena.value.base;
      this.arenaEnd = this.arenaAt + ARENA_BYTES;
    }
    const first = this.arenaAt;
    this.arenaAt += runBytes;
    for (let va = first + runBytes - 2 ** bits; va >= first; va -= 2 ** bits) list.push(va);
    return OK;
  }
}

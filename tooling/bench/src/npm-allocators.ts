/** Allocators of npm, each over a buffer of its own, in which a page is `UNIT` bytes. */
import { MemPool } from '@thi.ng/malloc';
import buddy from 'alloc';
import malloc from 'malloc';
import type { BlockKeeper } from './page-blocks.ts';

/** Large enough for the headers that two of them keep in their blocks. */
const UNIT = 32;
const UNITS_PER_BLOCK = 32;

/** npm `malloc`: a skip list by size. */
export function createMalloc(count: number): BlockKeeper {
  const heap = new malloc(Buffer.alloc(count * UNITS_PER_BLOCK * UNIT));
  const held = new Float64Array(count);
  return {
    alloc: (place, pageCount) => {
      held[place] = mustHave(heap.alloc(pageCount * UNIT));
    },
    free: (place) => void heap.free(held[place]!),
  };
}

/** npm `alloc`: a buddy allocator. */
export function createBuddy(count: number): BlockKeeper {
  const bytes = 2 ** Math.ceil(Math.log2(count * UNITS_PER_BLOCK * UNIT));
  const heap = new buddy.BuddyAllocator(Buffer.alloc(bytes), { minSize: UNIT });
  const held: (Buffer | null)[] = new Array(count).fill(null);
  return {
    alloc: (place, pageCount) => {
      held[place] = heap.alloc(pageCount * UNIT);
      mustHave(held[place] === null ? 0 : 1);
    },
    free: (place) => heap.free(held[place]!),
  };
}

/** npm `@thi.ng/malloc`: a list, first fit. */
export function createThing(count: number): BlockKeeper {
  const heap = new MemPool({ size: count * UNITS_PER_BLOCK * UNIT });
  const held = new Float64Array(count);
  return {
    alloc: (place, pageCount) => {
      held[place] = mustHave(heap.malloc(pageCount * UNIT));
    },
    free: (place) => void heap.free(held[place]!),
  };
}

function mustHave(address: number): number {
  if (address === 0) throw new Error('the buffer is full');
  return address;
}

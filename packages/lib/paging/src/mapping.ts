/**
 * A run of pages in one page table that one mapping capability stands for. Pages begin with the
 * same flags; once they differ each has its own.
 */

import { assert } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import type { MappableTypeName, MappingTypeName } from '@barreleye/spec';

export interface Mapping {
  readonly cap: Capref<MappingTypeName>;
  readonly va: number;
  /** Index into `Paging.levels` of the table. */
  readonly level: number;
  /** log2 of the bytes of one page. */
  readonly pageBits: number;
  /** Pages. */
  readonly count: number;
  /** What is shown, from `offset` bytes in it. */
  readonly frame: Capref<MappableTypeName>;
  readonly offset: number;
  /** `PageFlag` bits: of all pages, or of each one. */
  flags: number | Uint8Array;
}

/** Pages of a mapping that are shown with the same flags. */
export interface MappedRun {
  readonly va: number;
  readonly bytes: number;
  readonly frame: Capref<MappableTypeName>;
  /** Bytes from the start of the frame. */
  readonly offset: number;
  readonly flags: number;
  readonly pageBits: number;
}

/** Bytes of virtual memory that a mapping covers. */
export function bytesOf(mapping: Mapping): number {
  return mapping.count * 2 ** mapping.pageBits;
}

/** Flags of page `page` of a mapping. */
export function flagsAt({ flags }: Mapping, page: number): number {
  return typeof flags === 'number' ? flags : (flags[page] ?? 0);
}

/** Note that pages `first` to `first + count - 1` have other flags now. */
export function setFlags(mapping: Mapping, first: number, count: number, flags: number): void {
  assert(first >= 0 && first + count <= mapping.count, 'pages of the mapping');
  if (count === mapping.count) {
    mapping.flags = flags;
    return;
  }
  if (typeof mapping.flags === 'number') {
    mapping.flags = new Uint8Array(mapping.count).fill(mapping.flags);
  }
  mapping.flags.fill(flags, first, first + count);
}

/** The pages of a mapping by flags, in address order. */
export function* runsOf(mapping: Mapping): Generator<MappedRun, void, void> {
  const { va, pageBits, count, frame, offset } = mapping;
  for (let first = 0; first < count; ) {
    const flags = flagsAt(mapping, first);
    let end = first + 1;
    while (end < count && flagsAt(mapping, end) === flags) end += 1;
    const at = first * 2 ** pageBits;
    const bytes = (end - first) * 2 ** pageBits;
    yield { va: va + at, bytes, frame, offset: offset + at, flags, pageBits };
    first = end;
  }
}

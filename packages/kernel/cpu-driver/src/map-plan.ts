/**
 * A checked map operation: what decoding found out, for applying. One record in the kernel's
 * context is filled anew for every call, so that mapping allocates nothing.
 */

import { type MappingSpec, NO_SLOT, type Slot } from '@barreleye/caps';
import { asPaddr, type Paddr } from '@barreleye/core';
import type { Paging } from '@barreleye/spec';

/** What would be written, and where. */
export interface MapPlan extends MappingSpec {
  /** Object that is mapped, table it goes into, and the entries. */
  object: Slot;
  table: Slot;
  first: number;
  count: number;
  /** Empty slot for the mapping capability. */
  mapping: Slot;
  /** Format of the table, and its level in it. */
  format: Paging | undefined;
  level: number;
  /** Physical address of the first page or table, and the distance to the next. */
  base: Paddr;
  stride: number;
  isTable: boolean;
  /** `PageFlag` bits of pages. */
  flags: number;
}

/** An empty plan to fill. */
export function createMapPlan(): MapPlan {
  return {
    object: NO_SLOT,
    table: NO_SLOT,
    first: 0,
    count: 0,
    mapping: NO_SLOT,
    format: undefined,
    level: 0,
    base: asPaddr(0),
    stride: 0,
    isTable: false,
    flags: 0,
  };
}

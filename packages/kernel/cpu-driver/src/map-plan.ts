/**
 * A checked map operation: what decoding found out, for applying. One record in the kernel's
 * context is filled anew for every call, so that mapping allocates nothing.
 */

import { type MappingSpec, NO_SLOT, type Slot } from '@barreleye/caps';
import { asPaddr, type Paddr } from '@barreleye/core';
import type { Paging } from '@barreleye/spec';
import type { TableView } from './page-entries.ts';

/** What would be written, and where. */
export interface MapPlan extends MappingSpec, TableView {
  /** Object that is mapped, table it goes into, and the entries. */
  object: Slot;
  table: Slot;
  first: number;
  count: number;
  /** Empty slot for the mapping capability. */
  mapping: Slot;
  /** Format of the table, its level in it, and where it lies. */
  format: Paging;
  level: number;
  tableBase: Paddr;
  /** Physical address of the first page or table. */
  base: Paddr;
  isTable: boolean;
  /** `PageFlag` bits of pages. */
  flags: number;
}

/** An empty plan to fill. */
export function createMapPlan(format: Paging): MapPlan {
  return {
    object: NO_SLOT,
    table: NO_SLOT,
    first: 0,
    count: 0,
    mapping: NO_SLOT,
    format,
    level: 0,
    tableBase: asPaddr(0),
    base: asPaddr(0),
    isTable: false,
    flags: 0,
  };
}

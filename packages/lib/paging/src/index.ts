/** User-level virtual memory: an address space with regions, and the page tables below it. */

export { Heap } from './heap.ts';
export type { MappedRun } from './mapping.ts';
export { createMemorySource, type MemorySource } from './memory-source.ts';
export type { MapRequest } from './page-map.ts';
export type { Region, RegionKind } from './region.ts';
export type { TableShape, TableStep } from './table-tree.ts';
export {
  type FrameRequest,
  type PageView,
  type Piece,
  type ReserveRequest,
  Vspace,
  type VspaceOptions,
} from './vspace.ts';

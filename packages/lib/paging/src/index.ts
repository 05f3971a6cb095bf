/** User-level virtual memory: an address space with regions, and the page tables below it. */

export type { TableShape, TableSource } from './table-tree.ts';
export { type MapRequest, type Region, Vspace, type VspaceOptions } from './vspace.ts';

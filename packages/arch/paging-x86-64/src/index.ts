/** Entry of `@barreleye/paging-x86-64`: explicit named exports, grouped by file. */

export { EntryHigh, EntryLow } from './entry.ts';
export { pagingX86_64 } from './paging.ts';
export { type ControlRegs, createWalker, ErrorCode, FaultName } from './walker.ts';

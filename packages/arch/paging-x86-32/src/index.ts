/** Entry of `@barreleye/paging-x86-32`: explicit named exports, grouped by file. */

export { pagingX86_32, pagingX86_32Pae } from './paging.ts';
export { type ControlRegs, createWalker } from './walker.ts';

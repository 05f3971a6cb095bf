/** Entry of `@barreleye/paging-armv7`: explicit named exports, grouped by file. */

export {
  FirstKind,
  LargePageBits,
  type PageBits,
  SecondKind,
  SectionBits,
  SmallPageBits,
  TableBits,
} from './entry.ts';
export { pagingArmv7 } from './paging.ts';
export { type ControlRegs, createWalker, type FaultName, FaultStatus } from './walker.ts';

/** Entry of `@barreleye/mm`: explicit named exports, grouped by file. */

export { checkMm } from './check-mm.ts';
export { NONE } from './max-tree.ts';
export {
  createMm,
  Mm,
  type MmHost,
  type MmOptions,
  type MmPlace,
  type MmTaken,
  type RetypeRequest,
} from './mm.ts';
export { MmIndex } from './mm-index.ts';
export { MmList } from './mm-list.ts';
export {
  type MmBlock,
  type MmNode,
  type MmRegion,
  type MmRequest,
  type MmStore,
  NODES_PER_SPLIT,
} from './mm-store.ts';
export { PageMap } from './page-map.ts';

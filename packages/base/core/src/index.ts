/** What every other package stands on: brands, errors, addresses, memory, layouts, chance. */

export {
  alignDown,
  alignUp,
  asPaddr,
  asPtr,
  asVaddr,
  BASE_PAGE_BITS,
  BASE_PAGE_SIZE,
  type CapAddr,
  type CoreId,
  capAddr,
  claimVaddr,
  coreId,
  fromWords,
  highWord,
  isAligned,
  isCanonical,
  isInside,
  isPaddr,
  lowWord,
  MAX_CORE_ID,
  offset,
  PADDR_LIMIT,
  type Paddr,
  type Ptr,
  paddr,
  type UserVaddr,
  type Vaddr,
  vaddr,
} from './addr.ts';
export { assert, KernelPanic, never, panic } from './assert.ts';
export type { Brand } from './brand.ts';
export {
  asErrval,
  ERR_CODE_BITS,
  ERR_STACK_DEPTH,
  type Errval,
  errPop,
  errPush,
  errStack,
  errTop,
  errval,
  fail,
  isOk,
  OK,
  type Result,
  succeed,
} from './errval.ts';
export { formatBytes, hex } from './format.ts';
export {
  bits,
  type Field,
  type FieldSpec,
  type InnerField,
  i64,
  inner,
  type Layout,
  layout,
  type TextField,
  text,
  u8,
  u16,
  u32,
  u64,
  type WordsField,
  words,
} from './layout.ts';
export { PhysMem, type PhysRange } from './memory.ts';
export { Prng } from './prng.ts';
export { decodeUtf8, encodeUtf8, isContinuation } from './utf8.ts';

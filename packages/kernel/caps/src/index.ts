/** Entry of `@barreleye/caps`: explicit named exports, grouped by file. */

export { type CapHooks, Caps, NO_HOOKS } from './caps.ts';
export { checkCaps, MDB_INVARIANTS } from './check.ts';
export { checkFreeRam } from './check-free-ram.ts';
export { STEP_INVARIANTS, type Step, StepChecker, type StepKind } from './check-step.ts';
export { hasCopyOutside } from './copies.ts';
export { applyCopy, copy, copyToSlot, decodeCopy } from './copy.ts';
export { type CapSpec, createCap, createId, createMapping, type MappingSpec } from './create.ts';
export {
  locateEmptySlots,
  lookupCNode,
  lookupDestination,
  lookupSlot,
  lookupSource,
  slotAt,
  slotCount,
} from './cspace.ts';
export { moveToSlot } from './cte.ts';
export { applyDelete, decodeDelete, deleteCap } from './delete.ts';
export { describeCap, describeRights } from './describe.ts';
export {
  checkRetypeable,
  clearScratch,
  copyExisting,
  createDescribed,
  readDescription,
  scratchSlot,
} from './described.ts';
export { eachFreeRam, type RamRegion, reclaimRam } from './free-ram.ts';
export { checkAvailable, checkOwned, checkRights } from './guard.ts';
export {
  createIdentification,
  type Identification,
  identify,
  STATE_FOREIGN,
  stateOf,
} from './identify.ts';
export {
  invokeCopy,
  invokeCreate,
  invokeDelete,
  invokeGetState,
  invokeIdentify,
  invokeMint,
  invokeReclaimRam,
  invokeResize,
  invokeRetype,
  invokeRevoke,
} from './invoke.ts';
export { MAX_MAPPED_PAGES } from './key.ts';
export { kill } from './kill.ts';
export { firstMappingIn, nextMappingIn } from './mappings.ts';
export { createRangeAnswer, findRange, type RangeAnswer, RangeClass } from './mdb-range.ts';
export {
  deleteForeigns,
  deleteLast,
  localRelations,
  lock,
  nullify,
  setOwner,
  setRelations,
  unlock,
} from './monitor.ts';
export {
  type CopyPlan,
  type CopyRequest,
  createCopyPlan,
  createRetypePlan,
  type RetypePlan,
  type RetypeRequest,
} from './plans.ts';
export {
  findAncestor,
  findObject,
  hasCopies,
  hasDescendants,
  isCopy,
  isDescendant,
} from './relations.ts';
export { type ResizeRequest, resize } from './resize.ts';
export { applyRetype, decodeRetype, retype } from './retype.ts';
export { decodeRevoke, markRelations, markTarget, revoke, revokeStep } from './revoke.ts';
export {
  errorOf,
  failed,
  isEmpty,
  isError,
  NO_SLOT,
  type Slot,
  type SlotOrError,
  slotOf,
} from './slot.ts';
export {
  clearStep,
  deleteStep,
  deleteStepInto,
  isSweepPending,
  sweep,
  sweepStep,
} from './sweep.ts';
export { eachCap, eachKcbSlot, eachSlot } from './walk.ts';

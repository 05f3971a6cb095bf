/**
 * What a caller asks for, once its addresses are resolved to slots. `decodeX` checks a request and
 * completes its plan; `applyX` carries a plan out and cannot fail. Plans are plain records that a
 * caller may keep and fill again: an operation allocates nothing.
 */

import { asPaddr, type Paddr } from '@barreleye/core';
import type { ObjType } from '@barreleye/spec';
import { NO_SLOT, type Slot } from './slot.ts';

/** A copy, or with `isMint` a copy that is narrowed. */
export interface CopyRequest {
  source: Slot;
  /** The CNode capability of the destination, and the index of the slot in it. */
  cnode: Slot;
  slotIndex: number;
  isMint: boolean;
  /** Of a mint: rights to keep, if the source has them. */
  keptRights: number;
  /** Of a mint: meaning by type of `source`, see `decodeCopy`. */
  param1: number;
  param2: number;
}

/** A checked copy: the capability that `target` will hold. */
export interface CopyPlan extends CopyRequest {
  target: Slot;
  rights: number;
  iftype: number;
  arg0: number;
  arg1: number;
}

/** A retype, in whole objects. */
export interface RetypeRequest {
  source: Slot;
  /** Bytes from the base of the source. For an IRQSrc: the first number. */
  offset: number;
  type: ObjType;
  /** Size of one object; ignored (or checked) where the type fixes it. IRQSrc: the last number. */
  objectBytes: number;
  count: number;
  cnode: Slot;
  slotIndex: number;
  /** The monitor asks: it holds the lock of the object and has asked the other cores. */
  isFromMonitor: boolean;
}

/** A checked retype: `count` objects of `objectBytes` bytes, the first at `base`, in `target`. */
export interface RetypePlan extends RetypeRequest {
  target: Slot;
  base: Paddr;
}

/** An empty plan to fill. */
export function createCopyPlan(): CopyPlan {
  return {
    source: NO_SLOT,
    cnode: NO_SLOT,
    slotIndex: 0,
    isMint: false,
    keptRights: 0,
    param1: 0,
    param2: 0,
    target: NO_SLOT,
    rights: 0,
    iftype: 0,
    arg0: 0,
    arg1: 0,
  };
}

/** An empty plan to fill. */
export function createRetypePlan(): RetypePlan {
  return {
    source: NO_SLOT,
    offset: 0,
    type: 0,
    objectBytes: 0,
    count: 0,
    cnode: NO_SLOT,
    slotIndex: 0,
    isFromMonitor: false,
    target: NO_SLOT,
    base: asPaddr(0),
  };
}

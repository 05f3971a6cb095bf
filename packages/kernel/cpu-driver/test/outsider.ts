/**
 * A domain without authority: it holds its own dispatcher, frame, page tables and CNodes, and
 * nothing else. It makes system calls of random words. What it may not change is everything that
 * is not its own, byte by byte, but for what the kernel writes about itself.
 */

import { copyToSlot, eachCap, eachKcbSlot, eachSlot, slotAt } from '@barreleye/caps';
import { asPtr, Prng } from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  CNodeCmd,
  CTE_BYTES,
  Cte,
  capAddrOf,
  capTypeInfo,
  Dcb,
  invokeHeader,
  Kcb,
  L1_CNODE_GRANULE,
  ObjType,
  PAGE_FLAG_BITS,
  RootSlot,
  Syscall,
  TaskSlot,
  VNodeCmd,
} from '@barreleye/spec';

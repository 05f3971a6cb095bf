/**
 * Delete: whether a capability may go, and its end (kill.ts).
 * Source: Barrelfish kernel/cap_delete.c `caps_delete`; @differs the last copy of a CNode or a
 * dispatcher needs no monitor where no other core is concerned.
 */

import { assert, type Errval, errPush, OK } from '@barreleye/core';
import { CteFlag, Err } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { hasFlag, isDying } from './guard.ts';
import { kill, whyLastMustWait } from './kill.ts';
import { hasCopies } from './relations.ts';
import { isEmpty, type Slot } from './slot.ts';
import { sweep } from './sweep.ts';

/**
 * Whether the capability in `slot` may be deleted on this core alone.
 * @errors SYS_ERR_CAP_LOCKED it is being deleted; with SYS_ERR_RETRY_THROUGH_MONITOR on top: an
 *   operation between cores is under way; SYS_ERR_DELETE_LAST_OWNED, SYS_ERR_RETRY_THROUGH_MONITOR
 *   on top: it is the last copy here, and other cores have more
 */
export function decodeDelete(caps: Caps, slot: Slot): Errval {
  if (isEmpty(caps.mem, slot)) return Err.SYS_ERR_CAP_NOT_FOUND;
  if (isDying(caps, slot)) return Err.SYS_ERR_CAP_LOCKED;
  if (hasFlag(caps, slot, CteFlag.Locked)) return throughMonitor(Err.SYS_ERR_CAP_LOCKED);
  if (hasCopies(caps, slot)) return OK;
  const err = whyLastMustWait(caps, slot);
  return err === OK ? OK : throughMonitor(err);
}

/**
 * Delete the capability in `slot`, which passed `decodeDelete`. The last copy of an object that
 * takes others along is only marked: run `sweep` or its steps until `isSweepPending` says no.
 */
export function applyDelete(caps: Caps, slot: Slot): void {
  assert(!isEmpty(caps.mem, slot), 'there is something to delete');
  kill(caps, slot);
}

/** Decode, apply and sweep in one. @errors those of `decodeDelete` and `sweep` */
export function deleteCap(caps: Caps, slot: Slot): Errval {
  const err = decodeDelete(caps, slot);
  if (err !== OK) return err;
  applyDelete(caps, slot);
  return sweep(caps);
}

function throughMonitor(err: Errval): Errval {
  return errPush(err, Err.SYS_ERR_RETRY_THROUGH_MONITOR);
}

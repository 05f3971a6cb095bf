/**
 * Revoke: of an object and all that was ever made from it, one capability remains. The work is done
 * in bounded steps, and the only state is the database itself: as long as it shows a copy or a
 * descendant, there is a step to take. So a revoke can be interrupted anywhere and started again.
 * Source: Barrelfish kernel/cap_delete.c `caps_mark_revoke`; @differs no mark list (T1, I39).
 */

import { assert, type Errval, OK } from '@barreleye/core';
import { CteFlag, Err, Rights } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { findDescribed, scratchSlot } from './described.ts';
import { checkAvailable, checkRights, hasFlag, isDying, isForeign } from './guard.ts';
import { compareObject, createKey, isDescendantKey, readKey } from './key.ts';
import { kill } from './kill.ts';
import { firstFrom } from './mdb.ts';
import { firstDescendant, otherCopy } from './relations.ts';
import { isEmpty, NO_SLOT, type Slot } from './slot.ts';
import { sweep, sweepStep } from './sweep.ts';

const REMOTE_DEPENDENTS = CteFlag.RemoteCopies | CteFlag.RemoteDescendants;

/**
 * Whether the capability in `slot` may be revoked on this core alone.
 * @errors SYS_ERR_CAP_RIGHTS the revoke right is with somebody else (ADR 12); SYS_ERR_CAP_LOCKED;
 *   SYS_ERR_RETRY_THROUGH_MONITOR other cores may hold copies or descendants, or own the object
 */
export function decodeRevoke(caps: Caps, slot: Slot): Errval {
  if (isEmpty(caps.mem, slot)) return Err.SYS_ERR_CAP_NOT_FOUND;
  const allowed = checkRights(caps.mem, slot, Rights.Revoke);
  if (allowed !== OK) return allowed;
  const err = checkAvailable(caps, slot);
  if (err !== OK) return err;
  const isElsewhere = isForeign(caps, slot) || hasFlag(caps, slot, REMOTE_DEPENDENTS);
  return isElsewhere ? Err.SYS_ERR_RETRY_THROUGH_MONITOR : OK;
}

/**
 * Take one step towards the state in which only `slot` is left: end one copy or descendant, or
 * sweep a little of what earlier steps have marked.
 * @errors SYS_ERR_CAP_NOT_FOUND nothing is left to do; those of `deleteStep`
 */
export function revokeStep(caps: Caps, slot: Slot): Errval {
  assert(!isEmpty(caps.mem, slot), 'a revoke keeps its target');
  const err = sweepStep(caps);
  if (err === OK) return OK;
  const victim = nextVictim(caps, slot);
  if (victim === NO_SLOT) return Err.SYS_ERR_CAP_NOT_FOUND;
  if (isDying(caps, victim)) return err;
  kill(caps, victim);
  return OK;
}

/**
 * Decode, then steps until the revoke is complete.
 * @errors those of `decodeRevoke` and `deleteStep`; SYS_ERR_CAP_NOT_FOUND the target itself was in
 *   a CNode that has been revoked
 */
export function revoke(caps: Caps, slot: Slot): Errval {
  let err = decodeRevoke(caps, slot);
  if (err !== OK) return err;
  for (;;) {
    err = sweep(caps);
    if (isEmpty(caps.mem, slot) || isDying(caps, slot)) return Err.SYS_ERR_CAP_NOT_FOUND;
    const victim = nextVictim(caps, slot);
    if (victim === NO_SLOT) return OK;
    if (isDying(caps, victim)) return err;
    kill(caps, victim);
  }
}

/**
 * `KernelCmd.RevokeMarkTarget`: end all copies and descendants of an object that is owned here,
 * whatever other cores have; those that must wait for other cores are marked, and `slot` stays.
 * @errors SYS_ERR_CAP_LOCKED it is being deleted; SYS_ERR_RETRY_THROUGH_MONITOR another core owns
 *   it
 */
export function markTarget(caps: Caps, slot: Slot): Errval {
  if (isDying(caps, slot)) return Err.SYS_ERR_CAP_LOCKED;
  if (isForeign(caps, slot)) return Err.SYS_ERR_RETRY_THROUGH_MONITOR;
  markRelatives(caps, slot, slot);
  return OK;
}

/**
 * `KernelCmd.RevokeMarkRelations`: likewise for the described object of another core, of which no
 * copy stays.
 * @errors SYS_ERR_DELETE_REMOTE_LOCAL it is owned here
 */
export function markRelations(caps: Caps): Errval {
  const copy = findDescribed(caps);
  if (copy !== NO_SLOT && !isForeign(caps, copy)) return Err.SYS_ERR_DELETE_REMOTE_LOCAL;
  markRelatives(caps, scratchSlot(caps), NO_SLOT);
  return OK;
}

/** End every copy and descendant of the object in `slot` but `kept`, as far as it goes now. */
function markRelatives(caps: Caps, slot: Slot, kept: Slot): void {
  const { mem } = caps;
  const object = createKey();
  const place = createKey();
  readKey(mem, slot, object);
  const end = object.base + object.bytes;
  Object.assign(place, object);
  place.slot = 0;
  for (;;) {
    const next = firstFrom(caps, place);
    if (next === NO_SLOT) return;
    readKey(mem, next, place);
    if (place.root !== object.root || place.base >= end) return;
    const isRelative = isDescendantKey(place, object) || compareObject(mem, object, next) === 0;
    place.slot += 1;
    if (isRelative && next !== kept) kill(caps, next);
  }
}

/** Some copy of the target, or if there is none its first descendant. */
function nextVictim(caps: Caps, slot: Slot): Slot {
  const copy = otherCopy(caps, slot);
  return copy === NO_SLOT ? firstDescendant(caps, slot) : copy;
}

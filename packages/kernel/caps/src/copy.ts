/**
 * Copy and mint. A copy is one more capability of the same object; a mint is a copy that says less,
 * or, for endpoints and port ranges, that says which part of the object it is for.
 * Source: Barrelfish kernel/capabilities.c `caps_copy_to_cnode`, checks in its order.
 */

import { asPtr, assert, type Errval, OK } from '@barreleye/core';
import { Cte, capTypeInfo, Dcb, Err, highHalf, isEndpointBuffer, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { isCNode, locateEmptySlots } from './cspace.ts';
import { adoptRelations, enter, startCopy } from './cte.ts';
import { checkAvailable, isForeign } from './guard.ts';
import type { CopyPlan, CopyRequest } from './plans.ts';
import { errorOf, isEmpty, isError, type Slot, slotOf } from './slot.ts';

/**
 * Check the request in `plan` and complete it; nothing else changes (T18).
 *
 * A mint of any type keeps no more rights than it says. Its parameters: EndPointLMP: buffer offset
 * in the dispatcher frame in bytes; ring words | interface type << 16; both 0 to leave an endpoint
 * that has a buffer as it is. EndPointUMP: interface type, 0 to leave it; 0. IO: first and last
 * port. Any other type: 0; 0. @differs Barrelfish cannot take rights from endpoints and ports.
 * @errors SYS_ERR_DEST_TYPE_INVALID not a CNode, or the type may not stand there;
 *   SYS_ERR_CAP_NOT_FOUND no source; SYS_ERR_CAP_LOCKED the source is busy (T31);
 *   SYS_ERR_INVALID_SOURCE_TYPE there is only one capability of each object of the type; those of
 *   `locateEmptySlots`; SYS_ERR_INVALID_EPLEN no ring; SYS_ERR_EP_OUTSIDE_FRAME (T17);
 *   SYS_ERR_MINT_PARAMETERS they would widen the capability, or mean nothing for its type
 */
export function decodeCopy(caps: Caps, plan: CopyPlan): Errval {
  const { mem } = caps;
  const { source } = plan;
  if (!isCNode(mem, plan.cnode)) return Err.SYS_ERR_DEST_TYPE_INVALID;
  if (isEmpty(mem, source)) return Err.SYS_ERR_CAP_NOT_FOUND;
  const err = checkAvailable(caps, source);
  if (err !== OK) return err;
  const type = Cte.type.get(mem, source);
  if (capTypeInfo(type).single) return Err.SYS_ERR_INVALID_SOURCE_TYPE;
  const target = locateEmptySlots(caps, plan.cnode, plan.slotIndex, 1, type);
  if (isError(target)) return errorOf(target);

  plan.target = slotOf(target);
  plan.rights = Cte.rights.get(mem, source);
  plan.iftype = Cte.iftype.get(mem, source);
  plan.arg0 = Cte.arg0.get(mem, source);
  plan.arg1 = Cte.arg1.get(mem, source);
  return plan.isMint ? decodeMint(caps, plan, type) : OK;
}

/**
 * Carry out a copy that `decodeCopy` has accepted.
 * @post the new capability has the owner and the relations of the copies that there are (I29)
 */
export function applyCopy(caps: Caps, plan: CopyPlan): void {
  const { mem } = caps;
  const { target } = plan;
  assert((plan.rights & ~Cte.rights.get(mem, plan.source)) === 0, 'rights never grow (I6)');
  startCopy(caps, plan.source, target);
  Cte.rights.set(mem, target, plan.rights);
  Cte.iftype.set(mem, target, plan.iftype);
  Cte.arg0.set(mem, target, plan.arg0);
  Cte.arg1.set(mem, target, plan.arg1);
  enter(caps, target); // only now, for the arguments are part of the order (I27)
  if (plan.isMint) adoptRelations(caps, target);
}

/** Decode and apply in one. */
export function copy(caps: Caps, request: CopyRequest): Errval {
  const plan = caps.copyPlan;
  plan.source = request.source;
  plan.cnode = request.cnode;
  plan.slotIndex = request.slotIndex;
  plan.isMint = request.isMint;
  plan.keptRights = request.keptRights;
  plan.param1 = request.param1;
  plan.param2 = request.param2;
  const err = decodeCopy(caps, plan);
  if (err === OK) applyCopy(caps, plan);
  return err;
}

/**
 * Copy the capability in `source` to the empty slot `target`, which the caller has located: for
 * slots of kernel objects (a DCB, the KCB) and for capabilities that travel in messages. The source
 * has passed `checkAvailable`.
 */
export function copyToSlot(caps: Caps, source: Slot, target: Slot): void {
  assert(checkAvailable(caps, source) === OK, 'the source of a copy is available (I31)');
  startCopy(caps, source, target);
  enter(caps, target);
}

function decodeMint(caps: Caps, plan: CopyPlan, type: ObjType): Errval {
  plan.rights &= plan.keptRights;
  switch (type) {
    case ObjType.EndPointLMP:
      return decodeMintEndpoint(caps, plan);
    case ObjType.EndPointUMP:
      if (plan.param1 > 0xffff || plan.param2 !== 0) return Err.SYS_ERR_MINT_PARAMETERS;
      if (plan.param1 !== 0) plan.iftype = plan.param1;
      return OK;
    case ObjType.IO:
      return decodeMintPorts(plan);
    default:
      return plan.param1 === 0 && plan.param2 === 0 ? OK : Err.SYS_ERR_MINT_PARAMETERS;
  }
}

/** An endpoint gets its buffer once: who may send to it cannot aim it elsewhere. */
function decodeMintEndpoint(caps: Caps, plan: CopyPlan): Errval {
  const { mem } = caps;
  const offset = plan.param1;
  const ringWords = plan.param2 & 0xffff;
  const hasBuffer = plan.arg1 !== 0;
  if (hasBuffer && offset === 0 && plan.param2 === 0) return OK;
  if (ringWords === 0) return Err.SYS_ERR_INVALID_EPLEN;
  const isSame = plan.arg0 === offset && plan.arg1 === ringWords;
  if (hasBuffer && !isSame) return Err.SYS_ERR_MINT_PARAMETERS;

  if (isForeign(caps, plan.source)) return Err.SYS_ERR_RETRY_THROUGH_MONITOR;
  const frame = Dcb.frame.at(asPtr<'Dcb'>(Cte.base.get(mem, plan.source)));
  const fits = isEndpointBuffer(Cte.bytes.get(mem, frame), offset, ringWords);
  if (!fits) return Err.SYS_ERR_EP_OUTSIDE_FRAME;
  plan.arg0 = offset;
  plan.arg1 = ringWords;
  plan.iftype = highHalf(plan.param2);
  return OK;
}

function decodeMintPorts(plan: CopyPlan): Errval {
  const { param1: first, param2: last } = plan;
  const isNarrower = first <= last && first >= plan.arg0 && last <= plan.arg1;
  if (!isNarrower) return Err.SYS_ERR_MINT_PARAMETERS;
  plan.arg0 = first;
  plan.arg1 = last;
  return OK;
}

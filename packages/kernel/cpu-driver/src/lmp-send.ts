/**
 * Local message passing, the sending half: the invocation of an endpoint is a message to the
 * dispatcher that it stands for, up to `Arch.lmpWords` words and at most one capability.
 *
 * The capability goes straight from a slot of the sender to the slot that the receiver has armed in
 * its endpoint; it is never held in between. Everything is checked first; then capability, words,
 * deletion (GiveAway) and wake-up follow, none of which can fail (I62, T47).
 * Source: Barrelfish kernel/dispatch.c `lmp_deliver`, `lmp_transfer_cap`, checks in its order;
 * @differs the write right sends, the grant right lets a capability travel, a copy comes without
 * the revoke right (ADR 12), a message that is too long is refused rather than cut.
 */

import {
  checkAvailable,
  checkOwned,
  checkRights,
  copyToSlot,
  errorOf,
  isError,
  kill,
  locateEmptySlots,
  lookupSlot,
  NO_SLOT,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import { asPtr, type Errval, errPush, isOk, OK, type Ptr } from '@barreleye/core';
import {
  Cte,
  capTypeInfo,
  Dcb,
  Err,
  headerCommand,
  headerFlags,
  headerLength,
  isLmpTransient,
  LmpEndpoint,
  LmpFlag,
  LmpHeader,
  ObjType,
  Rights,
} from '@barreleye/spec';
import { loadArgs } from './args.ts';
import { currentDcb, dcbOf, frameOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { applyDelivery, decodeDelivery } from './lmp.ts';

/** A capability that may travel; one record in the kernel's context is filled anew. */
export interface Transfer {
  source: Slot;
  target: Slot;
}

const READ_WRITE = Rights.Read | Rights.Write;

/** An empty record to fill. */
export function createTransfer(): Transfer {
  return { source: NO_SLOT, target: NO_SLOT };
}

/**
 * Send a message through the endpoint in slot `ep`. The flags decide who runs next (`k.next`).
 * @errors SYS_ERR_CAP_RIGHTS no write right to the endpoint; those of `checkOwned`;
 *   SYS_ERR_INVARGS_SYSCALL more words than the architecture sends; those of `decodeDelivery` and,
 *   with a capability, of `decodeTransfer`
 */
export function sendMessage(k: Kernel, ep: Slot, header: number): Errval {
  const allowed = checkRights(k.mem, ep, Rights.Write);
  if (!isOk(allowed)) return allowed;
  const owned = checkOwned(k.caps, ep);
  if (!isOk(owned)) return owned;
  const wordCount = headerLength(header);
  if (wordCount > k.hal.arch.lmpWords) return Err.SYS_ERR_INVARGS_SYSCALL;
  loadArgs(k, 1 + wordCount);
  const receiver = dcbOf(k, ep);
  const flags = headerFlags(header);
  const hasCap = k.args[0] !== 0;
  const isGiven = (flags & LmpFlag.GiveAway) !== 0;
  let err = decodeDelivery(k, ep, wordCount);
  if (isOk(err) && hasCap) err = decodeTransfer(k, headerCommand(header), isGiven);
  if (isOk(err)) {
    if (hasCap) applyTransfer(k, isGiven);
    applyDelivery(k, k.args, 1, wordCount, hasCap ? LmpHeader.CapBit : 0);
    if (hasCap && isGiven) kill(k.caps, k.transfer.source);
    if ((flags & LmpFlag.Sync) !== 0) k.next = receiver;
  } else if ((flags & LmpFlag.Yield) !== 0 && isLmpTransient(err)) {
    k.next = receiver;
  }
  return err;
}

/** What is not given away is lent: to revoke it stays with whoever has lent it (ADR 12). */
function applyTransfer({ mem, caps, transfer }: Kernel, isGiven: boolean): void {
  const { source, target } = transfer;
  copyToSlot(caps, source, target);
  if (!isGiven) Cte.rights.set(mem, target, Cte.rights.get(mem, target) & Rights.Lent);
}

/**
 * Whether the capability that argument 0 names, at `level`, may go to the receive slot of the
 * delivery under way; fills in both slots.
 * @errors SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID; e, then SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP:
 *   those of `decodeSource`; SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED
 */
function decodeTransfer(k: Kernel, level: number, isGiven: boolean): Errval {
  const { mem, caps, transfer } = k;
  const { receiver, offset } = k.delivery;
  const buffer = asPtr<'LmpEndpoint'>(frameOf(k, receiver) + offset);
  const address = LmpEndpoint.recvSlot.get(mem, buffer);
  const cnode = receiveCNode(k, receiver, LmpEndpoint.recvCspace.get(mem, buffer), address);
  if (cnode === NO_SLOT) return Err.SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID;
  const err = decodeSource(k, level, isGiven);
  if (!isOk(err)) return errPush(err, Err.SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP);
  const type = Cte.type.get(mem, transfer.source);
  const occupied = Err.SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED;
  const found = locateEmptySlots(caps, cnode, address & 0xff, 1, type, occupied);
  if (isError(found)) {
    const isOccupied = errorOf(found) === occupied;
    return isOccupied ? occupied : Err.SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID;
  }
  transfer.target = slotOf(found);
  return OK;
}

/** The L2 CNode, in the receiver's own CSpace, of the slot that it has armed; else `NO_SLOT`. */
function receiveCNode(k: Kernel, receiver: Ptr<'Dcb'>, cspace: number, address: number): Slot {
  const { mem, caps } = k;
  if (cspace === 0 || address === 0) return NO_SLOT;
  const root = lookupSlot(caps, Dcb.cspace.at(receiver), cspace, 2, Rights.Read);
  if (isError(root) || Cte.type.get(mem, slotOf(root)) !== ObjType.L1CNode) return NO_SLOT;
  const found = lookupSlot(caps, slotOf(root), address, 1, READ_WRITE);
  if (isError(found) || Cte.type.get(mem, slotOf(found)) !== ObjType.L2CNode) return NO_SLOT;
  return slotOf(found);
}

/**
 * The capability that is sent. One that is given away is deleted: its CNode must be writable, and
 * it is not the sender's root (level 0), which is in no CNode.
 * @errors SYS_ERR_CAP_LOOKUP_DEPTH; those of `lookupSlot`, `checkRights` (the grant right) and
 *   `checkAvailable`; SYS_ERR_INVALID_SOURCE_TYPE there is only one capability of each object of
 *   the type
 */
function decodeSource(k: Kernel, level: number, isGiven: boolean): Errval {
  const { mem, caps, transfer } = k;
  const root = Dcb.cspace.at(currentDcb(k));
  if (isGiven && level === 0) return Err.SYS_ERR_CAP_LOOKUP_DEPTH;
  const path = isGiven ? READ_WRITE : Rights.Read;
  const found = lookupSlot(caps, root, k.args[0] ?? 0, level, path);
  if (isError(found)) return errorOf(found);
  transfer.source = slotOf(found);
  const granted = checkRights(mem, transfer.source, Rights.Grant);
  if (!isOk(granted)) return granted;
  const available = checkAvailable(caps, transfer.source);
  if (!isOk(available)) return available;
  const { single } = capTypeInfo(Cte.type.get(mem, transfer.source));
  return single ? Err.SYS_ERR_INVALID_SOURCE_TYPE : OK;
}

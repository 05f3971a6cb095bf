/**
 * `Syscall.Lrpc`: four words to an endpoint and the core with them, past all scheduling. The
 * receiver is entered at its LRPC entry and told which endpoint has the message.
 * Source: Barrelfish kernel/arch/x86_64/entry.S; @differs on every architecture, under the write
 * right, and the kernel stores the words, so that no message depends on the receiver's good will.
 */

import {
  checkOwned,
  checkRights,
  errorOf,
  isError,
  lookupSlot,
  type Slot,
  slotOf,
} from '@barreleye/caps';
import { type Errval, isOk, OK } from '@barreleye/core';
import { Cte, Dcb, Err, LRPC_WORDS, ObjType, Rights } from '@barreleye/spec';
import { argWord, loadWords } from './args.ts';
import { currentDcb, dcbOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { applyDelivery, decodeDelivery } from './lmp.ts';

/** Words before those of the message: number, endpoint. */
const WORDS_AT = 2;

/**
 * Send and switch.
 * @errors those of `lookupSlot`; SYS_ERR_LRPC_NOT_ENDPOINT; SYS_ERR_CAP_RIGHTS no write right;
 *   those of `checkOwned`; SYS_ERR_LMP_TARGET_DISABLED and, of those of `decodeDelivery`,
 *   SYS_ERR_LMP_BUF_OVERFLOW: with these two the receiver gets the core
 */
export function handleLrpc(k: Kernel): Errval {
  const { mem, caps } = k;
  const root = Dcb.cspace.at(currentDcb(k));
  const found = lookupSlot(caps, root, argWord(k, 1), 2, Rights.Read);
  if (isError(found)) return errorOf(found);
  const ep = slotOf(found);
  if (Cte.type.get(mem, ep) !== ObjType.EndPointLMP) return Err.SYS_ERR_LRPC_NOT_ENDPOINT;
  const allowed = checkRights(mem, ep, Rights.Write);
  if (!isOk(allowed)) return allowed;
  const owned = checkOwned(caps, ep);
  if (!isOk(owned)) return owned;
  const err = decodeLrpc(k, ep);
  const isFull = err === Err.SYS_ERR_LMP_BUF_OVERFLOW;
  if (isOk(err) || isFull || err === Err.SYS_ERR_LMP_TARGET_DISABLED) k.next = dcbOf(k, ep);
  if (!isOk(err)) return err;
  loadWords(k, WORDS_AT, LRPC_WORDS);
  applyDelivery(k, k.args, 0, LRPC_WORDS, 0);
  k.lrpcEndpoint = k.delivery.offset;
  return OK;
}

/** Disabled is who was when it last had the core; the caller itself is not asked. */
function decodeLrpc(k: Kernel, ep: Slot): Errval {
  const err = decodeDelivery(k, ep, LRPC_WORDS);
  const isThere = isOk(err) || err === Err.SYS_ERR_LMP_BUF_OVERFLOW;
  const receiver = dcbOf(k, ep);
  const isDisabled = receiver !== currentDcb(k) && Dcb.disabled.get(k.mem, receiver) === 1;
  return isThere && isDisabled ? Err.SYS_ERR_LMP_TARGET_DISABLED : err;
}

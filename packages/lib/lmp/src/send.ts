/** The invocation of an endpoint: one message, and what became of it. */

import { type Errval, errTop, isOk } from '@barreleye/core';
import { type Capref, capref, type Sys } from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { Err, invokeHeader, isLmpTransient, LmpFlag, Syscall } from '@barreleye/spec';

const NO_WORDS = new Uint32Array(0);

/** A slot that no capability space has: its root would need 2^24 slots. */
const NOWHERE = capref(0xff_ffff, 0xff);

/**
 * Send the first `wordCount` words of `words`, and a copy of `cap`, to `endpoint`.
 * @param isSync give the core to the receiver when the message is delivered: `SendResult.Left`
 * @param isGift not a copy: `cap` leaves its slot, with all its rights
 */
export function lmpSend(
  sys: Sys,
  endpoint: Capref<'EndPointLMP'>,
  words: Uint32Array,
  wordCount: number,
  cap: Capref | undefined,
  isSync: boolean,
  isGift = false,
): SendResult {
  const flags = (isSync ? LmpFlag.Sync : 0) | (isGift ? LmpFlag.GiveAway : 0);
  sys.beginCall(Syscall.Invoke);
  sys.arg(invokeHeader(cap?.level ?? 0, endpoint.level, flags, wordCount));
  sys.arg(endpoint.cptr);
  sys.arg(cap?.cptr ?? 0);
  for (let i = 0; i < wordCount; i++) sys.arg(words[i] ?? 0);
  const err = sys.call();
  // With Sync alone, only a message that was delivered gives the core away.
  if (!sys.cpu.isLive()) return SendResult.Left;
  return isOk(err) ? SendResult.Sent : resultOf(err);
}

/** Send a message without words, which is how a channel ends and a listener refuses. */
export function lmpSendEnd(sys: Sys, endpoint: Capref<'EndPointLMP'>): SendResult {
  return lmpSend(sys, endpoint, NO_WORDS, 0, undefined, false);
}

/**
 * Whether somebody could receive what is sent to `endpoint`: whether its domain is alive. It is
 * asked by a message that is never delivered, because the capability in it does not exist.
 */
export function hasReceiver(sys: Sys, endpoint: Capref<'EndPointLMP'>): boolean {
  return lmpSend(sys, endpoint, NO_WORDS, 0, NOWHERE, false) !== SendResult.Dead;
}

function resultOf(err: Errval): SendResult {
  if (isLmpTransient(err)) return SendResult.Busy;
  const isCapTrouble = errTop(err) === Err.SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP;
  return isCapTrouble ? SendResult.CapInvalid : SendResult.Dead;
}

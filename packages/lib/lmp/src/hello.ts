/** The message by which both sides of a connection give each other their endpoints. */

import { type Capref, capIdentify, holds, type Os, type OwnEndpoint } from '@barreleye/libos';
import type { SendResult } from '@barreleye/rpc';
import { lmpSend, lmpSendEnd } from './send.ts';

/** The one word of the message: "LMP1". */
const HELLO = Uint32Array.of(0x3150_4d4c);

/** Send the capability of `own` to `endpoint`. */
export function sendHello(os: Os, endpoint: Capref<'EndPointLMP'>, own: OwnEndpoint): SendResult {
  return lmpSend(os.sys, endpoint, HELLO, HELLO.length, own.cap, false);
}

/**
 * Take a message: the endpoint that came with it if it is a greeting. Anything else that came is
 * dropped; what is no endpoint is never invoked, because it would take the words for a command.
 */
export function tryReceiveHello(os: Os, own: OwnEndpoint): Capref<'EndPointLMP'> | undefined {
  const into = new Uint32Array(os.arch.lmpWords);
  const wordCount = own.buffer.tryReceiveInto(into);
  const slot = own.buffer.receivedSlot;
  if (wordCount < 0 || slot === undefined) return undefined;
  const isHello = wordCount === HELLO.length && into[0] === HELLO[0];
  if (isHello && isEndpointOfOthers(os, slot, own)) {
    return holds<'EndPointLMP'>(slot);
  }
  os.drop(slot);
  return undefined;
}

/** What is no endpoint is never invoked: it would take the words of a message for a command. */
export function isEndpoint(os: Os, cap: Capref): boolean {
  const identity = capIdentify(os.sys, cap);
  return identity.ok && identity.value.type === 'EndPointLMP';
}

/** Whether `cap` is an endpoint, and not `own`: who is introduced to itself would never be free. */
function isEndpointOfOthers(os: Os, cap: Capref, own: OwnEndpoint): boolean {
  const theirs = capIdentify(os.sys, cap);
  const ours = capIdentify(os.sys, own.cap);
  if (!theirs.ok || !ours.ok || theirs.value.type !== 'EndPointLMP') return false;
  return theirs.value.base !== ours.value.base || theirs.value.arg0 !== ours.value.arg0;
}

/** Say no, if it can be heard, and drop the capability. */
export function refuse(os: Os, remote: Capref<'EndPointLMP'>): void {
  lmpSendEnd(os.sys, remote);
  os.drop(remote);
}

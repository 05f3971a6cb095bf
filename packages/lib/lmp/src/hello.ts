/**
 * The messages that listeners get: the one by which both sides of a connection give each other
 * their endpoints, and the one by which a monitor announces a channel to another core.
 */

import {
  type Capref,
  capIdentify,
  holds,
  type Os,
  type OwnEndpoint,
  SendRetry,
  type Wait,
} from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { lmpSend, lmpSendEnd } from './send.ts';

/** The one word of the message: "LMP1". */
const HELLO = Uint32Array.of(0x3150_4d4c);

/** The first word of a message that announces a channel of another kind: "UMP1". */
const ANNOUNCE = 0x3150_4d55;

/** A channel that waits to be accepted in another way, by its number. */
export interface Announcement {
  readonly channel: number;
}

/**
 * Tell a listener of a channel that a domain of another core wants to have with it, as soon as it
 * has room, unless `isOver` before. @returns whether it has been told
 */
export function* announce(
  os: Os,
  listener: Capref<'EndPointLMP'>,
  channel: number,
  isOver: () => boolean,
): Wait<boolean> {
  const retry = new SendRetry(os.events, 'a listener');
  const words = Uint32Array.of(ANNOUNCE, channel);
  while (!isOver()) {
    const result = lmpSend(os.sys, listener, words, words.length, undefined, false);
    if (result !== SendResult.Busy) return result === SendResult.Sent;
    retry.refused();
    yield* retry.source.wait();
  }
  return false;
}

/** Send the capability of `own` to `endpoint`. */
export function sendHello(os: Os, endpoint: Capref<'EndPointLMP'>, own: OwnEndpoint): SendResult {
  return lmpSend(os.sys, endpoint, HELLO, HELLO.length, own.cap, false);
}

/**
 * Take a message: the endpoint that came with it if it is a greeting. Anything else that came is
 * dropped; what is no endpoint is never invoked, because it would take the words for a command.
 */
export function tryReceiveHello(os: Os, own: OwnEndpoint): Capref<'EndPointLMP'> | undefined {
  const received = tryReceiveGreeting(os, own);
  return received !== undefined && 'cptr' in received ? received : undefined;
}

/** The same where channels are announced, too. Whether there is one, who says so does not prove. */
export function tryReceiveGreeting(
  os: Os,
  own: OwnEndpoint,
): Capref<'EndPointLMP'> | Announcement | undefined {
  const into = new Uint32Array(os.arch.lmpWords);
  const wordCount = own.buffer.tryReceiveInto(into);
  const slot = own.buffer.receivedSlot;
  const [first = 0, channel = 0] = into;
  if (slot === undefined) {
    return wordCount === 2 && first === ANNOUNCE ? { channel } : undefined;
  }
  const isHello = wordCount === HELLO.length && first === HELLO[0];
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

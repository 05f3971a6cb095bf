/**
 * How two domains come to have a channel. One of them listens at an endpoint of which others have
 * been given a capability. To connect, a domain makes an endpoint and sends its capability there;
 * the listener makes one in turn and sends its capability to the first, or a message without words
 * if it does not want to.
 */

import {
  type Capref,
  capCopy,
  type Os,
  OsError,
  type OwnEndpoint,
  SendRetry,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { Parking, SendResult } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import { type ChannelOptions, LmpChannel } from './channel.ts';
import { isEndpoint, sendHello, tryReceiveHello } from './hello.ts';
import { createRing, endEndpoint } from './own-endpoint.ts';
import type { Peer } from './peer-watch.ts';
import { hasReceiver } from './send.ts';

/**
 * Connect to whoever listens at `listener`. Waits until it accepts, for as long as it lives: with
 * `options.watch` also the end of a listener that has been asked already ends the wait.
 * @errors LIB_ERR_LMP_CONNECT nobody listens there, or not any more, or it refuses; those of
 *   `Os.createEndpoint`
 */
export function* connect(
  os: Os,
  listener: Capref<'EndPointLMP'>,
  options: ChannelOptions = {},
): Wait<LmpChannel> {
  const own = createRing(os);
  const isAsked = isEndpoint(os, listener) && (yield* ask(os, listener, own));
  const remote = isAsked ? yield* awaitAnswer(os, listener, own, options) : undefined;
  if (remote !== undefined) return new LmpChannel(os, own, remote, options);
  endEndpoint(os, own);
  throw new OsError(Err.LIB_ERR_LMP_CONNECT);
}

/** Both ends of a channel within one domain: between threads, or for tests. */
export function channelPair(os: Os): [LmpChannel, LmpChannel] {
  const [one, other] = [createRing(os), createRing(os)];
  const toOne = unwrap(capCopy(os.sys, os.allocSlot(), one.cap));
  const toOther = unwrap(capCopy(os.sys, os.allocSlot(), other.cap));
  // To give the core to oneself would only cost an entry into the kernel.
  const options = { isSync: false };
  return [new LmpChannel(os, one, toOther, options), new LmpChannel(os, other, toOne, options)];
}

/** Send the capability of `own` to `listener` as soon as it has room; whether somebody has it. */
function* ask(os: Os, listener: Capref<'EndPointLMP'>, own: OwnEndpoint): Wait<boolean> {
  const retry = new SendRetry(os.events, 'a listener');
  for (;;) {
    const result = sendHello(os, listener, own);
    if (result !== SendResult.Busy) return result === SendResult.Sent;
    retry.refused();
    yield* retry.source.wait();
  }
}

/** Wait for the endpoint of the other side. Undefined: there is nobody, or it refuses. */
function* awaitAnswer(
  os: Os,
  listener: Capref<'EndPointLMP'>,
  own: OwnEndpoint,
  { watch }: ChannelOptions,
): Wait<Capref<'EndPointLMP'> | undefined> {
  const arrival = new Parking(os.scheduler, 'the answer of a listener');
  let isGone = false;
  const peer: Peer = {
    checkPeer() {
      if (hasReceiver(os.sys, listener)) return;
      isGone = true;
      arrival.ready();
    },
  };
  watch?.add(peer);
  try {
    while (!own.buffer.hasMessage()) {
      if (isGone) return undefined;
      arrival.park();
      own.buffer.received.whenReady(arrival);
      yield;
    }
    return tryReceiveHello(os, own);
  } finally {
    watch?.delete(peer);
  }
}

/**
 * How two domains come to have a channel. One of them listens at an endpoint of which others have
 * been given a capability. To connect, a domain makes an endpoint and sends its capability there;
 * the listener makes one in turn and sends its capability to the first.
 */

import {
  type Capref,
  capCopy,
  holds,
  type Os,
  OsError,
  type OwnEndpoint,
  SendRetry,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import { type ChannelOptions, LmpChannel } from './channel.ts';
import { armEndpoint, dropCap, endEndpoint } from './own-endpoint.ts';
import { lmpSend } from './send.ts';

/** The one word of both messages: "LMP1". */
export const HELLO = 0x3150_4d4c;

/** Messages of full length that the ring of a channel, or of a listener, has room for. */
const RING_MESSAGES = 8;

/**
 * Connect to whoever listens at `listener`. Waits until it accepts.
 * @errors LIB_ERR_LMP_CONNECT nobody listens there; those of `Os.createEndpoint`
 */
export function* connect(
  os: Os,
  listener: Capref<'EndPointLMP'>,
  options: ChannelOptions = {},
): Wait<LmpChannel> {
  const own = createRing(os);
  armEndpoint(os, own);
  if (!(yield* introduce(os, listener, own))) {
    endEndpoint(os, own);
    throw new OsError(Err.LIB_ERR_LMP_CONNECT);
  }
  return new LmpChannel(os, own, yield* receiveHello(os, own), options);
}

export class LmpListener {
  private readonly os: Os;
  private readonly own: OwnEndpoint;

  constructor(os: Os) {
    this.os = os;
    this.own = createRing(os);
    armEndpoint(os, this.own);
  }

  /** What those need who want to connect: a capability to be copied to them. */
  get cap(): Capref<'EndPointLMP'> {
    return this.own.cap;
  }

  /** Wait for a domain that connects. What is no attempt to connect is dropped. */
  *accept(options: ChannelOptions = {}): Wait<LmpChannel> {
    const { os } = this;
    for (;;) {
      const remote = yield* receiveHello(os, this.own);
      const own = createRing(os);
      armEndpoint(os, own);
      if (yield* introduce(os, remote, own)) return new LmpChannel(os, own, remote, options);
      dropCap(os, remote);
      endEndpoint(os, own);
    }
  }

  /** Nobody can connect any more; channels that exist go on. No thread is in `accept`. */
  close(): void {
    endEndpoint(this.os, this.own);
  }
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

export function createRing(os: Os): OwnEndpoint {
  return os.createEndpoint(RING_MESSAGES * (os.arch.lmpWords + 1) + 1);
}

/** Send the capability of `own` to `endpoint`; whether somebody has got it. */
function* introduce(os: Os, endpoint: Capref<'EndPointLMP'>, own: OwnEndpoint): Wait<boolean> {
  const words = Uint32Array.of(HELLO);
  const retry = new SendRetry(os.events, 'a listener');
  for (;;) {
    const result = lmpSend(os.sys, endpoint, words, words.length, own.cap, false);
    if (result === SendResult.Sent) return true;
    if (result !== SendResult.Busy) return false;
    retry.refused();
    yield* retry.source.wait();
  }
}

/** Wait for the capability of another's endpoint. */
function* receiveHello(os: Os, own: OwnEndpoint): Wait<Capref<'EndPointLMP'>> {
  const into = new Uint32Array(os.arch.lmpWords);
  for (;;) {
    const wordCount = yield* os.receiveInto(own.buffer, into);
    const slot = own.buffer.receivedSlot;
    armEndpoint(os, own);
    if (slot === undefined) continue;
    if (wordCount === 1 && into[0] === HELLO) return holds<'EndPointLMP'>(slot);
    dropCap(os, slot);
  }
}

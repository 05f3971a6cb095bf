/**
 * The side of a connection at which others knock. Whoever connects has room for the answer before
 * it asks, so a listener tries once to answer and waits for nobody: a client that will not be
 * answered holds up no other.
 */

import { type Capref, type Os, OsError, type OwnEndpoint, type Wait } from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { type ChannelOptions, LmpChannel } from './channel.ts';
import { refuse, sendHello, tryReceiveHello } from './hello.ts';
import { armEndpoint, createRing, endEndpoint } from './own-endpoint.ts';

export class LmpListener {
  private readonly os: Os;
  private readonly own: OwnEndpoint;

  constructor(os: Os) {
    this.os = os;
    this.own = createRing(os);
  }

  /** What those need who want to connect: a capability to be copied to them. */
  get cap(): Capref<'EndPointLMP'> {
    return this.own.cap;
  }

  /**
   * Wait for a domain that connects. What is no attempt to connect is dropped, and who cannot be
   * given an endpoint is refused.
   */
  *accept(options: ChannelOptions = {}): Wait<LmpChannel> {
    const { os, own } = this;
    for (;;) {
      yield* own.buffer.received.wait();
      const remote = this.takeHello();
      if (remote === undefined) continue;
      const channel = admit(os, remote, options);
      if (channel !== undefined) return channel;
      refuse(os, remote);
    }
  }

  /**
   * Nobody can connect any more, and who waits for an answer is refused; channels that exist go on.
   * No thread is in `accept`.
   */
  close(): void {
    const { os, own } = this;
    while (own.buffer.hasMessage()) {
      const remote = this.takeHello();
      if (remote !== undefined) refuse(os, remote);
    }
    endEndpoint(os, own);
  }

  /** Take a message: the endpoint of somebody who wants to connect, if that is what it is. */
  private takeHello(): Capref<'EndPointLMP'> | undefined {
    const { os, own } = this;
    const remote = tryReceiveHello(os, own);
    if (armEndpoint(os, own) || remote === undefined) return remote;
    refuse(os, remote); // this one's slot is the last: the next client needs it
    armEndpoint(os, own);
    return undefined;
  }
}

/** A channel to a client. Undefined: it does not take the answer, or nothing can be made for it. */
function admit(
  os: Os,
  remote: Capref<'EndPointLMP'>,
  options: ChannelOptions,
): LmpChannel | undefined {
  let own: OwnEndpoint;
  try {
    own = createRing(os);
  } catch (error) {
    if (error instanceof OsError) return undefined;
    throw error;
  }
  if (sendHello(os, remote, own) === SendResult.Sent) {
    return new LmpChannel(os, own, remote, options);
  }
  endEndpoint(os, own);
  return undefined;
}

/**
 * An endpoint at which one other domain is expected: it is given a capability when it is made, and
 * becomes the other end of a channel when it connects. Nobody else can.
 */

import type { Capref, Os, OwnEndpoint, Wait } from '@barreleye/libos';
import { Parking, SendResult } from '@barreleye/rpc';
import { type ChannelOptions, LmpChannel } from './channel.ts';
import { refuse, sendHello, tryReceiveHello } from './hello.ts';
import { armEndpoint, createRing, endEndpoint } from './own-endpoint.ts';

export class Invitation {
  private readonly os: Os;
  private readonly own: OwnEndpoint;
  private readonly arrival: Parking;
  private state: 'open' | 'accepted' | 'withdrawn';

  constructor(os: Os) {
    this.os = os;
    this.own = createRing(os);
    this.arrival = new Parking(os.scheduler, 'a domain to connect');
    this.state = 'open';
  }

  /** What the other domain needs to connect: a capability to be copied to it. */
  get cap(): Capref<'EndPointLMP'> {
    return this.own.cap;
  }

  /** Wait until it connects; undefined when the invitation is withdrawn. One thread, once. */
  *accept(options: ChannelOptions = {}): Wait<LmpChannel | undefined> {
    const { os, own, arrival } = this;
    while (this.state === 'open') {
      if (!own.buffer.hasMessage()) {
        arrival.park();
        own.buffer.received.whenReady(arrival);
        yield;
        continue;
      }
      const remote = this.takeHello();
      if (remote === undefined) continue;
      // Who waits for the answer has room for it.
      if (sendHello(os, remote, own) === SendResult.Sent) {
        this.state = 'accepted';
        return new LmpChannel(os, own, remote, options);
      }
      os.drop(remote);
    }
    return undefined;
  }

  /** The other domain is no more, or is not wanted any more: it is refused if it waits. */
  withdraw(): void {
    if (this.state !== 'open') return;
    const { os, own } = this;
    this.state = 'withdrawn';
    this.arrival.ready();
    while (own.buffer.hasMessage()) {
      const remote = this.takeHello();
      if (remote !== undefined) refuse(os, remote);
    }
    endEndpoint(os, own);
  }

  private takeHello(): Capref<'EndPointLMP'> | undefined {
    const remote = tryReceiveHello(this.os, this.own);
    armEndpoint(this.os, this.own);
    return remote;
  }
}

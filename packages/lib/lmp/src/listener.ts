/**
 * The side of a connection at which others knock. Whoever connects has room for the answer before
 * it asks, so a listener tries once to answer and waits for nobody: a client that will not be
 * answered holds up no other. And it may bound what one client takes, so that there is something
 * left for the next.
 */

import {
  type Capref,
  capIdentify,
  type Os,
  OsError,
  type OwnEndpoint,
  type Wait,
} from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { type ChannelOptions, LmpChannel } from './channel.ts';
import { type Announcement, refuse, sendHello, tryReceiveGreeting } from './hello.ts';
import { armEndpoint, createRing, endEndpoint } from './own-endpoint.ts';

/** What a listener may decide. */
export interface ListenerOptions {
  /** Channels that one dispatcher may have here at a time. Any number, if left out. */
  readonly maxPerPeer?: number;
}

export class LmpListener {
  private readonly os: Os;
  private readonly own: OwnEndpoint;
  private readonly maxPerPeer: number;
  /** Channels that are open, by the address of the dispatcher at the other end. */
  private readonly channels: Map<number, Set<LmpChannel>>;

  constructor(os: Os, { maxPerPeer = Number.POSITIVE_INFINITY }: ListenerOptions = {}) {
    this.os = os;
    this.own = createRing(os);
    this.maxPerPeer = maxPerPeer;
    this.channels = new Map();
  }

  /** What those need who want to connect: a capability to be copied to them. */
  get cap(): Capref<'EndPointLMP'> {
    return this.own.cap;
  }

  /**
   * Wait for a domain of this core that connects. What is no attempt to connect is dropped, and who
   * cannot be given an endpoint, or may have no more, is refused.
   */
  *accept(options: ChannelOptions = {}): Wait<LmpChannel> {
    for (;;) {
      const accepted = yield* this.acceptAny(options);
      if (accepted instanceof LmpChannel) return accepted;
    }
  }

  /** The same, or for a channel that is announced. */
  *acceptAny(options: ChannelOptions = {}): Wait<LmpChannel | Announcement> {
    const { os, own } = this;
    for (;;) {
      yield* own.buffer.received.wait();
      const remote = this.takeGreeting();
      if (remote === undefined) continue;
      if ('channel' in remote) return remote;
      const channel = this.admit(remote, options);
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
      const remote = this.takeGreeting();
      if (remote !== undefined && !('channel' in remote)) refuse(os, remote);
    }
    endEndpoint(os, own);
  }

  /** Take a message: the endpoint of somebody who wants to connect, if that is what it is. */
  private takeGreeting(): Capref<'EndPointLMP'> | Announcement | undefined {
    const { os, own } = this;
    const remote = tryReceiveGreeting(os, own);
    if (armEndpoint(os, own) || remote === undefined || 'channel' in remote) return remote;
    refuse(os, remote); // this one's slot is the last: the next client needs it
    armEndpoint(os, own);
    return undefined;
  }

  /** A channel to a client. Undefined: it may have no more, or takes or gets no answer. */
  private admit(remote: Capref<'EndPointLMP'>, options: ChannelOptions): LmpChannel | undefined {
    const peer = capIdentify(this.os.sys, remote);
    if (!peer.ok) return undefined;
    const channels = this.channels.get(peer.value.base) ?? new Set();
    if (!this.isRoomIn(channels)) return undefined;
    const own = answer(this.os, remote);
    if (own === undefined) return undefined;
    const onClose = (): void => {
      channels.delete(channel);
      if (channels.size === 0) this.channels.delete(peer.value.base);
      options.onClose?.();
    };
    const channel = new LmpChannel(this.os, own, remote, { ...options, onClose });
    this.channels.set(peer.value.base, channels.add(channel));
    return channel;
  }

  /** Whether there may be one more. Those of the dead do not count: others get their places. */
  private isRoomIn(channels: ReadonlySet<LmpChannel>): boolean {
    if (channels.size < this.maxPerPeer) return true;
    const alive = [...channels].filter((channel) => {
      channel.checkPeer();
      return channel.hasPeer;
    });
    return alive.length < this.maxPerPeer;
  }
}

/** Send an endpoint to a client. Undefined: it does not take it, or none can be made. */
function answer(os: Os, remote: Capref<'EndPointLMP'>): OwnEndpoint | undefined {
  let own: OwnEndpoint;
  try {
    own = createRing(os);
  } catch (error) {
    if (error instanceof OsError) return undefined;
    throw error;
  }
  if (sendHello(os, remote, own) === SendResult.Sent) return own;
  endEndpoint(os, own);
  return undefined;
}

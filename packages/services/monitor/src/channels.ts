/**
 * Channels between domains of different cores. A client asks for one by service reference. Its
 * monitor makes the frame, the monitor of the service announces the channel to the listener, and
 * the service accepts it with a call of its own.
 *
 *     client          its monitor            monitor there            service
 *     bindAcross  ->  frame, bind       ->   frame here, announce ->  (to its listener)
 *                                            bound           <-       acceptAcross
 *     frame, bell <-  open              <-                        ->  frame, bell
 */

import { type Capref, OsError, unwrap, type Wait } from '@barreleye/libos';
import { type ChannelInfo, MAX_LISTED_CHANNELS } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import { ChannelEnds } from './channel-ends.ts';
import { ClientEnds } from './client-ends.ts';
import { checkOpen, describeParcel, LOST, type ParcelWords } from './parcels.ts';
import type { Party } from './party.ts';
import { ServerEnds, type ServerHost } from './server-ends.ts';
import { tell } from './tell.ts';

export class Channels<P extends Party> {
  readonly clients: ClientEnds<P>;
  readonly servers: ServerEnds<P>;
  private readonly host: ServerHost<P>;
  private readonly ends: ChannelEnds<P>;

  constructor(host: ServerHost<P>) {
    this.host = host;
    this.ends = new ChannelEnds(host);
    this.clients = new ClientEnds(host, this.ends);
    this.servers = new ServerEnds(host, this.ends);
  }

  /** Channels of this core. */
  get count(): number {
    return this.ends.table.count;
  }

  /** What a listing shows that begins with number `from`. */
  list(from: number): ChannelInfo[] {
    const all = this.ends.table.all().filter(({ id }) => id >= from);
    return all.slice(0, MAX_LISTED_CHANNELS).map(({ info }) => info);
  }

  // What domains of this core ask, whichever side they are.

  /** A domain has closed its end. @errors MON_ERR_NO_CHANNEL */
  close(party: P, id: number): void {
    const channel = unwrap(this.ends.table.of(party, id));
    if (channel.isLocalEnded) throw new OsError(Err.MON_ERR_NO_CHANNEL);
    this.ends.closeLocal(channel);
  }

  /** Send a capability along with message `number`. @errors MON_ERR_NO_CHANNEL; MON_ERR_CAPS */
  sendCap(party: P, id: number, number: number, cap: Capref): void {
    const { os, monitorOf } = this.host;
    const channel = unwrap(this.ends.table.of(party, id));
    checkOpen(channel);
    const words = describeParcel(os, cap);
    const { core, peer = 0 } = channel;
    const parcel = words.ok ? words.value : LOST;
    tell(os, monitorOf, core, (monitor) => monitor.parcel({ channel: peer, number, ...parcel }));
    unwrap(words);
  }

  /** Wait for the capability of message `number`. @errors MON_ERR_NO_CHANNEL; MON_ERR_CAPS */
  takeCap(party: P, id: number, number: number): Wait<Capref> {
    return this.ends.parcels.take(unwrap(this.ends.table.of(party, id)), number);
  }

  /** A domain has ended: the other ends of its channels hear of it. */
  partyEnded(party: P): void {
    for (const channel of this.ends.table.all()) {
      if (channel.party === party && !channel.isLocalEnded) this.ends.closeLocal(channel);
    }
  }

  // What monitors of other cores say.

  /** A capability has come. */
  parcel(core: number, id: number, number: number, words: ParcelWords): void {
    const channel = this.ends.table.facing(core, id);
    if (channel !== undefined) this.ends.parcels.arrived(channel, number, words);
  }

  /** The other end of a channel is closed, and its frame gone there. */
  peerEnded(core: number, id: number): void {
    const channel = this.ends.table.facing(core, id);
    if (channel !== undefined && !channel.isPeerEnded) this.ends.closePeer(channel);
  }

  /**
   * Another core is no more: all ends that were there have closed. What memory was its own will be
   * somebody else's, so nobody here may keep any of it, not even to read what came last.
   */
  coreEnded(core: number): void {
    for (const channel of this.ends.table.all()) {
      if (channel.core !== core) continue;
      const isAsked = channel.state === 'waiting' && channel.side === 'client';
      if (isAsked) this.ends.refuse(channel, Err.MON_ERR_NO_CORE);
      else this.ends.closePeer(channel);
      if (channel.side === 'server' && !channel.isLocalEnded) this.ends.closeLocal(channel);
    }
  }
}

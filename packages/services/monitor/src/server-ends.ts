/** Services of this core, and their ends of channels with clients of other cores. */

import { type Capref, OsError, unwrap, type Wait } from '@barreleye/libos';
import { announce } from '@barreleye/lmp';
import { Err } from '@barreleye/spec';
import type { Channel } from './channel.ts';
import type { ChannelEnd, ChannelEnds, EndsHost } from './channel-ends.ts';
import type { Exports } from './exports.ts';
import type { Party } from './party.ts';
import { tell } from './tell.ts';

/** Channels that one service can have, and how many of them with one client. */
const MAX_CHANNELS_PER_SERVICE = 1024;
const MAX_CHANNELS_PER_PAIR = 16;

/** What `ServerEnds` needs. */
export interface ServerHost<P extends Party> extends EndsHost {
  readonly exports: Exports<P>;
}

/** A client of another core wants a channel: see `Intermon.bind`. */
export interface BindRequest {
  readonly iref: number;
  /** The client, and the number of the channel, on the other core. */
  readonly client: number;
  readonly channel: number;
  /** Of the frame. */
  readonly base: number;
  /** At which the client is notified. */
  readonly line: number;
}

export class ServerEnds<P extends Party> {
  private readonly host: ServerHost<P>;
  private readonly ends: ChannelEnds<P>;

  constructor(host: ServerHost<P>, ends: ChannelEnds<P>) {
    this.host = host;
    this.ends = ends;
  }

  /** A client of `core` wants a channel. @errors MON_ERR_NO_SERVICE; MON_ERR_TOO_MANY; no slot */
  announce(core: number, { iref, client, channel: peer, base, line }: BindRequest): void {
    const { os, exports } = this.host;
    const { table, frames } = this.ends;
    const { owner: party, endpoint } = unwrap(exports.find(iref));
    const isRoom =
      table.countOf(party, 'server') < MAX_CHANNELS_PER_SERVICE &&
      table.countOf(party, 'server', { core, client }) < MAX_CHANNELS_PER_PAIR;
    if (!isRoom) throw new OsError(Err.MON_ERR_TOO_MANY);
    const frame = unwrap(frames.describe(core, base));
    const whose = { side: 'server', core, party, client } as const;
    const channel = table.add({ ...whose, frame, held: undefined, peer, line });
    os.spawnThread(`announces a channel of core ${core}`, this.callOn(channel, endpoint));
  }

  /** Accept a channel that was announced. @errors those of `System.acceptAcross` */
  accept(party: P, id: number): ChannelEnd {
    const { os, bells, monitorOf } = this.host;
    const channel = unwrap(this.ends.table.of(party, id));
    const isAnnounced = channel.side === 'server' && channel.state === 'waiting';
    if (!isAnnounced || channel.isLocalEnded) throw new OsError(Err.MON_ERR_NO_CHANNEL);
    const line = unwrap(bells.find(party));
    const end = this.ends.give(channel);
    channel.state = 'open';
    const { core, peer = 0 } = channel;
    tell(os, monitorOf, core, (monitor) => monitor.bound({ channel: peer, peer: id, line }));
    return end;
  }

  /** Tell a listener of a channel, as soon as it has room for that. */
  private *callOn(channel: Channel<P>, endpoint: Capref<'EndPointLMP'>): Wait<void> {
    const isTold = yield* announce(this.host.os, endpoint, channel.id, () => channel.isLocalEnded);
    if (!isTold && !channel.isLocalEnded) this.ends.closeLocal(channel);
  }
}

/** Clients of this core, and their ends of channels to services of other cores. */

import { type Errval, fail, type Result, succeed } from '@barreleye/core';
import { capIdentify, OsError, unwrap, type Wait } from '@barreleye/libos';
import { CHANNEL_BYTES, irefCore } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import type { Channel } from './channel.ts';
import type { ChannelEnd, ChannelEnds, EndsHost } from './channel-ends.ts';
import type { Party } from './party.ts';
import { tell } from './tell.ts';

/** Channels that one client can have at a time, those included whose other end has closed. */
const MAX_CHANNELS_PER_CLIENT = 256;

export class ClientEnds<P extends Party> {
  private readonly host: EndsHost;
  private readonly ends: ChannelEnds<P>;

  constructor(host: EndsHost, ends: ChannelEnds<P>) {
    this.host = host;
    this.ends = ends;
  }

  /** Have a channel made to a service. @errors those of `System.bindAcross` */
  *bind(party: P, iref: number): Wait<ChannelEnd> {
    const { os, bells, monitorOf } = this.host;
    const { answers } = this.ends;
    const core = irefCore(iref);
    if (core === this.host.core) throw new OsError(Err.MON_ERR_SAME_CORE);
    const monitor = unwrap(monitorOf(core));
    const line = unwrap(bells.find(party));
    const channel = unwrap(this.create(party, core));
    try {
      const { base } = unwrap(capIdentify(os.sys, channel.frame));
      yield* monitor.bind({ iref, client: party.id, channel: channel.id, base, line });
    } catch (error) {
      this.ends.refuse(channel, Err.MON_ERR_NO_SERVICE);
      throw error;
    }
    yield* answers.until(() => channel.state !== 'waiting' || channel.isLocalEnded);
    if (channel.isLocalEnded) throw new OsError(Err.SPAWN_ERR_ENDED);
    if (channel.state === 'refused') throw new OsError(channel.err);
    return this.ends.give(channel);
  }

  /** A service of another core has accepted. */
  bound(core: number, id: number, peer: number, line: number): void {
    const { os, monitorOf } = this.host;
    const channel = this.ends.table.facing(core, id);
    if (channel === undefined || channel.state !== 'waiting') return;
    channel.peer = peer;
    channel.line = line;
    channel.state = 'open';
    // The client has ended while it waited.
    if (channel.isLocalEnded) {
      tell(os, monitorOf, core, (monitor) => monitor.ended({ channel: peer }));
    }
    this.ends.answers.ring();
  }

  /** A service of another core has not accepted. */
  refused(core: number, id: number, err: Errval): void {
    const channel = this.ends.table.facing(core, id);
    if (channel?.state === 'waiting') this.ends.refuse(channel, err);
  }

  private create(party: P, core: number): Result<Channel<P>> {
    const { table, frames } = this.ends;
    const isRoom = table.countOf(party, 'client') < MAX_CHANNELS_PER_CLIENT;
    if (!isRoom) return fail(Err.MON_ERR_TOO_MANY);
    const held = party.hold(CHANNEL_BYTES);
    if (!held.ok) return held;
    const frame = frames.create(held.value);
    if (!frame.ok) {
      held.value.release();
      return frame;
    }
    const whose = { side: 'client', core, party, client: party.id } as const;
    return succeed(table.add({ ...whose, frame: frame.value, held: held.value }));
  }
}

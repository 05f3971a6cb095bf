/** How ends of channels between cores are given out, and how they close: the same on both sides. */

import { type Errval, type Result, succeed } from '@barreleye/core';
import { type Capref, type Os, unwrap } from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import { Bell } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import { type Bells, createBell, ringOnce } from './bells.ts';
import type { Channel } from './channel.ts';
import { ChannelFrames } from './channel-frames.ts';
import { ChannelTable } from './channel-table.ts';
import type { MonitorOf } from './intermon.ts';
import { Parcels } from './parcels.ts';
import type { Party } from './party.ts';
import { tell } from './tell.ts';

/** What `ChannelEnds` needs. */
export interface EndsHost {
  readonly os: Os;
  readonly core: number;
  readonly vspace: Vspace;
  readonly bells: Bells;
  readonly monitorOf: MonitorOf;
}

/** What a domain is given of its end of a channel. */
export interface ChannelEnd {
  readonly channel: number;
  readonly frame: Capref<'Frame'>;
  readonly bell: Capref<'Notify_IPI'>;
}

export class ChannelEnds<P extends Party> {
  readonly table: ChannelTable<P>;
  readonly frames: ChannelFrames;
  readonly parcels: Parcels<P>;
  /** Rings when a service has accepted or refused, and when an end here has closed. */
  readonly answers: Bell;
  private readonly host: EndsHost;

  constructor(host: EndsHost) {
    this.host = host;
    this.table = new ChannelTable();
    this.frames = new ChannelFrames(host.os);
    this.parcels = new Parcels(host.os);
    this.answers = new Bell(host.os.scheduler, 'a service on another core');
  }

  /**
   * Capabilities for the domain whose end it is. Where there is no room for them, the end is
   * closed, and the other side hears of that. @errors no slot; those of the kernel
   */
  give(channel: Channel<P>): ChannelEnd {
    const end = this.lend(channel);
    if (!end.ok) this.closeLocal(channel);
    return unwrap(end);
  }

  /** The end here is closed, or its domain has died: nobody here has the frame any more. */
  closeLocal(channel: Channel<P>): void {
    const { os, monitorOf } = this.host;
    const { frame, core, peer } = channel;
    channel.isLocalEnded = true;
    this.parcels.ended(channel);
    if (channel.side === 'client') this.frames.withdraw(frame);
    else this.frames.forget(frame);
    const isRefused = channel.side === 'server' && channel.state === 'waiting';
    if (isRefused) channel.isPeerEnded = true;
    if (peer !== undefined && isRefused) {
      const refusal = { channel: peer, errval: Err.MON_ERR_NO_SERVICE };
      tell(os, monitorOf, core, (monitor) => monitor.refused(refusal));
    } else if (peer !== undefined) {
      tell(os, monitorOf, core, (monitor) => monitor.ended({ channel: peer }));
    }
    this.answers.ring();
    this.release(channel);
  }

  /** The other end is closed, and may not have been able to say so. */
  closePeer(channel: Channel<P>): void {
    const { os, vspace, bells, core } = this.host;
    channel.isPeerEnded = true;
    this.parcels.ended(channel);
    if (!channel.isLocalEnded) {
      // Where there is no memory to do so, the domain finds out when it calls next.
      vspace.write(channel.frame, [[channel.closedOffset, Uint32Array.of(1)]]);
      const line = bells.lineOf(channel.party);
      if (line !== undefined) ringOnce(os, core, line);
    }
    this.release(channel);
  }

  /** A channel of a client here never came to be. */
  refuse(channel: Channel<P>, err: Errval): void {
    channel.state = 'refused';
    channel.err = err;
    channel.isPeerEnded = true;
    if (!channel.isLocalEnded) {
      channel.isLocalEnded = true;
      this.frames.withdraw(channel.frame);
    }
    this.answers.ring();
    this.release(channel);
  }

  private lend(channel: Channel<P>): Result<ChannelEnd> {
    const { os } = this.host;
    // All bells of a line are copies of each other: nobody may revoke one.
    const bell = createBell(os, channel.core, channel.line);
    if (!bell.ok) return bell;
    const frame = this.frames.lend(channel.frame);
    if (frame.ok) return succeed({ channel: channel.id, frame: frame.value, bell: bell.value });
    os.drop(bell.value);
    return frame;
  }

  /** When both ends are closed, the memory comes back. */
  private release(channel: Channel<P>): void {
    if (!channel.isLocalEnded || !channel.isPeerEnded) return;
    if (!this.table.remove(channel) || channel.held === undefined) return;
    this.host.os.drop(channel.frame);
    channel.held.release();
  }
}

/**
 * A channel between domains of two cores, as the monitor of one of them has it. The frame belongs
 * to the monitor on the client's side, so that it outlives either domain: it comes back when both
 * ends are closed, or have died.
 */

import { type Errval, OK } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import { CHANNEL_SLOTS, type ChannelInfo } from '@barreleye/program';
import { umpClosedOffset } from '@barreleye/ump';
import type { Held, Party } from './party.ts';

/** What is known of a channel when it is asked for. */
export type ChannelFacts<P extends Party> = Pick<
  Channel<P>,
  'id' | 'side' | 'core' | 'party' | 'client' | 'frame' | 'held'
> &
  Partial<Pick<Channel<P>, 'peer' | 'line'>>;

export class Channel<P extends Party> {
  /** Its number on this core. */
  readonly id: number;
  readonly side: 'client' | 'server';
  /** The core of the other end, and the number there; undefined: not known yet. */
  readonly core: number;
  peer: number | undefined;
  /** Whose end it is, and the number of its client on that one's core. */
  readonly party: P;
  readonly client: number;
  /** Of it, `party` has been given a copy. */
  readonly frame: Capref<'Frame'>;
  /** What the frame is made of, on the client's side. */
  readonly held: Held | undefined;
  /** The line at which the other end is notified, 0 if that is not known yet. */
  line: number;
  /** `waiting` for the service to accept. */
  state: 'waiting' | 'open' | 'refused';
  /** Why it was refused. */
  err: Errval;
  /** Capabilities that have come for `party`, by number, until they are taken. */
  readonly parcels: Map<number, Capref | 'lost'>;
  isLocalEnded: boolean;
  isPeerEnded: boolean;

  constructor(facts: ChannelFacts<P>) {
    this.id = facts.id;
    this.side = facts.side;
    this.core = facts.core;
    this.peer = facts.peer;
    this.party = facts.party;
    this.client = facts.client;
    this.frame = facts.frame;
    this.held = facts.held;
    this.line = facts.line ?? 0;
    this.state = 'waiting';
    this.err = OK;
    this.parcels = new Map();
    this.isLocalEnded = false;
    this.isPeerEnded = false;
  }

  /** What a listing shows. */
  get info(): ChannelInfo {
    const { id, party, core, side } = this;
    return { channel: id, domain: party.id, peerCore: core, side, state: this.stage };
  }

  private get stage(): ChannelInfo['state'] {
    if (this.isLocalEnded) return 'closed';
    if (this.isPeerEnded) return 'left';
    return this.state === 'waiting' ? 'waiting' : 'open';
  }

  /** Where in the frame the other end says that it has closed. */
  get closedOffset(): number {
    return umpClosedOffset(CHANNEL_SLOTS, this.side === 'client' ? 'server' : 'client');
  }
}

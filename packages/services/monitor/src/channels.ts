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

import { type Errval, fail, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  capLend,
  capRetype,
  capRevoke,
  KernelCap,
  type Os,
  OsError,
  TASK_KERNEL,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { announce } from '@barreleye/lmp';
import type { Vspace } from '@barreleye/paging';
import { CHANNEL_BYTES, type ChannelInfo, irefCore, MAX_LISTED_CHANNELS } from '@barreleye/program';
import { Bell, type Client } from '@barreleye/rpc';
import { type CopyableTypeName, CteFlag, Err, Rights } from '@barreleye/spec';
import { type Bells, createBell, ringOnce } from './bells.ts';
import { Channel } from './channel.ts';
import type { Exports } from './exports.ts';
import type { IntermonMethods } from './intermon.ts';
import { checkOpen, describeParcel, LOST, Parcels, type ParcelWords } from './parcels.ts';
import type { Held, Party } from './party.ts';
import { tellLater } from './tell.ts';

/** Channels that one client can have at a time, those included whose other end has closed. */
const MAX_CHANNELS_PER_CLIENT = 256;
/** Channels that one service can have, and how many of them with one client. */
const MAX_CHANNELS_PER_SERVICE = 1024;
const MAX_CHANNELS_PER_PAIR = 16;

/** What an end of a channel is given. */
export interface ChannelEnd {
  readonly channel: number;
  readonly frame: Capref<'Frame'>;
  readonly bell: Capref<'Notify_IPI'>;
}

/** What `Channels` needs. */
export interface ChannelsHost<P extends Party> {
  readonly os: Os;
  readonly core: number;
  readonly vspace: Vspace;
  readonly exports: Exports<P>;
  readonly bells: Bells;
  /** The monitor of a core. @errors MON_ERR_NO_CORE */
  readonly monitorOf: (core: number) => Result<Client<IntermonMethods>>;
}

export class Channels<P extends Party> {
  private readonly host: ChannelsHost<P>;
  private readonly kernel: KernelCap;
  private readonly byId: Map<number, Channel<P>>;
  private readonly parcels: Parcels<P>;
  /** Rings when a service has accepted or refused. */
  private readonly answers: Bell;
  private lastId: number;

  constructor(host: ChannelsHost<P>) {
    this.host = host;
    this.kernel = new KernelCap(host.os.sys, TASK_KERNEL);
    this.byId = new Map();
    this.parcels = new Parcels(host.os);
    this.answers = new Bell(host.os.scheduler, 'a service on another core');
    this.lastId = 0;
  }

  /** Channels of this core. */
  get count(): number {
    return this.byId.size;
  }

  /** What a listing shows that begins with number `from`. */
  list(from: number): ChannelInfo[] {
    const all = [...this.byId.values()].filter(({ id }) => id >= from);
    return all.slice(0, MAX_LISTED_CHANNELS).map(({ info }) => info);
  }

  // What domains of this core ask.

  /** Have a channel made to a service. @errors those of `System.bindAcross` */
  *bind(party: P, iref: number): Wait<ChannelEnd> {
    const core = irefCore(iref);
    if (core === this.host.core) throw new OsError(Err.MON_ERR_SAME_CORE);
    const monitor = unwrap(this.host.monitorOf(core));
    const line = unwrap(this.lineOf(party));
    const channel = unwrap(this.create(party, core));
    try {
      const { base } = unwrap(capIdentify(this.host.os.sys, channel.frame));
      yield* monitor.bind({ iref, client: party.id, channel: channel.id, base, line });
    } catch (error) {
      this.refuse(channel.id, Err.MON_ERR_NO_SERVICE);
      throw error;
    }
    yield* this.answers.until(() => channel.state !== 'waiting' || channel.isLocalEnded);
    if (channel.isLocalEnded) throw new OsError(Err.SPAWN_ERR_ENDED);
    if (channel.state === 'refused') throw new OsError(channel.err);
    return this.giveEnd(channel);
  }

  /** Accept a channel that was announced. @errors those of `System.acceptAcross` */
  accept(party: P, id: number): ChannelEnd {
    const channel = this.byId.get(id);
    const isAnnounced = channel?.side === 'server' && channel.state === 'waiting';
    if (!isAnnounced || channel.party !== party || channel.isLocalEnded) {
      throw new OsError(Err.MON_ERR_NO_CHANNEL);
    }
    const line = unwrap(this.lineOf(party));
    const end = this.giveEnd(channel);
    channel.state = 'open';
    const { core, peer = 0 } = channel;
    this.tell(core, (monitor) => monitor.bound({ channel: peer, peer: id, line }));
    return end;
  }

  /** A domain has closed its end. @errors MON_ERR_NO_CHANNEL */
  close(party: P, id: number): void {
    const channel = this.byId.get(id);
    if (channel?.party !== party || channel.isLocalEnded) {
      throw new OsError(Err.MON_ERR_NO_CHANNEL);
    }
    this.endLocal(channel);
  }

  /** Send a capability along with message `number`. @errors MON_ERR_NO_CHANNEL; MON_ERR_CAPS */
  sendCap(party: P, id: number, number: number, cap: Capref): void {
    const channel = this.byId.get(id);
    if (channel?.party !== party) throw new OsError(Err.MON_ERR_NO_CHANNEL);
    checkOpen(channel);
    const words = describeParcel(this.host.os, cap);
    const { core, peer = 0 } = channel;
    const parcel = words.ok ? words.value : LOST;
    this.tell(core, (monitor) => monitor.parcel({ channel: peer, number, ...parcel }));
    unwrap(words);
  }

  /** Wait for the capability of message `number`. @errors MON_ERR_NO_CHANNEL; MON_ERR_CAPS */
  takeCap(party: P, id: number, number: number): Wait<Capref> {
    const channel = this.byId.get(id);
    if (channel?.party !== party) throw new OsError(Err.MON_ERR_NO_CHANNEL);
    return this.parcels.take(channel, number);
  }

  /** A domain has ended: the other ends of its channels hear of it. */
  partyEnded(party: P): void {
    for (const channel of [...this.byId.values()]) {
      if (channel.party === party && !channel.isLocalEnded) this.endLocal(channel);
    }
  }

  // What monitors of other cores ask.

  /** A client of another core wants a channel. @errors MON_ERR_NO_SERVICE; MON_ERR_TOO_MANY */
  announce(
    core: number,
    request: {
      readonly iref: number;
      readonly client: number;
      readonly channel: number;
      readonly base: number;
      readonly line: number;
    },
  ): void {
    const { iref, client, channel: peer, base, line } = request;
    const { os, exports } = this.host;
    const { owner: party, endpoint } = unwrap(exports.find(iref));
    const isRoom =
      this.countOf(party, 'server') < MAX_CHANNELS_PER_SERVICE &&
      this.countOf(party, 'server', { core, client }) < MAX_CHANNELS_PER_PAIR;
    if (!isRoom) throw new OsError(Err.MON_ERR_TOO_MANY);
    const frame = unwrap(this.describeFrame(core, base));
    const id = this.nextId();
    const whose = { id, side: 'server', core, party, client } as const;
    const channel = new Channel<P>({ ...whose, frame, held: undefined, peer, line });
    this.byId.set(id, channel);
    os.spawnThread(`announces a channel of core ${core}`, this.callOn(channel, endpoint));
  }

  /** A service has accepted. */
  bound(core: number, id: number, peer: number, line: number): void {
    const channel = this.find(core, id);
    if (channel === undefined || channel.state !== 'waiting') return;
    channel.peer = peer;
    channel.line = line;
    channel.state = 'open';
    // The client has ended while it waited.
    if (channel.isLocalEnded) this.tell(core, (monitor) => monitor.ended({ channel: peer }));
    this.answers.ring();
  }

  /** A service has not accepted. */
  refused(core: number, id: number, err: Errval): void {
    if (this.find(core, id)?.state === 'waiting') this.refuse(id, err);
  }

  /** A capability has come. */
  parcel(core: number, id: number, number: number, words: ParcelWords): void {
    const channel = this.find(core, id);
    if (channel !== undefined) this.parcels.arrived(channel, number, words);
  }

  /** The other end of a channel is closed, and its frame gone there. */
  peerEnded(core: number, id: number): void {
    const channel = this.find(core, id);
    if (channel !== undefined && !channel.isPeerEnded) this.endPeer(channel);
  }

  /**
   * Another core is no more: all ends that were there have closed. What memory was its own will be
   * somebody else's, so nobody here may keep any of it, not even to read what came last.
   */
  coreEnded(core: number): void {
    for (const channel of [...this.byId.values()]) {
      if (channel.core !== core) continue;
      const isAsked = channel.state === 'waiting' && channel.side === 'client';
      if (isAsked) this.refuse(channel.id, Err.MON_ERR_NO_CORE);
      else this.endPeer(channel);
      if (channel.side === 'server' && !channel.isLocalEnded) this.endLocal(channel);
    }
  }

  private find(core: number, id: number): Channel<P> | undefined {
    const channel = this.byId.get(id);
    return channel?.core === core ? channel : undefined;
  }

  /** Ends of `party`, those with one client of another core if that is given. */
  private countOf(
    party: P,
    side: 'client' | 'server',
    from?: { readonly core: number; readonly client: number },
  ): number {
    let count = 0;
    for (const channel of this.byId.values()) {
      const isMeant = channel.party === party && channel.side === side;
      const { core, client } = from ?? channel;
      if (isMeant && channel.core === core && channel.client === client) count += 1;
    }
    return count;
  }

  private nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  private lineOf(party: P): Result<number> {
    const line = this.host.bells.lineOf(party);
    return line === undefined ? fail(Err.MON_ERR_NO_BELL) : succeed(line);
  }

  /** The client's side of a channel. */
  private create(party: P, core: number): Result<Channel<P>> {
    const isRoom = this.countOf(party, 'client') < MAX_CHANNELS_PER_CLIENT;
    if (!isRoom) return fail(Err.MON_ERR_TOO_MANY);
    const held = party.hold(CHANNEL_BYTES);
    if (!held.ok) return held;
    const frame = this.frameOf(held.value);
    if (!frame.ok) {
      held.value.release();
      return frame;
    }
    const id = this.nextId();
    const whose = { id, side: 'client', core, party, client: party.id } as const;
    const channel = new Channel<P>({ ...whose, frame: frame.value, held: held.value });
    this.byId.set(id, channel);
    return succeed(channel);
  }

  private frameOf({ ram }: Held): Result<Capref<'Frame'>> {
    const { sys, slots } = this.host.os;
    const slot = slots.alloc();
    if (!slot.ok) return slot;
    const range = { offset: 0, objectBytes: CHANNEL_BYTES, count: 1 };
    const frame = capRetype(sys, slot.value, ram, 'Frame', range);
    if (frame.ok) unwrap(this.kernel.setRelations(frame.value, REMOTE, REMOTE));
    else this.host.os.check(slots.free(slot.value));
    return frame;
  }

  /** The frame of a channel whose client is on another core. */
  private describeFrame(core: number, base: number): Result<Capref<'Frame'>> {
    const { slots } = this.host.os;
    const slot = slots.alloc();
    if (!slot.ok) return slot;
    const frame = this.kernel.create(slot.value, {
      type: 'Frame',
      rights: Rights.All,
      iftype: 0,
      base,
      bytes: CHANNEL_BYTES,
      owner: core,
      arg0: 0,
      arg1: 0,
    });
    if (!frame.ok) this.host.os.check(slots.free(slot.value));
    return frame;
  }

  /** Tell a listener of a channel, as soon as it has room for that. */
  private *callOn(channel: Channel<P>, endpoint: Capref<'EndPointLMP'>): Wait<void> {
    const isTold = yield* announce(this.host.os, endpoint, channel.id, () => channel.isLocalEnded);
    if (!isTold && !channel.isLocalEnded) this.endLocal(channel);
  }

  /** The same as `endOf`; where there is no room for it, the other side hears that it is closed. */
  private giveEnd(channel: Channel<P>): ChannelEnd {
    const end = this.endOf(channel);
    if (!end.ok) this.endLocal(channel);
    return unwrap(end);
  }

  /** Copies for the domain whose end it is. */
  private endOf(channel: Channel<P>): Result<ChannelEnd> {
    const { os } = this.host;
    // All bells of a line are copies of each other: nobody may revoke one.
    const bell = createBell(os, channel.core, channel.line);
    if (!bell.ok) return bell;
    const frame = lend(os, channel.frame);
    if (frame.ok) return succeed({ channel: channel.id, frame: frame.value, bell: bell.value });
    os.drop(bell.value);
    return frame;
  }

  /** The end here is closed, or its domain has died: nobody here has the frame any more. */
  private endLocal(channel: Channel<P>): void {
    const { os } = this.host;
    const { frame, core, peer } = channel;
    channel.isLocalEnded = true;
    this.parcels.ended(channel);
    if (channel.side === 'client') {
      this.withdraw(frame);
    } else {
      os.check(this.kernel.deleteForeigns(frame));
      os.check(os.slots.free(frame));
    }
    const isRefused = channel.side === 'server' && channel.state === 'waiting';
    if (isRefused) channel.isPeerEnded = true;
    if (peer !== undefined && isRefused) {
      this.tell(core, (m) => m.refused({ channel: peer, errval: Err.MON_ERR_NO_SERVICE }));
    } else if (peer !== undefined) {
      this.tell(core, (monitor) => monitor.ended({ channel: peer }));
    }
    this.answers.ring();
    this.release(channel);
  }

  /** The other end is closed, and may not have been able to say so. */
  private endPeer(channel: Channel<P>): void {
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

  /** A channel that never came to be, on the client's side. */
  private refuse(id: number, err: Errval): void {
    const channel = this.byId.get(id);
    if (channel === undefined) return;
    channel.state = 'refused';
    channel.err = err;
    channel.isPeerEnded = true;
    if (!channel.isLocalEnded) {
      channel.isLocalEnded = true;
      this.withdraw(channel.frame);
    }
    this.answers.ring();
    this.release(channel);
  }

  /** When both ends are closed, the memory comes back. */
  private release(channel: Channel<P>): void {
    if (!channel.isLocalEnded || !channel.isPeerEnded) return;
    if (!this.byId.delete(channel.id) || channel.held === undefined) return;
    this.host.os.drop(channel.frame);
    channel.held.release();
  }

  /** Only the monitor has the frame here from now on; that of the other core knows by itself. */
  private withdraw(frame: Capref<'Frame'>): void {
    const { os } = this.host;
    unwrap(this.kernel.setRelations(frame, 0, REMOTE));
    os.check(capRevoke(os.sys, frame));
  }

  /** Say something to the monitor of a core, if it is there. */
  private tell(core: number, say: (monitor: Client<IntermonMethods>) => Wait<void>): void {
    const monitor = this.host.monitorOf(core);
    if (monitor.ok) tellLater(this.host.os, core, say(monitor.value));
  }
}

const REMOTE = CteFlag.RemoteCopies;

/** A copy to be given away, without the right to revoke. */
function lend<T extends CopyableTypeName>(os: Os, cap: Capref<T>): Result<Capref<T>> {
  const slot = os.slots.alloc();
  if (!slot.ok) return slot;
  const lent = capLend(os.sys, slot.value, cap);
  if (!lent.ok) os.check(os.slots.free(slot.value));
  return lent;
}

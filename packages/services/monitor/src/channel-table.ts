/** The channels of this core, by number. Numbers are never used again. */

import { fail, type Result, succeed } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { Channel, type ChannelFacts } from './channel.ts';
import type { Party } from './party.ts';

export class ChannelTable<P extends Party> {
  private readonly byId: Map<number, Channel<P>>;
  private lastId: number;

  constructor() {
    this.byId = new Map();
    this.lastId = 0;
  }

  get count(): number {
    return this.byId.size;
  }

  /** All of them as they are now, by number. */
  all(): Channel<P>[] {
    return [...this.byId.values()];
  }

  /** Add one, which gets a number. */
  add(facts: Omit<ChannelFacts<P>, 'id'>): Channel<P> {
    this.lastId += 1;
    const channel = new Channel<P>({ ...facts, id: this.lastId });
    this.byId.set(channel.id, channel);
    return channel;
  }

  /** @returns whether it was there */
  remove(channel: Channel<P>): boolean {
    return this.byId.delete(channel.id);
  }

  /** What the monitor of `core` means by number `id`: it can only speak of ends that it faces. */
  facing(core: number, id: number): Channel<P> | undefined {
    const channel = this.byId.get(id);
    return channel?.core === core ? channel : undefined;
  }

  /** What `party` means by number `id`. @errors MON_ERR_NO_CHANNEL none of its own */
  of(party: P, id: number): Result<Channel<P>> {
    const channel = this.byId.get(id);
    return channel?.party === party ? succeed(channel) : fail(Err.MON_ERR_NO_CHANNEL);
  }

  /** Ends of `party` on one side; those that face one client of another core if that is given. */
  countOf(
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
}

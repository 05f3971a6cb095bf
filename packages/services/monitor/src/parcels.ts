/**
 * Capabilities on their way over channels: beside the words, from monitor to monitor, each with the
 * number that its message bears. So far only those that stand for no memory can go, such as that of
 * a domain: for memory the cores must first agree on who owns it.
 */

import { fail, type Result } from '@barreleye/core';
import {
  type CapIdentity,
  type Capref,
  capIdentify,
  KernelCap,
  type Os,
  OsError,
  TASK_KERNEL,
  type Wait,
} from '@barreleye/libos';
import { Bell } from '@barreleye/rpc';
import { CAP_TYPE_NAMES, capTypeInfo, Err, ObjType } from '@barreleye/spec';
import type { Channel } from './channel.ts';
import type { Party } from './party.ts';

/** Capabilities of one channel that nobody has taken yet. */
const MAX_WAITING = 64;

/** A capability in the words of another core; type 0: it does not come. */
export interface ParcelWords {
  readonly type: number;
  readonly rights: number;
  readonly iftype: number;
  readonly owner: number;
  readonly arg0: number;
  readonly arg1: number;
}

/** What arrives for a number that cannot be sent. */
export const LOST: ParcelWords = { type: 0, rights: 0, iftype: 0, owner: 0, arg0: 0, arg1: 0 };

/** @errors MON_ERR_CAPS it cannot go to another core */
export function describeParcel(os: Os, cap: Capref): Result<ParcelWords> {
  const identity = capIdentify(os.sys, cap);
  if (!identity.ok) return identity;
  const { type, rights, iftype, owner, arg0, arg1, base, bytes } = identity.value;
  const isToken = capTypeInfo(ObjType[type]).sendable && base === 0 && bytes === 0;
  if (!isToken) return fail(Err.MON_ERR_CAPS);
  return { ok: true, value: { type: ObjType[type], rights, iftype, owner, arg0, arg1 } };
}

export class Parcels<P extends Party> {
  private readonly os: Os;
  private readonly kernel: KernelCap;
  private readonly news: Bell;

  constructor(os: Os) {
    this.os = os;
    this.kernel = new KernelCap(os.sys, TASK_KERNEL);
    this.news = new Bell(os.scheduler, 'a capability from another core');
  }

  /** One has come for an end here. */
  arrived(channel: Channel<P>, number: number, words: ParcelWords): void {
    const { parcels } = channel;
    const isWelcome = !channel.isLocalEnded && parcels.size < MAX_WAITING && !parcels.has(number);
    if (!isWelcome) return; // whoever waits for it waits in vain: the sender keeps to no rules
    parcels.set(number, this.create(words));
    this.news.ring();
  }

  /**
   * Wait for the capability `number`, which then is the caller's to give away.
   * @errors MON_ERR_CAPS it does not come; MON_ERR_NO_CHANNEL the channel has ended
   */
  *take(channel: Channel<P>, number: number): Wait<Capref> {
    const { parcels } = channel;
    yield* this.news.until(
      () => parcels.has(number) || channel.isLocalEnded || channel.isPeerEnded,
    );
    const cap = parcels.get(number);
    if (cap === undefined) throw new OsError(Err.MON_ERR_NO_CHANNEL);
    parcels.delete(number);
    if (cap === 'lost') throw new OsError(Err.MON_ERR_CAPS);
    return cap;
  }

  /** An end of a channel has closed: nothing more comes, and at this end nobody takes. */
  ended(channel: Channel<P>): void {
    if (channel.isLocalEnded) {
      for (const cap of channel.parcels.values()) if (cap !== 'lost') this.os.drop(cap);
      channel.parcels.clear();
    }
    this.news.ring();
  }

  private create({ type, rights, iftype, owner, arg0, arg1 }: ParcelWords): Capref | 'lost' {
    const name = CAP_TYPE_NAMES[type];
    if (name === undefined || name === 'Null') return 'lost';
    const words = { rights, iftype, owner, arg0, arg1, base: 0, bytes: 0 };
    const identity: CapIdentity & { readonly type: typeof name } = { ...words, type: name };
    const cap = this.os.slots.fill((slot) => this.kernel.create(slot, identity));
    return cap.ok ? cap.value : 'lost';
  }
}

/** Whether a channel can carry anything: for those who send. */
export function checkOpen<P extends Party>(channel: Channel<P>): void {
  const isOpen = channel.state === 'open' && !channel.isLocalEnded && !channel.isPeerEnded;
  if (!isOpen) throw new OsError(Err.MON_ERR_NO_CHANNEL);
}

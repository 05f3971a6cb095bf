/**
 * What the monitors of cores ask each other. All calls are answered at once, whatever they are
 * about: what takes its time is told by a message of its own. So nothing that a domain does, or
 * leaves undone, keeps a monitor from serving others.
 */

import type { Result } from '@barreleye/core';
import { PLAN_KINDS } from '@barreleye/multicast';
import {
  CHANNEL_INFO,
  CORE_STATUS,
  DOMAIN_END,
  DOMAIN_INFO,
  MAX_ARG_BYTES,
  MAX_LISTED_CHANNELS,
  MAX_NAME_BYTES,
  MAX_REPORT_BYTES,
} from '@barreleye/program';
import {
  array,
  type Client,
  call,
  defineInterface,
  oneOf,
  oneway,
  optional,
  string,
  struct,
  u8,
  u32,
  u64,
} from '@barreleye/rpc';

const args = array(string(MAX_ARG_BYTES), 32);
const described = struct({ type: u32, rights: u32, base: u64, bytes: u64 });

export const Intermon = defineInterface('intermon', {
  // Cores.
  /** The first words. `nameService`: where it is, if that is known. */
  hello: call(
    { core: u32 },
    { core: u32, arch: string(MAX_NAME_BYTES), nameService: optional(u32) },
  ),
  /** Have a link with another core in the frame at `base`; `isFirst`: see `CoreLinks.open`. */
  meet: call({ core: u32, base: u64, isFirst: u32 }, {}),
  /** The caller has been introduced to `core`, or knows now that it cannot be. */
  met: oneway({ core: u32, isReached: u32 }),
  /** Forget a core that is about to end, and look at no memory of the link with it any more. */
  part: call({ core: u32 }, {}),
  /** End all domains; none starts any more. No identifier of this core is above `lastId`. */
  endDomains: call({}, { lastId: u32 }),
  /** Switch the core off. */
  switchOff: oneway({}),
  /** Have another CPU driver go on in the place of this core's; which one it is, from 0 on. */
  replaceDriver: call({}, { generation: u64 }),
  /** A sign of life. */
  ping: call({}, {}),
  /** What the core says of itself. */
  status: call({}, { status: CORE_STATUS }),
  nameServiceIs: oneway({ iref: u32 }),

  // Channels between domains; a channel has a number at each of its cores.
  /** Announce a channel to a service: whose, its frame, and where that client is notified. */
  bind: call({ iref: u32, client: u32, channel: u32, base: u64, line: u32 }, {}),
  /** The service has accepted `channel` of the receiver, which has number `peer` here. */
  bound: oneway({ channel: u32, peer: u32, line: u32 }),
  /** It has not. */
  refused: oneway({ channel: u32, errval: u64 }),
  /** A capability goes along with message `number` of the channel; type 0: it does not come. */
  parcel: oneway({
    channel: u32,
    number: u32,
    type: u8,
    rights: u8,
    iftype: u32,
    owner: u8,
    arg0: u32,
    arg1: u32,
  }),
  /** The end of the other core has closed, and has the frame no more. */
  ended: oneway({ channel: u32 }),
  /** The ends that are there, from number `from` on. */
  channels: call({ from: u32 }, { channels: array(CHANNEL_INFO, MAX_LISTED_CHANNELS) }),
  /** Whose service it is. */
  serviceOwner: call({ iref: u32 }, { id: u32 }),

  // Domains.
  spawn: call(
    { program: string(MAX_NAME_BYTES), args, environment: args, quotaBytes: u64 },
    { id: u32 },
  ),
  kill: call({ id: u32 }, {}),
  suspend: call({ id: u32 }, {}),
  resume: call({ id: u32 }, {}),
  list: call({}, { domains: array(DOMAIN_INFO, 256) }),
  /** Where it answers questions about itself. */
  inspectorOf: call({ id: u32 }, { iref: u32 }),
  /** Tell how it ends by `domainEnded`, also if that is known already. */
  watch: call({ id: u32 }, {}),
  domainEnded: oneway({ id: u32, end: DOMAIN_END }),

  // Domains that span: `domain` is one of the caller, of which the receiver has a dispatcher.
  /** Run one. @returns the line at which it is notified */
  span: call(
    { domain: u32, root: described, frame: described, frameVaddr: u64, line: u32 },
    { line: u32 },
  ),
  /** Have it not run, or run on. */
  setFarStopped: call({ domain: u32, isStopped: u32 }, {}),
  /** End it, if there is one. Nothing of its domain's memory is known there then. */
  unspan: call({ domain: u32 }, {}),
  /**
   * Pages are gone, or allow less: no dispatcher there sees them as they were. It passes that on as
   * the plan says. @returns whether that was nobody; else `invalidated` tells the root
   */
  invalidate: call(
    {
      id: u32,
      va: u64,
      pageCount: u32,
      kind: oneOf(...PLAN_KINDS),
      root: u32,
      membersLow: u32, // `packCores`
      membersHigh: u32,
    },
    { isDone: u32 },
  ),
  invalidated: oneway({ id: u32, low: u32, high: u32 }), // `packCores`: those that are done
  /** A far dispatcher of a domain of the receiver has died. */
  farDied: oneway({ domain: u32, report: string(MAX_REPORT_BYTES) }),

  // Memory.
  /** RAM that is the caller's from now on, until it stops: whole pages. @errors INIT_ERR_QUOTA */
  requestRam: call({ bytes: u64 }, { base: u64, bytes: u64 }),
});

export type IntermonMethods = typeof Intermon.methods;
/** The monitor of another core, as this one calls it. */
export type RemoteMonitor = Client<IntermonMethods>;
/** The monitor of a core. @errors MON_ERR_NO_CORE */
export type MonitorOf = (core: number) => Result<RemoteMonitor>;

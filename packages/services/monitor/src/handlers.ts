/** What a monitor answers others. */

import { asErrval } from '@barreleye/core';
import { KernelCap, TASK_KERNEL, unwrap } from '@barreleye/libos';
import type { DomainEnd } from '@barreleye/program';
import type { Handlers } from '@barreleye/rpc';
import { unpackCores } from './core-set.ts';
import type { MonitorHost } from './host.ts';
import type { IntermonMethods } from './intermon.ts';
import type { Monitor } from './monitor.ts';
import type { Party } from './party.ts';

/** Domains that a listing shows. */
const MAX_LISTED = 256;

/** The handlers for core `from`. */
export function monitorHandlers<P extends Party>(
  monitor: Monitor<P>,
  host: MonitorHost,
  from: number,
): Handlers<IntermonMethods> {
  return {
    ...coreHandlers(monitor, host, from),
    ...channelHandlers(monitor, from),
    ...domainHandlers(monitor, host, from),
    ...spanHandlers(monitor, host, from),
  };
}

function coreHandlers<P extends Party>(
  monitor: Monitor<P>,
  host: MonitorHost,
  from: number,
): Pick<
  Handlers<IntermonMethods>,
  | 'hello'
  | 'meet'
  | 'met'
  | 'part'
  | 'endDomains'
  | 'switchOff'
  | 'replaceDriver'
  | 'ping'
  | 'status'
  | 'nameServiceIs'
> {
  const { peers, control, core } = monitor;
  return {
    hello: () => {
      const nameService = host.nameService();
      const arch = host.os.arch.name;
      return nameService === undefined ? { core, arch } : { core, arch, nameService };
    },
    meet: ({ core: other, base, isFirst }) => {
      peers.meet(from, other, base, isFirst !== 0);
      return {};
    },
    met: ({ core: to, isReached }) => control.met(from, to, isReached !== 0),
    *part({ core: gone }) {
      yield* peers.part(gone);
      return {};
    },
    *endDomains() {
      const lastDomain = yield* host.domains.endAll();
      monitor.far.closeAll();
      return { lastId: Math.max(lastDomain, monitor.exports.lastIndex) };
    },
    switchOff: () => {
      const isStarter = from === host.boot.startedBy && from !== core;
      if (isStarter) host.os.check(new KernelCap(host.os.sys, TASK_KERNEL).stopCore());
    },
    replaceDriver: () => ({ generation: monitor.replaceOwnDriver() }),
    ping: () => ({}),
    status: () => ({ status: monitor.status() }),
    nameServiceIs: ({ iref }) => host.nameServiceAt(iref),
  };
}

function channelHandlers<P extends Party>(
  monitor: Monitor<P>,
  from: number,
): Pick<
  Handlers<IntermonMethods>,
  'bind' | 'bound' | 'refused' | 'parcel' | 'ended' | 'channels' | 'serviceOwner'
> {
  const { channels, exports } = monitor;
  return {
    bind: (request) => {
      channels.servers.announce(from, request);
      return {};
    },
    bound: ({ channel, peer, line }) => channels.clients.bound(from, channel, peer, line),
    refused: ({ channel, errval }) => channels.clients.refused(from, channel, asErrval(errval)),
    parcel: ({ channel, number, ...words }) => channels.parcel(from, channel, number, words),
    ended: ({ channel }) => channels.peerEnded(from, channel),
    channels: ({ from: first }) => ({ channels: channels.list(first) }),
    serviceOwner: ({ iref }) => ({ id: unwrap(exports.find(iref)).owner.id }),
  };
}

function domainHandlers<P extends Party>(
  monitor: Monitor<P>,
  host: MonitorHost,
  from: number,
): Pick<
  Handlers<IntermonMethods>,
  | 'spawn'
  | 'kill'
  | 'suspend'
  | 'resume'
  | 'list'
  | 'inspectorOf'
  | 'watch'
  | 'domainEnded'
  | 'requestRam'
> {
  const { domains } = host;
  const tell = (id: number, end: DomainEnd): void =>
    monitor.tell(from, (peer) => peer.domainEnded({ id, end }));
  return {
    *spawn(request) {
      return { id: yield* domains.spawn(request, tell) };
    },
    kill: ({ id }) => {
      domains.kill(id);
      return {};
    },
    suspend: ({ id }) => {
      domains.setSuspended(id, true);
      return {};
    },
    resume: ({ id }) => {
      domains.setSuspended(id, false);
      return {};
    },
    list: () => ({ domains: domains.list().slice(0, MAX_LISTED) }),
    inspectorOf: ({ id }) => ({ iref: domains.inspectorOf(id) }),
    watch: ({ id }) => {
      domains.watch(id, (end) => tell(id, end));
      return {};
    },
    requestRam: ({ bytes }) => monitor.control.giveRam(from, bytes),
    domainEnded: ({ id, end }) => monitor.watches.ended(from, id, end),
  };
}

function spanHandlers<P extends Party>(
  monitor: Monitor<P>,
  host: MonitorHost,
  from: number,
): Pick<
  Handlers<IntermonMethods>,
  'span' | 'setFarStopped' | 'unspan' | 'invalidate' | 'invalidated' | 'farDied'
> {
  const { far, shootDowns } = monitor;
  return {
    span: (wish) => ({ line: far.open(from, wish) }),
    setFarStopped: ({ domain, isStopped }) => {
      far.setStopped(from, domain, isStopped !== 0);
      return {};
    },
    unspan: ({ domain }) => {
      far.close(from, domain);
      return {};
    },
    invalidate({ membersLow, membersHigh, ...order }) {
      const members = unpackCores(membersLow, membersHigh);
      return { isDone: shootDowns.obey({ ...order, members }) ? 1 : 0 };
    },
    invalidated: ({ id, low, high }) => shootDowns.done(id, unpackCores(low, high)),
    farDied: ({ domain, report }) => host.domains.farDied(domain, report),
  };
}

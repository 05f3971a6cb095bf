/**
 * The monitor of a core: what its domains have to do with those of other cores goes through it. It
 * runs as threads of the first domain, which passes in what it does for other cores itself.
 */

import { asErrval, type Result } from '@barreleye/core';
import { type Capref, type Os, type RamSource, unwrap, type Wait } from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import { type DomainEnd, type DomainInfo, irefCore } from '@barreleye/program';
import type { Client, Handlers } from '@barreleye/rpc';
import { COUNTERS } from '@barreleye/spec';
import { Bells } from './bells.ts';
import type { BootView } from './boot-info.ts';
import { Channels } from './channels.ts';
import { CoreControl } from './core-control.ts';
import { Exports } from './exports.ts';
import { FarDispatchers } from './far-dispatchers.ts';
import type { IntermonMethods } from './intermon.ts';
import type { Party } from './party.ts';
import { Peers } from './peers.ts';
import { ShootDowns } from './shoot-downs.ts';
import { Spans } from './spans.ts';
import { tellLater } from './tell.ts';
import { Watches } from './watches.ts';

/** A program to start for another core. */
export interface RemoteSpawn {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: readonly string[];
  readonly quotaBytes: number;
}

/** What the first domain does for other cores. Its methods throw OsError. */
export interface LocalDomains {
  /** @returns the number of the domain, whose end `tell` hears */
  spawn(request: RemoteSpawn, tell: (id: number, end: DomainEnd) => void): number;
  kill(id: number): void;
  setSuspended(id: number, isSuspended: boolean): void;
  list(): readonly DomainInfo[];
  /** The service reference of its inspector. */
  inspectorOf(id: number): number;
  /** End all domains but the first, and start none from now on; wait until they are gone. */
  endAll(): Wait<void>;
  /** Tell how the domain ends, at once if it has. */
  watch(id: number, tell: (end: DomainEnd) => void): void;
  /** A far dispatcher of the domain has died, and the domain is to end. */
  farDied(id: number, report: string): void;
}

export interface MonitorHost {
  readonly os: Os;
  readonly boot: BootView;
  readonly vspace: Vspace;
  /** Where the memory of other cores comes from. */
  readonly account: RamSource & { readonly leftBytes: number };
  readonly domains: LocalDomains;
  /** The name service, if it is known. */
  readonly nameService: () => number | undefined;
  readonly nameServiceAt: (iref: number) => void;
}

const DRIVER_CHANGES = COUNTERS.findIndex(({ field }) => field === 'driverChanges');

export class Monitor<P extends Party> {
  readonly core: number;
  readonly peers: Peers;
  readonly control: CoreControl;
  readonly exports: Exports<P>;
  readonly bells: Bells;
  readonly channels: Channels<P>;
  readonly watches: Watches;
  readonly spans: Spans<P>;
  readonly far: FarDispatchers;
  readonly shootDowns: ShootDowns;
  private readonly host: MonitorHost;

  constructor(host: MonitorHost) {
    const { os, boot, vspace, account } = host;
    const monitorOf = (core: number): Result<Client<IntermonMethods>> => peers.monitorOf(core);
    const core = boot.coreId;
    const exports = new Exports<P>(core);
    const bells = new Bells(os);
    const watches = new Watches(os.scheduler, monitorOf);
    const spans = new Spans<P>({ os, core, bells, monitorOf });
    const far = new FarDispatchers({ os, bells, account });
    const topology = boot.places?.topology;
    const shootDowns = new ShootDowns({ os, core, topology, monitorOf });
    const channels = new Channels<P>({ os, core, vspace, exports, bells, monitorOf });
    const peers = new Peers({
      os,
      boot,
      vspace,
      handlers: (from) => this.handlersFor(from),
      reached: (reached, nameService) => {
        const iref = host.nameService();
        if (nameService !== undefined) host.nameServiceAt(nameService);
        // It may have become known here between the words of the two.
        else if (iref !== undefined) this.tell(reached, (peer) => peer.nameServiceIs({ iref }));
      },
      lost: (lost) => {
        channels.coreEnded(lost);
        watches.coreEnded(lost);
        spans.coreEnded(lost);
        far.coreEnded(lost);
        shootDowns.coreEnded(lost);
      },
    });
    const leftBytes = (): number => account.leftBytes;
    this.core = core;
    this.peers = peers;
    this.control = new CoreControl({ os, boot, vspace, account, peers, leftBytes });
    this.exports = exports;
    this.bells = bells;
    this.channels = channels;
    this.watches = watches;
    this.spans = spans;
    this.far = far;
    this.shootDowns = shootDowns;
    this.host = host;
  }

  /** The monitor of another core. @errors MON_ERR_NO_CORE, thrown */
  of(core: number): Client<IntermonMethods> {
    return unwrap(this.peers.monitorOf(core));
  }

  /** Export a service. @errors MON_ERR_TOO_MANY; the endpoint is still the caller's then */
  export(owner: P, endpoint: Capref<'EndPointLMP'>): Result<number> {
    return this.exports.add(owner, endpoint);
  }

  /** Whose service it is: its core, and its number there. @errors those of `System.serviceOwner` */
  *serviceOwner(iref: number): Wait<{ core: number; id: number }> {
    const core = irefCore(iref);
    if (core === this.core) return { core, id: unwrap(this.exports.find(iref)).owner.id };
    return { core, ...(yield* this.of(core).serviceOwner({ iref })) };
  }

  /** Replace the CPU driver of a core; the generation of the new one. @errors MON_ERR_NO_CORE */
  *replaceDriver(core: number): Wait<number> {
    if (core === this.core) return this.replaceOwnDriver();
    return (yield* this.of(core).replaceDriver({})).generation;
  }

  /** A domain has ended: its services and channels are no more. */
  partyEnded(party: P): void {
    const { os } = this.host;
    for (const endpoint of this.exports.removeAll(party)) os.drop(endpoint);
    this.channels.partyEnded(party);
    this.bells.remove(party);
    this.watches.ownerEnded(party);
  }

  /** A dispatcher here of a domain of another core has died. */
  farDied(home: number, domain: number, report: string): void {
    this.tell(home, (monitor) => monitor.farDied({ domain, report }));
  }

  /** Tell all cores where the name service is. */
  tellNameService(iref: number): void {
    for (const core of this.peers.reachable()) {
      this.tell(core, (monitor) => monitor.nameServiceIs({ iref }));
    }
  }

  private replaceOwnDriver(): number {
    this.host.os.check(this.kernel.replaceDriver());
    return unwrap(this.kernel.counter(DRIVER_CHANGES));
  }

  private handlersFor(from: number): Handlers<IntermonMethods> {
    return {
      ...this.coreHandlers(from),
      ...this.channelHandlers(from),
      ...this.domainHandlers(from),
      ...this.spanHandlers(from),
    };
  }

  private coreHandlers(
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
    | 'nameServiceIs'
  > {
    const { peers, host, core } = this;
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
      met: ({ core: to, isReached }) => this.control.met(from, to, isReached !== 0),
      *part({ core: gone }) {
        yield* peers.part(gone);
        return {};
      },
      *endDomains() {
        yield* host.domains.endAll();
        return {};
      },
      switchOff: () => host.os.check(this.kernel.stopCore()),
      replaceDriver: () => ({ generation: this.replaceOwnDriver() }),
      ping: () => ({}),
      nameServiceIs: ({ iref }) => host.nameServiceAt(iref),
    };
  }

  private channelHandlers(
    from: number,
  ): Pick<
    Handlers<IntermonMethods>,
    'bind' | 'bound' | 'refused' | 'parcel' | 'ended' | 'serviceOwner'
  > {
    const { channels, exports } = this;
    return {
      bind: (request) => {
        channels.announce(from, request);
        return {};
      },
      bound: ({ channel, peer, line }) => channels.bound(from, channel, peer, line),
      refused: ({ channel, errval }) => channels.refused(from, channel, asErrval(errval)),
      parcel: ({ channel, number, ...words }) => channels.parcel(from, channel, number, words),
      ended: ({ channel }) => channels.peerEnded(from, channel),
      serviceOwner: ({ iref }) => ({ id: unwrap(exports.find(iref)).owner.id }),
    };
  }

  private domainHandlers(
    from: number,
  ): Pick<
    Handlers<IntermonMethods>,
    'spawn' | 'kill' | 'suspend' | 'resume' | 'list' | 'inspectorOf' | 'watch' | 'domainEnded'
  > {
    const { domains } = this.host;
    const tell = (id: number, end: DomainEnd): void =>
      this.tell(from, (monitor) => monitor.domainEnded({ id, end }));
    return {
      spawn: (request) => ({ id: domains.spawn(request, tell) }),
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
      list: () => ({ domains: [...domains.list()] }),
      inspectorOf: ({ id }) => ({ iref: domains.inspectorOf(id) }),
      watch: ({ id }) => {
        domains.watch(id, (end) => tell(id, end));
        return {};
      },
      domainEnded: ({ id, end }) => this.watches.ended(from, id, end),
    };
  }

  private spanHandlers(
    from: number,
  ): Pick<Handlers<IntermonMethods>, 'span' | 'unspan' | 'invalidate' | 'invalidated' | 'farDied'> {
    const { far, shootDowns, host } = this;
    return {
      span: (wish) => ({ line: far.open(from, wish) }),
      unspan: ({ domain }) => {
        far.close(from, domain);
        return {};
      },
      invalidate: (order) => ({ isDone: shootDowns.obey(order) ? 1 : 0 }),
      invalidated: ({ id, cores }) => shootDowns.done(id, cores),
      farDied: ({ domain, report }) => host.domains.farDied(domain, report),
    };
  }

  /** Say something to the monitor of a core, if it is there to hear it. */
  private tell(core: number, say: (monitor: Client<IntermonMethods>) => Wait<void>): void {
    const monitor = this.peers.monitorOf(core);
    if (monitor.ok) tellLater(this.host.os, core, say(monitor.value));
  }
}

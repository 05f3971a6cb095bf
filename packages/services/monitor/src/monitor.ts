/**
 * The monitor of a core: what its domains have to do with those of other cores goes through it. It
 * runs as threads of the first domain, which passes in what it does for other cores itself.
 */

import { KernelCap, OsError, TASK_KERNEL, unwrap, type Wait } from '@barreleye/libos';
import { type CoreStatus, irefCore } from '@barreleye/program';
import { COUNTERS, Err, packageOfCore, SCHEDULER_NAMES } from '@barreleye/spec';
import { Bells } from './bells.ts';
import { Channels } from './channels.ts';
import { CoreControl } from './core-control.ts';
import { Exports } from './exports.ts';
import { FarDispatchers } from './far-dispatchers.ts';
import { monitorHandlers } from './handlers.ts';
import type { MonitorHost } from './host.ts';
import type { MonitorOf, RemoteMonitor } from './intermon.ts';
import type { Party } from './party.ts';
import { Peers } from './peers.ts';
import { ShootDowns } from './shoot-downs.ts';
import { Spans } from './spans.ts';
import { tell } from './tell.ts';
import { Watches } from './watches.ts';

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
    const monitorOf: MonitorOf = (core) => peers.monitorOf(core);
    const core = boot.coreId;
    const exports = new Exports<P>(core, boot.usedIds);
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
      handlers: (from) => monitorHandlers(this, host, from),
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
  of(core: number): RemoteMonitor {
    return unwrap(this.peers.monitorOf(core));
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

  /** Ask the core that has started this one for RAM. @errors INIT_ERR_QUOTA there is none */
  *requestRam(bytes: number): Wait<{ readonly base: number; readonly bytes: number }> {
    const { startedBy } = this.host.boot;
    if (startedBy === this.core) throw new OsError(Err.INIT_ERR_QUOTA);
    return yield* this.of(startedBy).requestRam({ bytes });
  }

  /** What this core says of itself. */
  status(): CoreStatus {
    const { os, domains, boot } = this.host;
    const { totalBytes, freeBytes } = domains.ram();
    const kernel = new KernelCap(os.sys, TASK_KERNEL);
    return {
      arch: os.arch.name,
      packageId: boot.places && packageOfCore(boot.places.topology, this.core),
      scheduler: SCHEDULER_NAMES[unwrap(kernel.scheduler())],
      domainCount: domains.list().filter(({ state }) => state !== 'ended').length,
      totalBytes: totalBytes - this.control.givenBytes,
      freeBytes,
      links: [...this.peers.reachable()],
    };
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

  /** Replace the CPU driver of this core; the generation of the new one. */
  replaceOwnDriver(): number {
    const { os } = this.host;
    const kernel = new KernelCap(os.sys, TASK_KERNEL);
    os.check(kernel.replaceDriver());
    return unwrap(kernel.counter(DRIVER_CHANGES));
  }

  /** Say something to the monitor of a core, if it is there to hear it. */
  tell(core: number, say: (monitor: RemoteMonitor) => Wait<void>): void {
    tell(this.host.os, (of) => this.peers.monitorOf(of), core, say);
  }
}

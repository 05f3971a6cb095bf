/**
 * The cores of the machine, as this one knows them, and the monitors of those that it has a link
 * with.
 */

import { type Errval, errTop, fail, OK, type Result, succeed } from '@barreleye/core';
import { type Capref, capref, type Os, OsError, unwrap, type Wait } from '@barreleye/libos';
import type { Vspace } from '@barreleye/paging';
import { Bell, bindClient, type Handlers, serve } from '@barreleye/rpc';
import { Err, RootSlot, TaskSlot } from '@barreleye/spec';
import type { BootView } from './boot-info.ts';
import { createForeignFrame } from './foreign-frame.ts';
import { Intermon, type IntermonMethods, type RemoteMonitor } from './intermon.ts';
import { CoreLinks, LINK_BYTES, type Link } from './link.ts';

/** Cycles in which a monitor must have answered: all calls are answered at once. */
export const PATIENCE_CYCLES = 10_000_000_000;
/** The frame that this core shares with the one that has started it. */
const STARTER_FRAME: Capref<'Frame'> = capref(RootSlot.TaskCn, TaskSlot.MonUrpc);

/** What is known of a core. */
export interface CoreState {
  readonly core: number;
  readonly state: 'off' | 'starting' | 'running' | 'stopping' | 'failed';
  /** Why it does not run, if it has failed. */
  readonly err: Errval;
}

/** What `Peers` needs. */
export interface PeersHost {
  readonly os: Os;
  readonly boot: BootView;
  readonly vspace: Vspace;
  /** What the monitor of a core is answered. */
  readonly handlers: (core: number) => Handlers<IntermonMethods>;
  /** A core has said hello. */
  readonly reached: (core: number, nameService: number | undefined) => void;
  /** A core that was reached is so no more. */
  readonly lost: (core: number) => void;
}

/** Another core that was reached. */
interface Peer {
  readonly link: Link;
  readonly monitor: RemoteMonitor;
  /** Our capability of the frame, if another core has made it. */
  readonly frame: Capref<'Frame'> | undefined;
}

export class Peers {
  /** Rings whenever something has changed. */
  readonly changes: Bell;
  private readonly host: PeersHost;
  private readonly states: CoreState[];
  private readonly peers: Map<number, Peer>;
  private linkMaker: CoreLinks | undefined;

  constructor(host: PeersHost) {
    const { coreCount, coreId } = host.boot;
    this.host = host;
    this.peers = new Map();
    this.changes = new Bell(host.os.scheduler, 'other cores');
    this.linkMaker = undefined;
    this.states = Array.from({ length: coreCount }, (_, core) => ({
      core,
      state: core === coreId ? 'running' : 'off',
      err: OK,
    }));
  }

  /** All cores, by number. */
  all(): readonly CoreState[] {
    return this.states;
  }

  /** The monitor of another core. @errors MON_ERR_NO_CORE */
  monitorOf(core: number): Result<RemoteMonitor> {
    const peer = this.peers.get(core);
    return peer === undefined ? fail(Err.MON_ERR_NO_CORE) : succeed(peer.monitor);
  }

  /** Cores that can be asked. */
  reachable(): readonly number[] {
    return [...this.peers.keys()].sort((a, b) => a - b);
  }

  /** Wait until no core is being started or stopped. */
  *settled(): Wait<void> {
    yield* this.changes.until(() =>
      this.states.every(({ state }) => state !== 'starting' && state !== 'stopping'),
    );
  }

  /** Note how a core is. */
  set(core: number, state: CoreState['state'], err: Errval = OK): void {
    this.states[core] = { core, state, err };
    this.changes.ring();
  }

  /** Answer the core that has started this one. */
  answerStarter(): void {
    const { startedBy } = this.host.boot;
    const link = this.links.open(startedBy, STARTER_FRAME, false);
    if (!link.ok) throw new OsError(link.err);
    this.host.os.spawnThread(`reaches core ${startedBy}`, this.reach(startedBy, link.value));
  }

  /** The link with a core that this one starts, in `frame`. @errors those of `CoreLinks.open` */
  openLink(core: number, frame: Capref<'Frame'>): Result<Link> {
    return this.links.open(core, frame, true);
  }

  /**
   * Have a link with a core that the caller knows, in a frame of the caller's.
   * @errors no slot; no memory
   */
  meet(caller: number, core: number, base: number, isFirst: boolean): void {
    const { os } = this.host;
    const frame = unwrap(createForeignFrame(os, { owner: caller, base, bytes: LINK_BYTES }));
    const link = this.links.open(core, frame, isFirst);
    if (!link.ok) {
      os.drop(frame);
      throw new OsError(link.err);
    }
    os.spawnThread(`meets core ${core}`, this.introduceTo(caller, core, link.value, frame));
  }

  /** Be introduced to another core, and serve it from then on. @returns whether it answers */
  *reach(core: number, link: Link, frame?: Capref<'Frame'>): Wait<boolean> {
    const { os, boot, handlers, reached } = this.host;
    const { outgoing, incoming } = link;
    const serving = serve(os.scheduler, incoming, Intermon, handlers(core));
    os.spawnThread(`serves core ${core}`, serving);
    try {
      const timeoutCycles = PATIENCE_CYCLES;
      const monitor = yield* bindClient(os.scheduler, outgoing, Intermon, { timeoutCycles });
      const answer = yield* monitor.hello({ core: boot.coreId });
      if (answer.core !== core) throw new OsError(Err.INIT_ERR_CORE);
      this.peers.set(core, { link, monitor: this.watched(core, monitor), frame });
      // Who has started it says so when it knows all others.
      if (boot.coreId !== boot.startedBy) this.set(core, 'running');
      reached(core, answer.nameService);
      return true;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      this.set(core, 'failed', error.errval);
      return false;
    }
  }

  /** Have no link any more with a core that ends; wait until nothing here looks at it. */
  *part(core: number): Wait<void> {
    const peer = this.peers.get(core);
    if (peer === undefined) return;
    this.peers.delete(core);
    this.set(core, 'off');
    this.host.lost(core);
    yield* peer.link.close();
    if (peer.frame !== undefined) this.host.os.drop(peer.frame);
  }

  private *introduceTo(
    caller: number,
    core: number,
    link: Link,
    frame: Capref<'Frame'>,
  ): Wait<void> {
    const isReached = (yield* this.reach(core, link, frame)) ? 1 : 0;
    // In parallel this may be done before the caller has answered our own hello.
    const hasFailed = (): boolean => this.states[caller]?.state === 'failed';
    yield* this.changes.until(() => this.peers.has(caller) || hasFailed());
    const monitor = this.monitorOf(caller);
    if (monitor.ok) yield* monitor.value.met({ core, isReached });
  }

  /** A monitor whose silence is noticed: it has so much time that only the dead do not answer. */
  private watched(core: number, monitor: RemoteMonitor): RemoteMonitor {
    const lose = (err: Errval): void => this.lose(core, err);
    const methods = monitor as { readonly [name: string]: (args: unknown) => Wait<unknown> };
    const watched = Object.entries(methods).map(([name, method]) => {
      function* call(args: unknown): Wait<unknown> {
        try {
          return yield* method(args);
        } catch (error) {
          const code = error instanceof OsError ? errTop(error.errval) : OK;
          if (code === Err.RPC_ERR_TIMEOUT || code === Err.RPC_ERR_CLOSED) lose(code);
          throw error;
        }
      }
      return [name, call];
    });
    return Object.fromEntries(watched) as RemoteMonitor;
  }

  /** A core does not answer any more. What it has of our memory, it may still use. */
  private lose(core: number, err: Errval): void {
    const peer = this.peers.get(core);
    if (peer === undefined) return;
    this.peers.delete(core);
    this.host.os.spawnThread(`gives core ${core} up`, peer.link.close());
    this.set(core, 'failed', err);
    this.host.lost(core);
  }

  /** Made when there is somebody to have a link with. */
  private get links(): CoreLinks {
    this.linkMaker ??= new CoreLinks(this.host.os, this.host.vspace);
    return this.linkMaker;
  }
}

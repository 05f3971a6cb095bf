/**
 * The cores of the machine, as this one knows them. The first core starts the others, and
 * introduces each to those that run already: then every two have a link. A core counts as running
 * when it knows all others.
 */

import {
  alignDown,
  assert,
  BASE_PAGE_BITS,
  type Errval,
  errTop,
  fail,
  isOk,
  OK,
  type Result,
  succeed,
} from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  capref,
  KernelCap,
  OsError,
  TASK_KERNEL,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { createMemorySource, type MemorySource } from '@barreleye/paging';
import { Bell, bindClient, type Client, type Handlers, serve } from '@barreleye/rpc';
import { Err, Rights, RootSlot, TaskSlot } from '@barreleye/spec';
import { CORE_OVERHEAD_BYTES, type CoreStarter, startCore } from './boot-core.ts';
import { Intermon, type IntermonMethods } from './intermon.ts';
import { CoreLinks, LINK_BYTES, type Link } from './link.ts';

/** Least RAM that a core is given for itself. */
const MIN_CORE_BYTES = 2 * 2 ** 20;
/** Cycles in which a monitor must have answered: all calls are answered at once. */
const PATIENCE_CYCLES = 10_000_000_000;
/** The frame that this core shares with the one that has started it. */
const STARTER_FRAME: Capref<'Frame'> = capref(RootSlot.TaskCn, TaskSlot.MonUrpc);

/** What is known of a core. */
export interface CoreState {
  readonly core: number;
  readonly state: 'off' | 'starting' | 'running' | 'failed';
  /** Why it does not run, if it has failed. */
  readonly err: Errval;
}

/** What `Peers` needs. */
export interface PeersHost extends CoreStarter {
  /** RAM that other cores could be given. */
  readonly leftBytes: () => number;
  /** What the monitor of a core is answered. */
  readonly handlers: (core: number) => Handlers<IntermonMethods>;
  /** A core has said hello. */
  readonly reached: (core: number, nameService: number | undefined) => void;
  /** A core that was running does so no more. */
  readonly lost: (core: number) => void;
}

/** Another core that was reached. */
interface Peer {
  readonly link: Link;
  readonly monitor: Client<IntermonMethods>;
}

export class Peers {
  private readonly host: PeersHost;
  private readonly states: CoreState[];
  private readonly peers: Map<number, Peer>;
  /** Frames for links that others have with each other, by the two cores. */
  private readonly frames: Map<string, Capref<'Frame'>>;
  /** What others have said of their introductions, by `core` and whom it was introduced to. */
  private readonly introductions: Map<string, boolean>;
  private readonly changes: Bell;
  private linkMaker: CoreLinks | undefined;

  constructor(host: PeersHost) {
    const { coreCount, coreId } = host.boot;
    this.host = host;
    this.peers = new Map();
    this.frames = new Map();
    this.introductions = new Map();
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
  monitorOf(core: number): Result<Client<IntermonMethods>> {
    const peer = this.peers.get(core);
    return peer === undefined ? fail(Err.MON_ERR_NO_CORE) : succeed(peer.monitor);
  }

  /** Cores that can be asked. */
  reachable(): readonly number[] {
    return [...this.peers.keys()].sort((a, b) => a - b);
  }

  /** Start all other cores, each with an equal part of the RAM that is left. */
  startAll(): void {
    const { boot, leftBytes, os, account } = this.host;
    this.makeFrames(createMemorySource(os.sys, account, os.slots));
    // What a core is made of is aligned to its size: that may take as much again.
    const each = Math.floor(leftBytes() / boot.coreCount) - 2 * CORE_OVERHEAD_BYTES;
    const share = Math.max(alignDown(each, BASE_PAGE_BITS), MIN_CORE_BYTES);
    for (const { core, state } of this.states) if (state === 'off') this.start(core, share);
  }

  /** Wait until no core is being started. */
  *settled(): Wait<void> {
    yield* this.changes.until(() => this.states.every(({ state }) => state !== 'starting'));
  }

  /** Answer the core that has started this one. */
  answerStarter(): void {
    const { startedBy } = this.host.boot;
    const link = this.links.open(startedBy, STARTER_FRAME, false);
    if (!link.ok) throw new OsError(link.err);
    this.host.os.spawnThread(`reaches core ${startedBy}`, this.reach(startedBy, link.value));
  }

  /**
   * Have a link with a core that the caller, who has started this one or been started by it, knows.
   * @errors no slot; no memory
   */
  meet(caller: number, core: number, base: number, isFirst: boolean): void {
    const { os } = this.host;
    const frame = unwrap(this.describeFrame(caller, base));
    const link = this.links.open(core, frame, isFirst);
    if (!link.ok) {
      os.drop(frame);
      throw new OsError(link.err);
    }
    os.spawnThread(`meets core ${core}`, this.introduceTo(caller, core, link.value));
  }

  /** A core has been introduced to another, or could not be. */
  met(core: number, to: number, isReached: boolean): void {
    this.introductions.set(`${core} ${to}`, isReached);
    this.changes.ring();
  }

  /** Frames for the links of all cores with each other, while there is memory. */
  private makeFrames(source: MemorySource): void {
    const { coreCount, coreId } = this.host.boot;
    for (let one = 0; one < coreCount; one++) {
      for (let other = one + 1; other < coreCount; other++) {
        if (one === coreId || other === coreId) continue;
        const frame = source.allocFrame(LINK_BYTES);
        if (!frame.ok) return; // who has no link is told so when it wants to use it
        this.frames.set(pairOf(one, other), frame.value);
      }
    }
  }

  private start(core: number, ramBytes: number): void {
    const started = startCore(this.host, { core, ramBytes });
    const link = started.ok ? this.links.open(core, started.value.channel, true) : started;
    if (!link.ok) {
      this.set(core, 'failed', link.err);
      return;
    }
    this.set(core, 'starting');
    this.host.os.spawnThread(`starts core ${core}`, this.join(core, link.value));
  }

  /** Reach a core that was started, and introduce it to the others. */
  private *join(core: number, link: Link): Wait<void> {
    const others = (): number[] => this.reachable().filter((other) => other !== core);
    if (!(yield* this.reach(core, link))) return;
    const introductions = others().map((other) => this.introduce(other, core));
    for (const introduction of introductions) yield* introduction;
    this.set(core, 'running');
  }

  /** Be introduced to another core, and serve it from then on. @returns whether it answers */
  private *reach(core: number, link: Link): Wait<boolean> {
    const { os, boot, handlers, reached } = this.host;
    const { outgoing, incoming } = link;
    os.spawnThread(`serves core ${core}`, serve(os.scheduler, incoming, Intermon, handlers(core)));
    try {
      const timeoutCycles = PATIENCE_CYCLES;
      const monitor = yield* bindClient(os.scheduler, outgoing, Intermon, { timeoutCycles });
      const answer = yield* monitor.hello({ core: boot.coreId });
      if (answer.core !== core) throw new OsError(Err.INIT_ERR_CORE);
      this.peers.set(core, { link, monitor: this.watched(core, monitor) });
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

  /** On the core that has started both: give them a link, and wait until they have met. */
  private *introduce(one: number, other: number): Wait<void> {
    const frame = this.frames.get(pairOf(one, other));
    if (frame === undefined) return;
    const { base } = unwrap(capIdentify(this.host.os.sys, frame));
    this.introductions.delete(`${one} ${other}`);
    this.introductions.delete(`${other} ${one}`);
    try {
      yield* unwrap(this.monitorOf(one)).meet({ core: other, base, isFirst: 1 });
      yield* unwrap(this.monitorOf(other)).meet({ core: one, base, isFirst: 0 });
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      return;
    }
    const isSettled = (core: number, to: number): boolean =>
      this.introductions.has(`${core} ${to}`) || !this.peers.has(core) || !this.peers.has(to);
    yield* this.changes.until(() => isSettled(one, other) && isSettled(other, one));
  }

  private *introduceTo(caller: number, core: number, link: Link): Wait<void> {
    const isReached = (yield* this.reach(core, link)) ? 1 : 0;
    const monitor = this.monitorOf(caller);
    if (monitor.ok) yield* monitor.value.met({ core, isReached });
  }

  /** A monitor whose silence is noticed: it has so much time that only the dead do not answer. */
  private watched(core: number, monitor: Client<IntermonMethods>): Client<IntermonMethods> {
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
    return Object.fromEntries(watched) as Client<IntermonMethods>;
  }

  /** A core does not answer any more. */
  private lose(core: number, err: Errval): void {
    const peer = this.peers.get(core);
    if (peer === undefined) return;
    this.peers.delete(core);
    peer.link.outgoing.close();
    peer.link.incoming.close();
    this.set(core, 'failed', err);
    this.host.lost(core);
  }

  private set(core: number, state: CoreState['state'], err: Errval = OK): void {
    this.states[core] = { core, state, err };
    this.changes.ring();
  }

  /** The frame of a link, which the core that introduces both has made. */
  private describeFrame(owner: number, base: number): Result<Capref<'Frame'>> {
    const { os } = this.host;
    const slot = os.slots.alloc();
    if (!slot.ok) return slot;
    const kernel = new KernelCap(os.sys, TASK_KERNEL);
    const frame = kernel.create(slot.value, {
      type: 'Frame',
      rights: Rights.All,
      iftype: 0,
      base,
      bytes: LINK_BYTES,
      owner,
      arg0: 0,
      arg1: 0,
    });
    if (frame.ok) return frame;
    const err = os.slots.free(slot.value);
    assert(isOk(err), 'a slot that was just allocated can be freed');
    return frame;
  }

  /** Made when there is somebody to have a link with. */
  private get links(): CoreLinks {
    this.linkMaker ??= new CoreLinks(this.host.os, this.host.vspace);
    return this.linkMaker;
  }
}

/** Two cores, in either order. */
function pairOf(one: number, other: number): string {
  return `${Math.min(one, other)} ${Math.max(one, other)}`;
}

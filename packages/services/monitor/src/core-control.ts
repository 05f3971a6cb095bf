/**
 * What the first core does with the others: starts them, introduces every two of them, and stops
 * them. A core counts as running when it knows all others.
 */

import { alignDown, alignUp, BASE_PAGE_BITS, errPush, errTop } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  KernelCap,
  OsError,
  TASK_KERNEL,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { createMemorySource, type MemorySource } from '@barreleye/paging';
import { Err } from '@barreleye/spec';
import { CORE_OVERHEAD_BYTES, type CoreStarter, type StartedCore, startCore } from './boot-core.ts';
import { LINK_BYTES, type Link } from './link.ts';
import { type CoreState, PATIENCE_CYCLES, type Peers } from './peers.ts';

/** Least RAM that a core is given for itself. */
const MIN_CORE_BYTES = 2 * 2 ** 20;
/** Identifiers that a core has made which cannot say so: fewer. */
const UNKNOWN_IDS = 2 ** 20;
/** What must be left for the domains of the first core itself: its services, and a few programs. */
const MIN_OWN_BYTES = 6 * 2 ** 20;
/** Cycles between two looks whether a core is off. */
const LOOK_CYCLES = 10_000;

/** What `CoreControl` needs. */
export interface ControlHost extends CoreStarter {
  readonly peers: Peers;
  /** RAM that other cores could be given. */
  readonly leftBytes: () => number;
}

export class CoreControl {
  private readonly host: ControlHost;
  private readonly source: MemorySource;
  private readonly kernel: KernelCap;
  /** Cores that have been started, and not stopped. */
  private readonly started: Map<number, StartedCore>;
  /** Identifiers that each core has made, at most. */
  private readonly usedIds: Map<number, number>;
  /** Frames for links that others have with each other, by the two cores. */
  private readonly frames: Map<string, Capref<'Frame'>>;
  /** What others have said of their introductions, by core and whom it was introduced to. */
  private readonly introductions: Map<string, boolean>;
  /** RAM that each core is given. */
  private shareBytes: number;

  constructor(host: ControlHost) {
    const { os, account } = host;
    this.host = host;
    this.source = createMemorySource(os.sys, account, os.slots);
    this.kernel = new KernelCap(os.sys, TASK_KERNEL);
    this.started = new Map();
    this.usedIds = new Map();
    this.frames = new Map();
    this.introductions = new Map();
    this.shareBytes = 0;
  }

  /** RAM that other cores have. */
  get givenBytes(): number {
    let bytes = 0;
    for (const { givenBytes } of this.started.values()) bytes += givenBytes;
    return bytes;
  }

  /**
   * Start all other cores, each with an equal part of the RAM that is left. Where there is too
   * little for all of them, the last ones are not started: the first core must keep what it needs.
   */
  startAll(): void {
    const { boot, leftBytes, peers } = this.host;
    const others = peers.all().filter(({ state }) => state === 'off');
    for (const { core } of others) this.makeFrames(core);
    // What a core is made of is aligned to its size: that may take as much again.
    const each = Math.floor(leftBytes() / boot.coreCount) - 2 * CORE_OVERHEAD_BYTES;
    this.shareBytes = Math.max(alignDown(each, BASE_PAGE_BITS), MIN_CORE_BYTES);
    const coreBytes = this.shareBytes + CORE_OVERHEAD_BYTES;
    for (const { core } of others) {
      const isRoom = leftBytes() >= coreBytes + MIN_OWN_BYTES;
      if (isRoom) this.begin(core);
      else peers.set(core, 'failed', errPush(Err.INIT_ERR_QUOTA, Err.INIT_ERR_CORE));
    }
  }

  /**
   * Start a core that is off, or has failed, and wait until it runs. Not while another is stopped:
   * that one must not be introduced any more.
   * @errors MON_ERR_NOT_STARTER; MON_ERR_CORE_STATE it runs; INIT_ERR_CORE over the reason
   */
  *start(core: number): Wait<void> {
    const { peers } = this.host;
    yield* this.awaitTurn(core, ['off', 'failed'], 'stopping');
    this.makeFrames(core);
    this.begin(core);
    yield* peers.changes.until(() => peers.all()[core]?.state !== 'starting');
    const now = peers.all()[core];
    if (now?.state !== 'failed') return;
    const { err } = now;
    const saysSo = errTop(err) === Err.INIT_ERR_CORE;
    throw new OsError(saysSo ? err : errPush(err, Err.INIT_ERR_CORE));
  }

  /**
   * Stop a core: its domains end, no other core knows it any more, and its memory comes back. Not
   * while another is started, which may be about to have a link with this one.
   * @errors MON_ERR_NOT_STARTER; MON_ERR_CORE_STATE it does not run; SYS_ERR_CORE_START it does
   *   not end: what it has is lost
   */
  *stop(core: number): Wait<void> {
    const { peers } = this.host;
    yield* this.awaitTurn(core, ['running'], 'starting');
    const started = this.started.get(core);
    if (started === undefined) throw new OsError(Err.MON_ERR_CORE_STATE);
    const monitor = unwrap(peers.monitorOf(core));
    peers.set(core, 'stopping');
    const { lastId } = yield* monitor.endDomains({});
    this.usedIds.set(core, lastId);
    for (const other of peers.reachable()) {
      if (other !== core) yield* this.partFrom(other, core);
    }
    yield* monitor.switchOff({});
    yield* this.awaitOff(core);
    yield* peers.part(core);
    this.started.delete(core);
    started.takeBack();
    this.dropFrames(core);
    peers.set(core, 'off');
  }

  /**
   * Give a core that this one has started more RAM. It comes back when the core is stopped.
   * @errors MON_ERR_NOT_STARTER; INIT_ERR_QUOTA; those of the allocator
   */
  giveRam(core: number, bytes: number): { readonly base: number; readonly bytes: number } {
    const started = this.started.get(core);
    if (started === undefined) throw new OsError(Err.MON_ERR_NOT_STARTER);
    return unwrap(started.giveRam(alignUp(bytes, BASE_PAGE_BITS)));
  }

  /** A core has been introduced to another, or could not be. */
  met(core: number, to: number, isReached: boolean): void {
    this.introductions.set(`${core} ${to}`, isReached);
    this.host.peers.changes.ring();
  }

  /**
   * Wait until no core is in state `busy`; then, as before, `core` must be in one of `states`.
   * @errors MON_ERR_NOT_STARTER; MON_ERR_NO_CORE; MON_ERR_CORE_STATE
   */
  private *awaitTurn(
    core: number,
    states: readonly CoreState['state'][],
    busy: CoreState['state'],
  ): Wait<void> {
    const { boot, peers } = this.host;
    if (boot.coreId !== boot.startedBy) throw new OsError(Err.MON_ERR_NOT_STARTER);
    const check = (): void => {
      const state = peers.all()[core]?.state;
      if (state === undefined) throw new OsError(Err.MON_ERR_NO_CORE);
      if (!states.includes(state)) throw new OsError(Err.MON_ERR_CORE_STATE);
    };
    check();
    yield* peers.changes.until(() => peers.all().every(({ state }) => state !== busy));
    check();
  }

  private begin(core: number): void {
    const { os, peers } = this.host;
    const usedIds = this.usedIds.get(core) ?? 0;
    this.usedIds.set(core, usedIds + UNKNOWN_IDS); // until it has said how many
    const started = startCore(this.host, { core, ramBytes: this.shareBytes, usedIds });
    const link = started.ok ? peers.openLink(core, started.value.linkFrame) : started;
    if (started.ok) this.started.set(core, started.value);
    if (!link.ok) {
      peers.set(core, 'failed', link.err);
      return;
    }
    peers.set(core, 'starting');
    os.spawnThread(`starts core ${core}`, this.join(core, link.value));
  }

  /** Reach a core that was started, and introduce it to the others. */
  private *join(core: number, link: Link): Wait<void> {
    const { peers } = this.host;
    if (!(yield* peers.reach(core, link))) return;
    const others = peers.reachable().filter((other) => other !== core);
    for (const other of others) yield* this.introduce(other, core);
    peers.set(core, 'running');
  }

  /** Give two cores a link, and wait until they have met. */
  private *introduce(one: number, other: number): Wait<void> {
    const { peers, os } = this.host;
    const frame = this.frames.get(pairOf(one, other));
    if (frame === undefined) return;
    const { base } = unwrap(capIdentify(os.sys, frame));
    this.introductions.delete(`${one} ${other}`);
    this.introductions.delete(`${other} ${one}`);
    try {
      yield* unwrap(peers.monitorOf(one)).meet({ core: other, base, isFirst: 1 });
      yield* unwrap(peers.monitorOf(other)).meet({ core: one, base, isFirst: 0 });
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      return;
    }
    const isThere = (core: number): boolean => peers.monitorOf(core).ok;
    const isSettled = (core: number, to: number): boolean =>
      this.introductions.has(`${core} ${to}`) || !isThere(core) || !isThere(to);
    yield* peers.changes.until(() => isSettled(one, other) && isSettled(other, one));
  }

  /** Have `other` forget `core`. If it cannot, it is lost itself. */
  private *partFrom(other: number, core: number): Wait<void> {
    try {
      yield* unwrap(this.host.peers.monitorOf(other)).part({ core });
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
    }
  }

  private *awaitOff(core: number): Wait<void> {
    const { os, peers } = this.host;
    const deadline = os.now() + PATIENCE_CYCLES;
    while (!unwrap(this.kernel.isCoreOff(core))) {
      if (os.now() > deadline) {
        peers.set(core, 'failed', Err.SYS_ERR_CORE_START);
        throw new OsError(Err.SYS_ERR_CORE_START);
      }
      yield* os.sleep(LOOK_CYCLES);
    }
  }

  /** Frames for the links of a core with all others, while there is memory. */
  private makeFrames(core: number): void {
    const { coreCount, coreId } = this.host.boot;
    for (let other = 0; other < coreCount; other++) {
      if (other === core || other === coreId || this.frames.has(pairOf(core, other))) continue;
      const frame = this.source.allocFrame(LINK_BYTES);
      if (!frame.ok) return; // who has no link is told so when it wants to use it
      this.frames.set(pairOf(core, other), frame.value);
    }
  }

  private dropFrames(core: number): void {
    const { os, boot } = this.host;
    const { coreCount } = boot;
    for (let other = 0; other < coreCount; other++) {
      const frame = this.frames.get(pairOf(core, other));
      if (frame === undefined) continue;
      this.frames.delete(pairOf(core, other));
      os.check(this.source.freeFrame(frame));
    }
  }
}

/** Two cores, in either order. */
function pairOf(one: number, other: number): string {
  return `${Math.min(one, other)} ${Math.max(one, other)}`;
}

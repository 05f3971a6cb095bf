/**
 * The domains of this core that span others, as their home sees them (ADR 16): which cores they are
 * on, what of their memory is known there, and whom to tell of pages that are gone.
 */

import { fail, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  capCopy,
  KernelCap,
  type Os,
  OsError,
  TASK_KERNEL,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { Bell } from '@barreleye/rpc';
import { CteFlag, Err, ObjType, type VNodeTypeName } from '@barreleye/spec';
import { type Bells, createBell } from './bells.ts';
import type { Described } from './far-dispatchers.ts';
import type { MonitorOf, RemoteMonitor } from './intermon.ts';
import type { Party } from './party.ts';
import { ask } from './tell.ts';

const REMOTE = CteFlag.RemoteCopies;

/** What `Spans` needs. */
export interface SpansHost {
  readonly os: Os;
  readonly core: number;
  readonly bells: Bells;
  readonly monitorOf: MonitorOf;
}

/** A far dispatcher that a domain wants. */
export interface SpanWish {
  readonly core: number;
  /** The root of its VSpace, wherever that is held. */
  readonly root: Capref<VNodeTypeName>;
  /** The frame of the dispatcher: a capability that is the monitor's from now on. */
  readonly frame: Capref<'Frame'>;
  readonly frameVaddr: number;
}

/** A domain on one more core. */
interface Branch {
  readonly frame: Capref<'Frame'>;
  state: 'opening' | 'open' | 'closing';
}

/** A domain on several cores. */
interface Span {
  /** Our own capability of its root table: what it does with its own does not matter. */
  readonly root: Capref<VNodeTypeName>;
  readonly branches: Map<number, Branch>;
}

export class Spans<P extends Party> {
  private readonly host: SpansHost;
  private readonly kernel: KernelCap;
  private readonly byParty: Map<P, Span>;
  private readonly changes: Bell;

  constructor(host: SpansHost) {
    this.host = host;
    this.kernel = new KernelCap(host.os.sys, TASK_KERNEL);
    this.byParty = new Map();
    this.changes = new Bell(host.os.scheduler, 'far dispatchers');
  }

  /** Domains that span. */
  get count(): number {
    return this.byParty.size;
  }

  /** Whether `party` is on other cores, or about to be. */
  isSpanning(party: P): boolean {
    return this.byParty.has(party);
  }

  /** Run a dispatcher of `party` there; what notifies it. @errors those of `System.span` */
  *open(party: P, wish: SpanWish): Wait<Capref<'Notify_IPI'>> {
    const { os, bells } = this.host;
    const { core, frame, frameVaddr } = wish;
    const prepared = this.prepare(party, wish);
    if (!prepared.ok) {
      os.drop(frame);
      throw new OsError(prepared.err);
    }
    const { span, branch, monitor } = prepared.value;
    try {
      const { line } = yield* monitor.span({
        domain: party.id,
        root: this.share(span.root),
        frame: this.share(frame),
        frameVaddr,
        line: unwrap(bells.find(party)),
      });
      branch.state = 'open';
      return unwrap(createBell(os, core, line));
    } catch (error) {
      if (branch.state === 'open') yield* this.close(party, core);
      else this.forget(party, core);
      throw error;
    } finally {
      this.changes.ring();
    }
  }

  /** End the dispatcher of `party` on another core. @errors LIB_ERR_NOT_SPANNED */
  *close(party: P, core: number): Wait<void> {
    const branch = this.byParty.get(party)?.branches.get(core);
    if (branch?.state !== 'open') throw new OsError(Err.LIB_ERR_NOT_SPANNED);
    branch.state = 'closing';
    // A core that is no more has nothing of the domain either.
    yield* ask(this.host.monitorOf, core, (monitor) => monitor.unspan({ domain: party.id }));
    this.forget(party, core);
  }

  /** Wait until `party` is not on that core: it has left, or the core is no more. */
  *awaitLeft(party: P, core: number): Wait<void> {
    yield* this.changes.until(() => this.byParty.get(party)?.branches.has(core) !== true);
  }

  /** Have the far dispatchers of `party` not run, or run on, as soon as their cores hear of it. */
  setStopped(party: P, isStopped: boolean): void {
    for (const core of this.coresOf(party)) {
      const wish = { domain: party.id, isStopped: isStopped ? 1 : 0 };
      const told = ask(this.host.monitorOf, core, (monitor) => monitor.setFarStopped(wish));
      this.host.os.spawnThread(`stops a dispatcher on core ${core}`, told);
    }
  }

  /** `party` ends: nothing of its memory is known on any other core when this comes back. */
  *closeAll(party: P): Wait<void> {
    const { os } = this.host;
    const span = this.byParty.get(party);
    if (span === undefined) return;
    yield* this.changes.until(() =>
      [...span.branches.values()].every((b) => b.state !== 'opening'),
    );
    for (const [core, { state }] of [...span.branches]) {
      if (state === 'open') os.spawnThread(`leaves core ${core}`, this.close(party, core));
    }
    yield* this.changes.until(() => !this.byParty.has(party));
  }

  /** The other cores that `party` is on, or about to be. */
  coresOf(party: P): readonly number[] {
    return [...(this.byParty.get(party)?.branches.keys() ?? [])];
  }

  /** Another core is no more: nothing runs there, and nobody there knows anything. */
  coreEnded(core: number): void {
    for (const [party, { branches }] of [...this.byParty]) {
      if (branches.get(core)?.state === 'open') this.forget(party, core);
    }
  }

  /** Check a wish, and note it. */
  private prepare(
    party: P,
    { core, root, frame }: SpanWish,
  ): Result<{
    readonly span: Span;
    readonly branch: Branch;
    readonly monitor: RemoteMonitor;
  }> {
    const { bells } = this.host;
    if (core === this.host.core) return fail(Err.MON_ERR_SAME_CORE);
    const monitor = this.host.monitorOf(core);
    if (!monitor.ok) return monitor;
    const line = bells.find(party);
    if (!line.ok) return line;
    const known = this.byParty.get(party);
    if (known?.branches.has(core)) return fail(Err.LIB_ERR_SPANNED);
    const span = known === undefined ? this.begin(party, root) : succeed(known);
    if (!span.ok) return span;
    const branch: Branch = { frame, state: 'opening' };
    span.value.branches.set(core, branch);
    return succeed({ span: span.value, branch, monitor: monitor.value });
  }

  private begin(party: P, root: Capref<VNodeTypeName>): Result<Span> {
    const { os } = this.host;
    const copy = os.slots.fill((slot) => capCopy(os.sys, slot, root));
    if (!copy.ok) return copy;
    const span: Span = { root: copy.value, branches: new Map() };
    this.byParty.set(party, span);
    return succeed(span);
  }

  /** Other cores know the object from now on: it stays as long as they do. */
  private share(cap: Capref): Described {
    const { type, rights, base, bytes } = unwrap(this.kernel.identify(cap));
    unwrap(this.kernel.setRelations(cap, REMOTE, REMOTE));
    return { type: ObjType[type], rights, base, bytes };
  }

  /** No other core knows it any more. */
  private unshare(cap: Capref): void {
    const { os } = this.host;
    unwrap(this.kernel.setRelations(cap, 0, REMOTE));
    os.drop(cap);
  }

  /** `party` is on that core no more. */
  private forget(party: P, core: number): void {
    const span = this.byParty.get(party);
    const branch = span?.branches.get(core);
    if (span === undefined || branch === undefined) return;
    span.branches.delete(core);
    this.unshare(branch.frame);
    if (span.branches.size === 0) {
      this.byParty.delete(party);
      this.unshare(span.root);
    }
    this.changes.ring();
  }
}

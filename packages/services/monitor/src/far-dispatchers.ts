/** The dispatchers on this core of domains of other cores (ADR 16). */

import { asPaddr } from '@barreleye/core';
import {
  type CapIdentity,
  type Capref,
  dispatcherResume,
  dispatcherStop,
  type Os,
  OsError,
  type RamSource,
  unwrap,
} from '@barreleye/libos';
import { createMemorySource } from '@barreleye/paging';
import { type FarDispatcher, spawnFar } from '@barreleye/spawn';
import {
  CAP_TYPE_COUNT,
  CAP_TYPE_NAMES,
  capTypeInfo,
  Err,
  Rights,
  type VNodeTypeName,
} from '@barreleye/spec';
import { type Bells, createBell } from './bells.ts';

/** What `FarDispatchers` needs. */
export interface FarHost {
  readonly os: Os;
  /** Lines of this core. */
  readonly bells: Bells;
  /** What their CSpaces and control blocks are made of. */
  readonly account: RamSource;
}

/** An object as monitors describe it to each other. */
export interface Described {
  readonly type: number;
  readonly rights: number;
  readonly base: number;
  readonly bytes: number;
}

/** What a monitor says of a dispatcher: see `Intermon.span`. */
export interface FarWish {
  /** Its number on its core. */
  readonly domain: number;
  readonly root: Described;
  readonly frame: Described;
  readonly frameVaddr: number;
  /** At which its home is notified. */
  readonly line: number;
}

/** One of them. */
interface Entry {
  readonly home: number;
  readonly dispatcher: Capref<'Dispatcher'>;
  /** Take it apart, the last step first. */
  readonly undo: readonly (() => void)[];
}

export class FarDispatchers {
  private readonly host: FarHost;
  private readonly entries: Map<string, Entry>;
  private isClosed: boolean;

  constructor(host: FarHost) {
    this.host = host;
    this.entries = new Map();
    this.isClosed = false;
  }

  /** How many there are. */
  get count(): number {
    return this.entries.size;
  }

  /**
   * Make one for a domain of core `home` and run it; the line at which it is notified.
   * @errors MON_ERR_NO_CORE this core ends; LIB_ERR_SPANNED; SYS_ERR_DISP_VSPACE_INVALID,
   *   SYS_ERR_DISP_FRAME_INVALID they are no such objects; MON_ERR_NO_LINE; LIB_ERR_SPAWN over the
   *   reason
   */
  open(home: number, wish: FarWish): number {
    const { os, bells, account } = this.host;
    const { domain, frameVaddr } = wish;
    const key = keyOf(home, domain);
    if (this.isClosed) throw new OsError(Err.MON_ERR_NO_CORE);
    if (this.entries.has(key)) throw new OsError(Err.LIB_ERR_SPANNED);
    const rootTable = rootOf(home, wish.root);
    const frame = frameOf(home, wish.frame);
    const owner = {};
    const { line, irq } = unwrap(bells.reserve(owner));
    const undo = [() => bells.remove(owner)];
    let far: FarDispatcher;
    try {
      const bell = unwrap(createBell(os, home, wish.line));
      undo.push(() => os.drop(bell));
      const source = createMemorySource(os.sys, account, os.slots);
      const parts = { rootTable, frame, frameVaddr, line: irq, bell };
      far = unwrap(spawnFar(os.sys, source, { home: { core: home, domain }, ...parts }));
      undo.push(() => os.check(far.kill()));
    } catch (error) {
      undoAll(undo);
      throw error;
    }
    this.entries.set(key, { home, dispatcher: far.dispatcher, undo });
    return line;
  }

  /** Have one not run, or run on; nothing if it has died. */
  setStopped(home: number, domain: number, isStopped: boolean): void {
    const entry = this.entries.get(keyOf(home, domain));
    const change = isStopped ? dispatcherStop : dispatcherResume;
    if (entry !== undefined) change(this.host.os.sys, entry.dispatcher);
  }

  /** End one, if there is one: nothing of the memory of its domain is known here then. */
  close(home: number, domain: number): void {
    const key = keyOf(home, domain);
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    undoAll(entry.undo);
  }

  /** This core ends: all of them do, and there are no more. */
  closeAll(): void {
    this.isClosed = true;
    for (const { undo } of this.entries.values()) undoAll(undo);
    this.entries.clear();
  }

  /** Another core is no more, and its domains with it. */
  coreEnded(core: number): void {
    for (const [key, { home, undo }] of [...this.entries]) {
      if (home !== core) continue;
      this.entries.delete(key);
      undoAll(undo);
    }
  }
}

function rootOf(
  owner: number,
  described: Described,
): CapIdentity & { readonly type: VNodeTypeName } {
  const isRoot = described.type < CAP_TYPE_COUNT && capTypeInfo(described.type).vspaceRoot;
  if (!isRoot) throw new OsError(Err.SYS_ERR_DISP_VSPACE_INVALID);
  const type = CAP_TYPE_NAMES[described.type] as VNodeTypeName;
  return { ...identityOf(owner, described), type };
}

function frameOf(owner: number, described: Described): CapIdentity & { readonly type: 'Frame' } {
  const isFrame = CAP_TYPE_NAMES[described.type] === 'Frame';
  if (!isFrame) throw new OsError(Err.SYS_ERR_DISP_FRAME_INVALID);
  return { ...identityOf(owner, described), type: 'Frame' };
}

/** Nobody here can do more with it than whoever gave it. */
function identityOf(owner: number, { rights, base, bytes }: Described): Omit<CapIdentity, 'type'> {
  const none = { iftype: 0, arg0: 0, arg1: 0 };
  return { ...none, rights: rights & Rights.Lent, base: asPaddr(base), bytes, owner };
}

function undoAll(undo: readonly (() => void)[]): void {
  for (const step of undo.toReversed()) step();
}

function keyOf(home: number, domain: number): string {
  return `${home} ${domain}`;
}

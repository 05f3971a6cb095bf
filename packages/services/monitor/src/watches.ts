/** The ends of domains of other cores, as their monitors tell them. */

import { fail, type Result, succeed } from '@barreleye/core';
import { OsError, unwrap, type Wait } from '@barreleye/libos';
import type { DomainEnd } from '@barreleye/program';
import { Bell, type Threads } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import type { MonitorOf } from './intermon.ts';

/** Ends that are kept for an owner who does not ask. */
const MAX_UNREAD_ENDS = 32;

/** What became of a domain whose core is no more. */
const LOST: DomainEnd = { how: 'faulted', value: 0, report: 'its core has stopped' };

/** A domain that is to be started elsewhere. */
interface FarStart {
  readonly core: number;
  /** Who starts it, and whether that has ended. */
  readonly owner: object;
  readonly isOver: () => boolean;
  /** Hears of its end. */
  readonly onEnd: () => void;
}

/** A domain of another core whose end somebody here wants to hear of. */
interface Entry {
  readonly core: number;
  readonly id: number;
  /** Why it cannot be watched. */
  failure?: OsError;
  /** Who has started it, as long as that lives: its end is kept until the owner has asked. */
  owner: object | undefined;
  readonly onEnd: (() => void) | undefined;
  end: DomainEnd | undefined;
}

export class Watches {
  private readonly monitorOf: MonitorOf;
  private readonly entries: Map<string, Entry>;
  /** Starts that are not answered yet, by core; and ends there that nobody can know of before. */
  private readonly starts: Map<number, number>;
  private readonly earlyEnds: Map<string, DomainEnd>;
  private readonly news: Bell;

  constructor(threads: Threads, monitorOf: MonitorOf) {
    this.monitorOf = monitorOf;
    this.entries = new Map();
    this.starts = new Map();
    this.earlyEnds = new Map();
    this.news = new Bell(threads, 'the end of a domain of another core');
  }

  /** Domains that are watched, or whose ends nobody has asked for. */
  get count(): number {
    return this.entries.size;
  }

  /**
   * Have a domain started by `spawn`, which returns its number. Its owner hears of its end without
   * asking for that, also if it comes before the answer: they travel apart.
   */
  *start({ core, owner, isOver, onEnd }: FarStart, spawn: Wait<number>): Wait<number> {
    const { starts, earlyEnds } = this;
    starts.set(core, (starts.get(core) ?? 0) + 1);
    try {
      const id = yield* spawn;
      this.add({ core, id, owner: isOver() ? undefined : owner, onEnd, end: undefined });
      return id;
    } finally {
      const leftCount = (starts.get(core) ?? 1) - 1;
      if (leftCount > 0) {
        starts.set(core, leftCount);
      } else {
        starts.delete(core);
        // Those that are left are of domains that nobody here has started.
        for (const key of earlyEnds.keys()) if (isOn(core, key)) earlyEnds.delete(key);
      }
    }
  }

  /**
   * Wait until a domain has ended, or `asker` has.
   * @errors SPAWN_ERR_NO_DOMAIN; MON_ERR_NO_CORE; SPAWN_ERR_ENDED `isOver` first
   */
  *awaitEnd(
    core: number,
    id: number,
    asker: object,
    isOver: () => boolean,
  ): Wait<Result<DomainEnd>> {
    const key = keyOf(core, id);
    const entry = this.entries.get(key) ?? (yield* this.watch(core, id));
    const isKnown = (): boolean => entry.end !== undefined || entry.failure !== undefined;
    yield* this.news.until(() => isKnown() || isOver());
    if (entry.failure !== undefined) throw entry.failure;
    if (entry.end === undefined) return fail(Err.SPAWN_ERR_ENDED);
    const isRead = entry.owner === undefined || entry.owner === asker;
    if (isRead && this.entries.get(key) === entry) this.entries.delete(key);
    return succeed(entry.end);
  }

  /** Somebody is no more: nobody asks for the ends of what it has started. */
  ownerEnded(owner: object): void {
    for (const [key, entry] of [...this.entries]) {
      if (entry.owner !== owner) continue;
      entry.owner = undefined;
      if (entry.end !== undefined) this.entries.delete(key);
    }
    this.news.ring();
  }

  /** A domain has ended. */
  ended(core: number, id: number, end: DomainEnd): void {
    const key = keyOf(core, id);
    const entry = this.entries.get(key);
    if (entry === undefined && this.starts.has(core)) this.earlyEnds.set(key, end);
    if (entry === undefined || entry.end !== undefined) return;
    entry.end = end;
    entry.onEnd?.();
    if (entry.owner === undefined) this.entries.delete(key);
    else this.limitUnread(entry.owner);
    this.news.ring();
  }

  /** A core is no more, and all its domains with it. */
  coreEnded(core: number): void {
    for (const entry of [...this.entries.values()]) {
      if (entry.core === core) this.ended(core, entry.id, LOST);
    }
  }

  private add(entry: Entry): void {
    const { core, id } = entry;
    const key = keyOf(core, id);
    this.entries.set(key, entry);
    const end = this.earlyEnds.get(key);
    if (end === undefined) return;
    this.earlyEnds.delete(key);
    this.ended(core, id, end);
  }

  /** Have a domain watched that nobody here has started. */
  private *watch(core: number, id: number): Wait<Entry> {
    const key = keyOf(core, id);
    const entry: Entry = { core, id, owner: undefined, onEnd: undefined, end: undefined };
    this.entries.set(key, entry);
    try {
      yield* unwrap(this.monitorOf(core)).watch({ id });
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      // Others may wait for the same one meanwhile.
      if (error instanceof OsError) entry.failure = error;
      this.news.ring();
      throw error;
    }
    return entry;
  }

  /** Keep the newest ends that `owner` has not asked for. */
  private limitUnread(owner: object): void {
    const unread = [...this.entries].filter(
      ([, entry]) => entry.owner === owner && entry.end !== undefined,
    );
    for (const [key] of unread.slice(0, -MAX_UNREAD_ENDS)) this.entries.delete(key);
  }
}

function keyOf(core: number, id: number): string {
  return `${core}.${id}`;
}

function isOn(core: number, key: string): boolean {
  return key.startsWith(`${core}.`);
}

/** The ends of domains of other cores, as their monitors tell them. */

import { fail, type Result, succeed } from '@barreleye/core';
import { unwrap, type Wait } from '@barreleye/libos';
import type { DomainEnd } from '@barreleye/program';
import { Bell, type Client, type Threads } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import type { IntermonMethods } from './intermon.ts';

/** Ends that are kept for an owner who does not ask. */
const MAX_UNREAD_ENDS = 32;

/** What became of a domain whose core is no more. */
const LOST: DomainEnd = { how: 'faulted', value: 0, report: 'its core has stopped' };

/** A domain of another core whose end somebody here wants to hear of. */
interface Entry {
  readonly core: number;
  readonly id: number;
  /** Who has started it, as long as that lives: its end is kept until the owner has asked. */
  owner: object | undefined;
  readonly onEnd: (() => void) | undefined;
  end: DomainEnd | undefined;
}

export class Watches {
  private readonly monitorOf: (core: number) => Result<Client<IntermonMethods>>;
  private readonly entries: Map<string, Entry>;
  private readonly news: Bell;

  constructor(threads: Threads, monitorOf: (core: number) => Result<Client<IntermonMethods>>) {
    this.monitorOf = monitorOf;
    this.entries = new Map();
    this.news = new Bell(threads, 'the end of a domain of another core');
  }

  /** Domains that are watched, or whose ends nobody has asked for. */
  get count(): number {
    return this.entries.size;
  }

  /** `owner` has started the domain there, and is told of its end without asking for that. */
  add(core: number, id: number, owner: object, onEnd: () => void): void {
    this.entries.set(keyOf(core, id), { core, id, owner, onEnd, end: undefined });
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
    yield* this.news.until(() => entry.end !== undefined || isOver());
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
    const entry = this.entries.get(keyOf(core, id));
    if (entry === undefined || entry.end !== undefined) return;
    entry.end = end;
    entry.onEnd?.();
    if (entry.owner === undefined) this.entries.delete(keyOf(core, id));
    else this.limitUnread(entry.owner);
    this.news.ring();
  }

  /** A core is no more, and all its domains with it. */
  coreEnded(core: number): void {
    for (const entry of [...this.entries.values()]) {
      if (entry.core === core) this.ended(core, entry.id, LOST);
    }
  }

  /** Have a domain watched that nobody here has started. */
  private *watch(core: number, id: number): Wait<Entry> {
    const key = keyOf(core, id);
    const entry: Entry = { core, id, owner: undefined, onEnd: undefined, end: undefined };
    this.entries.set(key, entry);
    try {
      yield* unwrap(this.monitorOf(core)).watch({ id });
    } catch (error) {
      this.entries.delete(key);
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

/**
 * Names, who owns them and what they stand for; and who waits for one that there is not yet. What
 * an owner and an entry are, is its user's business.
 */

import { assert, type Errval, fail, OK, type Result, succeed } from '@barreleye/core';
import { Err } from '@barreleye/spec';
import { isServiceName } from './name.ts';
import { NameTree } from './name-tree.ts';

/** Names that one owner can have at a time, unless a registry is told otherwise. */
export const MAX_NAMES_PER_OWNER = 64;

/** A name that is taken. */
export interface Registration<O, E> {
  readonly name: string;
  readonly owner: O;
  readonly entry: E;
}

/** Which names to list. */
export interface Listing {
  /** They begin with this. */
  readonly prefix?: string;
  /** They stand behind this one: the last name of a listing that goes on. */
  readonly after?: string | undefined;
  readonly maxCount?: number;
}

/** Is told the entry of the name that it waits for, once. */
export type Found<E> = (entry: E) => void;

export class Registry<O, E> {
  private readonly maxNamesPerOwner: number;
  private readonly taken: Map<string, Registration<O, E>>;
  /** The same in order. */
  private readonly ordered: NameTree<Registration<O, E>>;
  /** Owners that have names, and these. */
  private readonly owned: Map<O, Set<string>>;
  /** Names that somebody waits for. None of them is taken. */
  private readonly waits: Map<string, Set<Found<E>>>;

  constructor(maxNamesPerOwner: number = MAX_NAMES_PER_OWNER) {
    this.maxNamesPerOwner = maxNamesPerOwner;
    this.taken = new Map();
    this.ordered = new NameTree();
    this.owned = new Map();
    this.waits = new Map();
  }

  /** Names that are taken. */
  get count(): number {
    return this.taken.size;
  }

  /** Names that somebody waits for. */
  get awaitedCount(): number {
    return this.waits.size;
  }

  /**
   * Let `name` stand for `entry`, and tell all who wait for it.
   * @errors NAME_ERR_INVALID; NAME_ERR_EXISTS; NAME_ERR_FULL the owner has as many as it can have
   */
  register(owner: O, name: string, entry: E): Errval {
    if (!isServiceName(name)) return Err.NAME_ERR_INVALID;
    if (this.taken.has(name)) return Err.NAME_ERR_EXISTS;
    const owned = this.owned.get(owner) ?? new Set();
    if (owned.size >= this.maxNamesPerOwner) return Err.NAME_ERR_FULL;
    this.owned.set(owner, owned.add(name));
    const registration = { name, owner, entry };
    this.taken.set(name, registration);
    this.ordered.add(name, registration);
    const waits = this.waits.get(name);
    this.waits.delete(name);
    for (const found of waits ?? []) found(entry);
    return OK;
  }

  /** Free a name; what it stood for. @errors NAME_ERR_UNKNOWN; NAME_ERR_NOT_OWNER */
  deregister(owner: O, name: string): Result<E> {
    const registration = this.taken.get(name);
    if (registration === undefined) return fail(Err.NAME_ERR_UNKNOWN);
    if (registration.owner !== owner) return fail(Err.NAME_ERR_NOT_OWNER);
    const owned = this.owned.get(owner);
    assert(owned?.delete(name) === true, 'a name is among those of its owner');
    if (owned.size === 0) this.owned.delete(owner);
    this.taken.delete(name);
    this.ordered.remove(name);
    return succeed(registration.entry);
  }

  /** Free all names of `owner`, in order; what they stood for. */
  dropOwner(owner: O): E[] {
    const names = [...(this.owned.get(owner) ?? [])].sort();
    const entries: E[] = [];
    for (const name of names) {
      const dropped = this.deregister(owner, name);
      if (dropped.ok) entries.push(dropped.value);
    }
    return entries;
  }

  /** Who has `name`, and what it stands for. @errors NAME_ERR_UNKNOWN */
  lookup(name: string): Result<Registration<O, E>> {
    const registration = this.taken.get(name);
    return registration === undefined ? fail(Err.NAME_ERR_UNKNOWN) : succeed(registration);
  }

  /**
   * Call `found` when somebody registers `name`; at once if it is taken already.
   * @errors NAME_ERR_INVALID nobody ever will
   */
  waitFor(name: string, found: Found<E>): Errval {
    if (!isServiceName(name)) return Err.NAME_ERR_INVALID;
    const registration = this.taken.get(name);
    if (registration === undefined) {
      const waits = this.waits.get(name) ?? new Set();
      this.waits.set(name, waits.add(found));
    } else {
      found(registration.entry);
    }
    return OK;
  }

  /** Do not call `found` any more, if it still waits. */
  cancelWait(name: string, found: Found<E>): void {
    const waits = this.waits.get(name);
    if (waits?.delete(found) && waits.size === 0) this.waits.delete(name);
  }

  /** Names that are taken, in order. */
  list({ prefix = '', after = '', maxCount = Infinity }: Listing = {}): Registration<O, E>[] {
    const listed: Registration<O, E>[] = [];
    this.ordered.visitFrom(after > prefix ? after : prefix, (registration) => {
      const { name } = registration;
      if (!name.startsWith(prefix) || listed.length >= maxCount) return false;
      if (name !== after) listed.push(registration);
      return true;
    });
    return listed;
  }
}

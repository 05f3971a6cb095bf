/**
 * A registry of endpoints. It owns the capabilities of its entries and deletes those that go. An
 * endpoint can go by itself, with the domain that listened there: its name is free from then on.
 */

import { type Errval, fail, isOk, OK, type Result, succeed } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import type { NameInfo } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import type { CapStore } from './cap-store.ts';
import { type Found, type Listing, type Registration, Registry } from './registry.ts';

/** What a name stands for. */
export interface Entry {
  readonly endpoint: Capref<'EndPointLMP'>;
  readonly interfaceName: string;
  readonly domainId: number;
}

export class Directory {
  private readonly caps: CapStore;
  private readonly registry: Registry<object, Entry>;

  constructor(caps: CapStore, maxNamesPerOwner?: number) {
    this.caps = caps;
    this.registry = new Registry(maxNamesPerOwner);
  }

  /** Names that are taken, and names that somebody waits for. */
  get counts(): readonly [taken: number, awaited: number] {
    return [this.registry.count, this.registry.awaitedCount];
  }

  /** Takes over the endpoint; on a failure it is deleted. @errors those of `Registry.register` */
  register(owner: object, name: string, entry: Entry): Errval {
    this.lookup(name); // it may be that of a listener that is gone
    const err = this.registry.register(owner, name, entry);
    if (!isOk(err)) this.caps.drop(entry.endpoint);
    return err;
  }

  /** @errors NAME_ERR_UNKNOWN; NAME_ERR_NOT_OWNER */
  deregister(owner: object, name: string): Errval {
    const freed = this.registry.deregister(owner, name);
    if (!freed.ok) return freed.err;
    this.caps.drop(freed.value.endpoint);
    return OK;
  }

  /** All names of an owner go. */
  dropOwner(owner: object): void {
    for (const { endpoint } of this.registry.dropOwner(owner)) this.caps.drop(endpoint);
  }

  /** @errors NAME_ERR_UNKNOWN */
  lookup(name: string): Result<Entry> {
    const found = this.registry.lookup(name);
    if (!found.ok) return found;
    return this.isAlive(found.value) ? succeed(found.value.entry) : fail(Err.NAME_ERR_UNKNOWN);
  }

  /** `found` looks again: the listener may be gone by then. @errors NAME_ERR_INVALID */
  waitFor(name: string, found: Found<Entry>): Errval {
    return this.registry.waitFor(name, found);
  }

  cancelWait(name: string, found: Found<Entry>): void {
    this.registry.cancelWait(name, found);
  }

  /** Names that are taken, in order. */
  list(listing: Listing): NameInfo[] {
    for (;;) {
      const listed = this.registry.list(listing);
      // If any was not, others have moved up in its place.
      if (listed.filter((each) => !this.isAlive(each)).length > 0) continue;
      return listed.map(({ name, entry: { interfaceName, domainId } }) => {
        return { name, interfaceName, domainId };
      });
    }
  }

  /** Whether somebody can still listen there. If not, the name is free now. */
  private isAlive({ owner, name, entry }: Registration<object, Entry>): boolean {
    if (this.caps.identify(entry.endpoint) !== undefined) return true;
    this.deregister(owner, name);
    return false;
  }
}

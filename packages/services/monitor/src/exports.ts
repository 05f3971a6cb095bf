/** The services of this core, by reference. References are never used again. */

import { fail, type Result, succeed } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import { irefCore, MAX_IREFS, makeIref } from '@barreleye/program';
import { Err } from '@barreleye/spec';

/** Services that one domain can export at a time. */
export const MAX_EXPORTS_PER_OWNER = 64;

/** A service: who listens, and where. */
export interface Export<O> {
  readonly iref: number;
  readonly owner: O;
  readonly endpoint: Capref<'EndPointLMP'>;
}

export class Exports<O extends object> {
  private readonly core: number;
  private readonly byIref: Map<number, Export<O>>;
  private readonly counts: Map<O, number>;
  private usedCount: number;

  /** @param usedCount references that the core has given out before */
  constructor(core: number, usedCount = 0) {
    this.core = core;
    this.byIref = new Map();
    this.counts = new Map();
    this.usedCount = usedCount;
  }

  /** The number of the last reference. */
  get lastIndex(): number {
    return this.usedCount;
  }

  /** Takes over `endpoint` if it succeeds. @errors MON_ERR_TOO_MANY */
  add(owner: O, endpoint: Capref<'EndPointLMP'>): Result<number> {
    const count = this.counts.get(owner) ?? 0;
    if (count === MAX_EXPORTS_PER_OWNER || this.usedCount === MAX_IREFS) {
      return fail(Err.MON_ERR_TOO_MANY);
    }
    this.usedCount += 1;
    const iref = makeIref(this.core, this.usedCount);
    this.byIref.set(iref, { iref, owner, endpoint });
    this.counts.set(owner, count + 1);
    return succeed(iref);
  }

  /** @errors MON_ERR_OTHER_CORE; MON_ERR_NO_SERVICE */
  find(iref: number): Result<Export<O>> {
    if (irefCore(iref) !== this.core) return fail(Err.MON_ERR_OTHER_CORE);
    const found = this.byIref.get(iref);
    return found === undefined ? fail(Err.MON_ERR_NO_SERVICE) : succeed(found);
  }

  /** Forget a service of `owner`; its endpoint goes to the caller. @errors MON_ERR_NO_SERVICE */
  remove(owner: O, iref: number): Result<Capref<'EndPointLMP'>> {
    const found = this.byIref.get(iref);
    if (found?.owner !== owner) return fail(Err.MON_ERR_NO_SERVICE);
    this.byIref.delete(iref);
    const count = (this.counts.get(owner) ?? 0) - 1;
    if (count === 0) this.counts.delete(owner);
    else this.counts.set(owner, count);
    return succeed(found.endpoint);
  }

  /** Forget all services of `owner`; their endpoints. */
  removeAll(owner: O): Capref<'EndPointLMP'>[] {
    if (!this.counts.has(owner)) return [];
    const endpoints: Capref<'EndPointLMP'>[] = [];
    for (const each of [...this.byIref.values()]) {
      if (each.owner !== owner) continue;
      endpoints.push(each.endpoint);
      this.remove(owner, each.iref);
    }
    return endpoints;
  }
}

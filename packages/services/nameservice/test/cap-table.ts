/**
 * Capabilities without a kernel: what is in which slot. Like the system, it refuses to free a slot
 * twice, and capabilities vanish from their slots when their object does.
 */

import { assert, fail, type Result, succeed } from '@barreleye/core';
import { type CapIdentity, type Capref, capref, holds } from '@barreleye/libos';
import { type CapTypeName, Err } from '@barreleye/spec';
import type { CapStore } from '../src/index.ts';

/** Root slot of the first CNode of the table. A slot is never used again, so each has a history. */
const FIRST_CNODE = 100;

export class CapTable implements CapStore {
  /** Copies that can be had before the slots run out. */
  slotsLeft = Infinity;
  /** Slots that are taken, by address; undefined: the capability is gone, the slot is not. */
  private readonly taken = new Map<number, CapIdentity | undefined>();
  private readonly history = new Map<number, CapIdentity>();

  /** Slots that are taken. */
  get count(): number {
    return this.taken.size;
  }

  /** A capability of object `base` in a slot of its own. */
  put<T extends CapTypeName>(type: T, base: number): Capref<T> {
    return this.fill(type, {
      type,
      rights: 31,
      iftype: 0,
      base,
      bytes: 0,
      owner: 0,
      arg0: 0,
      arg1: base,
    });
  }

  /** An object ends: its capabilities vanish. */
  end(base: number): void {
    for (const [cptr, identity] of this.taken) {
      if (identity?.base === base) this.taken.set(cptr, undefined);
    }
  }

  /** The object that `cap` was a capability of. */
  baseOf(cap: Capref): number | undefined {
    return this.history.get(cap.cptr)?.base;
  }

  identify(cap: Capref): CapIdentity | undefined {
    return this.taken.get(cap.cptr);
  }

  copy(cap: Capref<'EndPointLMP'>): Result<Capref<'EndPointLMP'>> {
    const identity = this.taken.get(cap.cptr);
    if (this.slotsLeft === 0) return fail(Err.LIB_ERR_SLOT_ALLOC_NO_SPACE);
    if (identity === undefined) return fail(Err.SYS_ERR_CAP_NOT_FOUND);
    return succeed(this.fill('EndPointLMP', identity));
  }

  drop(cap: Capref): void {
    assert(this.taken.has(cap.cptr), 'a slot is given back once');
    this.taken.delete(cap.cptr);
    this.slotsLeft += 1;
  }

  private fill<T extends CapTypeName>(_type: T, identity: CapIdentity): Capref<T> {
    const place = this.history.size;
    const slot = capref<'Null'>(FIRST_CNODE + Math.floor(place / 256), place % 256);
    this.taken.set(slot.cptr, identity);
    this.history.set(slot.cptr, identity);
    this.slotsLeft -= 1;
    return holds<T>(slot);
  }
}

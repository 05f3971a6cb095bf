/**
 * What the name service does with capabilities: those that it was sent, and copies that it gives
 * away. In a test without a kernel, a table takes the place of the system.
 */

import { assert, isOk, type Result } from '@barreleye/core';
import {
  type CapIdentity,
  type Capref,
  capCopy,
  capDelete,
  capIdentify,
  type SlotAllocator,
  type Sys,
} from '@barreleye/libos';

export interface CapStore {
  /** What a capability says; undefined when it is gone: its object is, or somebody revoked it. */
  identify(cap: Capref): CapIdentity | undefined;
  /** A copy in a slot of its own. @errors no slot is free; those of the kernel */
  copy(cap: Capref<'EndPointLMP'>): Result<Capref<'EndPointLMP'>>;
  /** Delete a capability, if it is not gone already, and give its slot back. */
  drop(cap: Capref): void;
}

/** The capabilities of this domain. */
export class DomainCaps implements CapStore {
  private readonly sys: Sys;
  private readonly slots: SlotAllocator;

  constructor(sys: Sys, slots: SlotAllocator) {
    this.sys = sys;
    this.slots = slots;
  }

  identify(cap: Capref): CapIdentity | undefined {
    const identity = capIdentify(this.sys, cap);
    return identity.ok ? identity.value : undefined;
  }

  copy(cap: Capref<'EndPointLMP'>): Result<Capref<'EndPointLMP'>> {
    const slot = this.slots.alloc();
    if (!slot.ok) return slot;
    const copied = capCopy(this.sys, slot.value, cap);
    if (!copied.ok) this.free(slot.value);
    return copied;
  }

  drop(cap: Capref): void {
    capDelete(this.sys, cap); // refused when it is gone already: then the slot is empty as well
    this.free(cap);
  }

  private free(slot: Capref): void {
    assert(isOk(this.slots.free(slot)), 'what is dropped was received or copied here');
  }
}

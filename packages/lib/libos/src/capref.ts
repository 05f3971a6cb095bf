/**
 * Capability references: how user code names a capability. A reference is an address, not an
 * authority; the kernel looks it up at every use. The type parameter is the compiler's memory of
 * what the slot holds, so that a wrong retype does not compile.
 */

import { assert, type CapAddr, capAddr } from '@barreleye/core';
import {
  type CapTypeName,
  CPTR_ROOTCN,
  capAddrOf,
  L2_CNODE_BITS,
  L2_CNODE_SLOTS,
} from '@barreleye/spec';

declare const capType: unique symbol;

/** Slots that a root CNode can have: 24 bits of an address. */
const L1_SLOT_LIMIT = 2 ** 24;

/** Names one slot: of the root CNode (level 1) or of an L2 CNode (level 2) of a CSpace. */
export interface Capref<T extends CapTypeName = CapTypeName> {
  /** The root CNode of the CSpace, as an address in the CSpace of whoever uses the reference. */
  readonly croot: CapAddr;
  /** Address within that CSpace. */
  readonly cptr: CapAddr;
  /** 0: the root CNode itself; 1: a slot of the root CNode; 2: a slot of an L2 CNode. */
  readonly level: 0 | 1 | 2;
  readonly [capType]?: T;
}

/** A slot that holds nothing yet. */
export type Slot = Capref<'Null'>;

/** A slot of an L2 CNode in the domain's own CSpace. */
export function capref<T extends CapTypeName>(l1Index: number, slot: number): Capref<T> {
  return { croot: capAddr(CPTR_ROOTCN), cptr: addressOf(l1Index, slot), level: 2 };
}

/** A slot of the domain's own root CNode. */
export function rootCapref<T extends CapTypeName>(l1Index: number): Capref<T> {
  return { croot: capAddr(CPTR_ROOTCN), cptr: addressOf(l1Index, 0), level: 1 };
}

/** The same slot, now known to hold a `T`. */
export function holds<T extends CapTypeName>(slot: Capref): Capref<T> {
  return slot as unknown as Capref<T>;
}

/** Where a slot lies, as the destination arguments of an invocation: CNode, its level, slot. */
export interface SlotPlace {
  readonly cnode: number;
  readonly cnodeLevel: number;
  readonly slot: number;
}

/** Take the address of a slot apart. */
export function placeOf(slot: Capref): SlotPlace {
  if (slot.level === 2) {
    const index = slot.cptr & (L2_CNODE_SLOTS - 1);
    return { cnode: (slot.cptr - index) >>> 0, cnodeLevel: 1, slot: index };
  }
  assert(slot.level === 1, 'the root CNode itself is not in a slot of its own CSpace');
  return { cnode: 0, cnodeLevel: 0, slot: slot.cptr >>> L2_CNODE_BITS };
}

/** For people: `5.12` is slot 12 of the L2 CNode in root slot 5; `5` is root slot 5. */
export function formatCapref(cap: Capref): string {
  const l1 = cap.cptr >>> L2_CNODE_BITS;
  return cap.level === 2 ? `${l1}.${cap.cptr & (L2_CNODE_SLOTS - 1)}` : `${l1}`;
}

function addressOf(l1Index: number, slot: number): CapAddr {
  assert(Number.isInteger(l1Index) && Number.isInteger(slot), 'slot numbers are integers');
  assert(l1Index >= 0 && l1Index < L1_SLOT_LIMIT, 'a root CNode has at most 2^24 slots');
  assert(slot >= 0 && slot < L2_CNODE_SLOTS, 'an L2 CNode has 256 slots');
  return capAddr(capAddrOf(l1Index, slot));
}

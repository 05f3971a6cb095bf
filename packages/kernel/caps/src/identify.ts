/** Reading capabilities: what they say, and the state they are in. */

import { asPaddr, assert, type CoreId, coreId, type Paddr, type PhysMem } from '@barreleye/core';
import { Cte, type ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { isForeign } from './guard.ts';
import { isEmpty, type Slot } from './slot.ts';

/** What a capability says. What the numbers mean is its type's `Identity` (@barreleye/spec). */
export interface Identification {
  type: ObjType;
  /** `Rights` bits. */
  rights: number;
  owner: CoreId;
  base: Paddr;
  bytes: number;
  arg0: number;
  arg1: number;
  iftype: number;
}

/** In `stateOf`: another core owns the object. Beyond the `CteFlag` bits. */
export const STATE_FOREIGN = 32;

/** An empty identification to fill. */
export function createIdentification(): Identification {
  return {
    type: 0,
    rights: 0,
    owner: coreId(0),
    base: asPaddr(0),
    bytes: 0,
    arg0: 0,
    arg1: 0,
    iftype: 0,
  };
}

/** Fill `out` with what the capability in `slot` says. */
export function identify(mem: PhysMem, slot: Slot, out: Identification): void {
  assert(!isEmpty(mem, slot), 'there is something to identify');
  out.type = Cte.type.get(mem, slot);
  out.rights = Cte.rights.get(mem, slot);
  out.owner = coreId(Cte.owner.get(mem, slot));
  out.base = asPaddr(Cte.base.get(mem, slot));
  out.bytes = Cte.bytes.get(mem, slot);
  out.arg0 = Cte.arg0.get(mem, slot);
  out.arg1 = Cte.arg1.get(mem, slot);
  out.iftype = Cte.iftype.get(mem, slot);
}

/** State of the capability in `slot`: its `CteFlag` bits and `STATE_FOREIGN`. */
export function stateOf(caps: Caps, slot: Slot): number {
  return Cte.flags.get(caps.mem, slot) | (isForeign(caps, slot) ? STATE_FOREIGN : 0);
}

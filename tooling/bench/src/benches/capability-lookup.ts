/**
 * Finding a capability by its address: two CNodes in memory, with type, bounds and rights checked
 * on the way. Beside it the obvious JavaScript: a `Map` from address to object.
 */
import { Caps, createCap, lookupSlot } from '@barreleye/caps';
import { asPtr, PhysMem, Prng, paddr } from '@barreleye/core';
import {
  CTE_BYTES,
  capAddrOf,
  KCB_BYTES,
  L1_CNODE_GRANULE,
  L2_CNODE_BYTES,
  L2_CNODE_SLOTS,
  ObjType,
  Rights,
} from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';

const CNODES = 16;
const LOOKUPS = 4096;

export const benches: readonly Bench[] = [
  { name: 'capability lookup', unit: 'ns/op', baselineName: 'Map lookup', setup },
];

function setup(): Trial {
  const cnodesAt = KCB_BYTES + L1_CNODE_GRANULE;
  const mem = new PhysMem(new SharedArrayBuffer(cnodesAt + CNODES * L2_CNODE_BYTES));
  const kcb = asPtr<'Kcb'>(0);
  const caps = new Caps(mem, kcb);
  const root = asPtr<'Cte'>(192); // the KCB's slot for a root CNode
  const base = paddr(KCB_BYTES);
  createCap(caps, root, ObjType.L1CNode, { base, bytes: L1_CNODE_GRANULE });
  const byAddress = new Map<number, { readonly at: number }>();
  for (let l1 = 0; l1 < CNODES; l1++) {
    const cnode = paddr(cnodesAt + l1 * L2_CNODE_BYTES);
    createCap(caps, asPtr<'Cte'>(base + l1 * CTE_BYTES), ObjType.L2CNode, { base: cnode });
    for (let slot = 0; slot < L2_CNODE_SLOTS; slot++) {
      const at = asPtr<'Cte'>(cnode + slot * CTE_BYTES);
      createCap(caps, at, ObjType.ID, { arg0: l1, arg1: slot });
      byAddress.set(capAddrOf(l1, slot), { at });
    }
  }
  const prng = new Prng(1);
  const addresses = Uint32Array.from({ length: LOOKUPS }, () =>
    capAddrOf(prng.below(CNODES), prng.below(L2_CNODE_SLOTS)),
  );
  const sums = new Float64Array(2);
  return {
    operations: LOOKUPS,
    subject: () => {
      let sum = 0;
      for (let i = 0; i < LOOKUPS; i++) {
        sum += lookupSlot(caps, root, addresses[i] ?? 0, 2, Rights.Read);
      }
      sums[0] = sum;
    },
    baseline: () => {
      let sum = 0;
      for (let i = 0; i < LOOKUPS; i++) sum += byAddress.get(addresses[i] ?? 0)?.at ?? 0;
      sums[1] = sum;
    },
  };
}

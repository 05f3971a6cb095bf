/**
 * Finding a capability by its address: two CNodes in memory, with type, bounds and rights checked
 * on the way. Beside it the obvious JavaScript: a `Map` from address to object.
 */
import { lookupSlot } from '@barreleye/caps';
import { capAddrOf, L2_CNODE_SLOTS, Rights } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { CapSpace } from '../cap-space.ts';
import { label, SIZES } from '../sizes.ts';

const LOOKUPS = 4096;

export const benches: readonly Bench[] = SIZES.map((size) => ({
  name: `capability lookup at ${label(size)}`,
  unit: 'ns/op',
  baselineName: 'Map lookup',
  family: 'capability lookup',
  size,
  setup: () => setup(size),
}));

function setup(size: number): Trial {
  const space = new CapSpace(size);
  const { caps, root } = space;
  const byAddress = new Map<number, { readonly at: number }>();
  for (let i = 0; i < size; i++) byAddress.set(addressOf(i), { at: i });
  const sums = new Float64Array(2);
  return {
    operations: LOOKUPS,
    subject: () => {
      let sum = 0;
      for (let i = 0; i < LOOKUPS; i++) {
        sum += lookupSlot(caps, root, addressOf(space.draw()), 2, Rights.Read);
      }
      sums[0] = sum;
    },
    baseline: () => {
      let sum = 0;
      for (let i = 0; i < LOOKUPS; i++) sum += byAddress.get(addressOf(space.draw()))?.at ?? 0;
      sums[1] = sum;
    },
  };
}

/** Address of the `index`-th capability of the space. */
function addressOf(index: number): number {
  return capAddrOf(Math.floor(index / L2_CNODE_SLOTS), index % L2_CNODE_SLOTS);
}

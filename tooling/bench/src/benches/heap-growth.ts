/**
 * What a million operations on capabilities cost the JavaScript heap, which should be nothing: what
 * they have left there after a garbage collection, and what they have asked of it in between.
 * Beside each a loop that makes one small object per operation, keeps it or drops it.
 */
import { lookupSlot } from '@barreleye/caps';
import { capAddrOf, L2_CNODE_SLOTS, Rights } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { CapSpace } from '../cap-space.ts';
import { copyAndDelete, retypeAndDelete } from '../operations.ts';
import { allocating, keeping } from '../sides.ts';

const OPERATIONS = 1e6;
const CAPABILITIES = 1e4;
/** Where RAM begins on some boards; addresses from here on are no small integers to V8. */
const ORIGIN = 0x8000_0000;

const SUBJECTS = [
  { what: 'lookup', subject: lookupByAddress },
  { what: 'copy+delete', subject: copyAndDelete },
  { what: 'retype+delete', subject: retypeAndDelete },
] as const;

export const benches: readonly Bench[] = SUBJECTS.flatMap(({ what, subject }): Bench[] => [
  {
    name: `heap growth of ${what}`,
    unit: 'B/op',
    baselineName: 'an object each, kept',
    nodeFlags: ['--expose-gc'],
    setup: () => setupKept(subject),
  },
  {
    name: `heap churn of ${what}`,
    unit: 'B/op',
    baselineName: 'an object each, dropped',
    setup: () => setupDropped(subject),
  },
]);

type Subject = (space: CapSpace, operations: number) => () => void;

function setupKept(subject: Subject): Trial {
  const objects = new Array<object | undefined>(OPERATIONS).fill(undefined);
  const baseline = {
    before: () => void objects.fill(undefined),
    call: () => {
      for (let i = 0; i < OPERATIONS; i++) objects[i] = { i };
    },
  };
  return {
    operations: OPERATIONS,
    subject: keeping({ call: subject(new CapSpace(CAPABILITIES, ORIGIN), OPERATIONS) }, OPERATIONS),
    baseline: keeping(baseline, OPERATIONS),
  };
}

function setupDropped(subject: Subject): Trial {
  const last: { object: object } = { object: {} };
  const drop = (): void => {
    for (let i = 0; i < OPERATIONS; i++) last.object = { i };
  };
  return {
    operations: OPERATIONS,
    subject: allocating(subject(new CapSpace(CAPABILITIES, ORIGIN), OPERATIONS), OPERATIONS),
    baseline: allocating(drop, OPERATIONS),
  };
}

/** Look the capabilities of the space up by their addresses. */
function lookupByAddress(space: CapSpace, operations: number): () => void {
  const { caps, root } = space;
  const sums = new Float64Array(1);
  return () => {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      const index = space.draw();
      const address = capAddrOf(Math.floor(index / L2_CNODE_SLOTS), index % L2_CNODE_SLOTS);
      sum += lookupSlot(caps, root, address, 2, Rights.Read);
    }
    sums[0] = sum;
  };
}

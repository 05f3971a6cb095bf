/**
 * What a million operations on capabilities cost the JavaScript heap, which should be nothing: what
 * is in use after them and was not before (growth), and all that they have asked for (churn).
 * Beside it, a loop that makes one small object per operation and keeps it, or does not.
 *
 * Memory that begins at 2 GiB, as on some boards, is measured separately: addresses are then no
 * small integers to V8, and what it cannot keep in registers it puts on the heap.
 */
import { lookupSlot } from '@barreleye/caps';
import { capAddrOf, L2_CNODE_SLOTS, Rights } from '@barreleye/spec';
import type { Bench, Trial } from '../bench.ts';
import { CapSpace } from '../cap-space.ts';
import { copyAndDelete, retypeAndDelete } from '../operations.ts';
import { allocating, keeping } from '../sides.ts';

const OPERATIONS = 1e6;
const CALLS = 1000;
const CAPABILITIES = 1e4;
const HIGH_ORIGIN = 0x8000_0000;

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
    setup: () => setupGrowth(subject),
  },
  {
    name: `heap churn of ${what}`,
    unit: 'B/op',
    baselineName: 'an object each',
    setup: () => setupChurn(subject, 0),
  },
  {
    name: `heap churn of ${what} above 2 GiB`,
    unit: 'B/op',
    baselineName: 'an object each',
    setup: () => setupChurn(subject, HIGH_ORIGIN),
  },
]);

type Subject = (space: CapSpace, operations: number) => () => void;

const REPEATED = { operations: CALLS, times: OPERATIONS / CALLS } as const;

function setupGrowth(subject: Subject): Trial {
  const kept = new Array<object | undefined>(OPERATIONS);
  const state = { next: 0 };
  const baseline = {
    before: () => {
      kept.fill(undefined);
      state.next = 0;
    },
    call: () => {
      for (let i = 0; i < CALLS; i++, state.next++) kept[state.next % OPERATIONS] = { i };
    },
  };
  return {
    operations: CALLS,
    rounds: 3,
    subject: keeping({
      call: subject(new CapSpace(CAPABILITIES, HIGH_ORIGIN), CALLS),
      ...REPEATED,
    }),
    baseline: keeping({ ...baseline, ...REPEATED }),
  };
}

function setupChurn(subject: Subject, origin: number): Trial {
  const last: { object: object } = { object: {} };
  const drop = (): void => {
    for (let i = 0; i < CALLS; i++) last.object = { i };
  };
  return {
    operations: CALLS,
    rounds: 1,
    subject: allocating({ call: subject(new CapSpace(CAPABILITIES, origin), CALLS), ...REPEATED }),
    baseline: allocating({ call: drop, ...REPEATED }),
  };
}

/** Look capabilities up by their addresses. */
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

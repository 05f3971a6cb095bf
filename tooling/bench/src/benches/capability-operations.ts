/**
 * Copy and retype, each with the deletion of what it made, in databases of four sizes. Every one is
 * at least an insertion into the tree and a removal from it, so that is what stands beside it.
 */
import type { Bench } from '../bench.ts';
import { CapSpace } from '../cap-space.ts';
import { copyAndDelete, move, retypeAndDelete } from '../operations.ts';
import { label, SIZES } from '../sizes.ts';

const CALLS = 256;

const OPERATIONS = [
  { family: 'copy+delete', subject: copyAndDelete },
  { family: 'retype+delete', subject: retypeAndDelete },
] as const;

export const benches: readonly Bench[] = OPERATIONS.flatMap(({ family, subject }) =>
  SIZES.map(
    (size): Bench => ({
      name: `${family} at ${label(size)}`,
      unit: 'ns/op',
      baselineName: 'mdb delete+insert',
      family,
      size,
      setup: () => {
        const space = new CapSpace(size);
        return { operations: CALLS, subject: subject(space, CALLS), baseline: move(space, CALLS) };
      },
    }),
  ),
);

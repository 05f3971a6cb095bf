/**
 * The mapping database by itself, as far as one can get at it from outside: finding a capability,
 * asking how a range is used, entering one more, and taking one out and entering it elsewhere.
 * Beside it the same tree in C, on the same capabilities in the same order: what there is to gain.
 */
import type { Bench, Side, Trial } from '../bench.ts';
import { CProgram } from '../c-program.ts';
import { CapSpace, SEED } from '../cap-space.ts';
import { insert, lookup, move, queryRange } from '../operations.ts';
import { label, SIZES } from '../sizes.ts';

const CALLS = 256;

const OPERATIONS = [
  { family: 'mdb lookup', inC: 'lookup', subject: lookup },
  { family: 'mdb range query', inC: 'range', subject: queryRange },
  { family: 'mdb insert', inC: 'insert', subject: insert },
  { family: 'mdb delete+insert', inC: 'move', subject: move },
] as const;

export const benches: readonly Bench[] = OPERATIONS.flatMap(({ family, inC, subject }) =>
  SIZES.map((size) => ({
    name: `${family} at ${label(size)}`,
    unit: 'ns/op',
    baselineName: 'the tree in C',
    family,
    size,
    setup: () => setup(size, inC, subject),
  })),
);

function setup(
  size: number,
  inC: string,
  subject: (space: CapSpace, calls: number) => Side,
): Trial | string {
  const database = CProgram.start(['mdb.c', 'main.c'], [size, SEED]);
  if (typeof database === 'string') return database;
  return {
    operations: CALLS,
    subject: subject(new CapSpace(size), CALLS),
    baseline: database.gauge(inC),
    teardown: () => database.stop(),
  };
}

/**
 * What a benchmark is: one subject beside one baseline, measured alternately in the same process,
 * because a number means little on a machine that nobody else has, and a ratio means a lot.
 */

/** How a result is stated; for time less is better, for a rate more is. */
export type Unit = 'ns/op' | 'us/op' | 'ms/op' | 'Mop/s';

export interface Bench {
  /** What is measured, unique among all benches; the command line filters by it. */
  readonly name: string;
  readonly unit: Unit;
  /** What it is held against. */
  readonly baselineName: string;
  /** Called once, in a process that runs no other bench. */
  setup(): Trial;
}

export interface Trial {
  readonly subject: () => void;
  readonly baseline: () => void;
  /** Operations in one call of `subject`, and in one of `baseline`. */
  readonly operations: number;
  readonly teardown?: () => void;
}

/** A result, as `--json` prints it. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  readonly baseline: { readonly name: string; readonly value: number };
  /** `value` over `baseline.value`. */
  readonly ratio: number;
}

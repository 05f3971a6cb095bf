/**
 * What a benchmark is: one subject beside one baseline, measured alternately in the same run,
 * because a number means little on a machine that nobody else has, and a ratio means a lot.
 */

/**
 * How a result is stated; for time and memory less is better, for a rate more is. Cycles are those
 * of the simulated machine, all others are of the host.
 */
export type Unit = 'ns/op' | 'us/op' | 'ms/op' | 'Mop/s' | 'B/op' | 'entries/op' | 'cycles/op';

export interface Bench {
  /** What is measured, unique among all benches; the command line filters by it. */
  readonly name: string;
  readonly unit: Unit;
  /** What it is held against. */
  readonly baselineName: string;
  /** Of benches that differ in nothing but their `size`: how they grow is reported. */
  readonly family?: string;
  readonly size?: number;
  /** Options of Node that it needs. */
  readonly nodeFlags?: readonly string[];
  /** Called once, in a process that runs no other bench; a string says why it cannot run here. */
  setup(): Trial | string;
}

export interface Trial {
  readonly subject: Side;
  readonly baseline: Side;
  /** Operations in one call of `subject`, and in one of `baseline`, where these are functions. */
  readonly operations: number;
  /** Rounds of each, if fewer than usual. */
  readonly rounds?: number;
  readonly teardown?: () => void;
}

/** Something to be timed, or something that measures itself. */
export type Side = (() => void) | Gauge;

/** Measures itself (sides.ts): nanoseconds per operation of one round, or bytes. */
export interface Gauge {
  readonly round: () => number | Promise<number>;
  /** Something shorter, to be done until the compiler has settled; a round, if left out. */
  readonly warmUp?: () => void;
}

/** A result, as `--json` prints it. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  readonly baseline: { readonly name: string; readonly value: number };
  /** `value` over `baseline.value`. */
  readonly ratio: number;
  readonly family?: string;
  readonly size?: number;
}

/**
 * Measures a trial: warm-up, then rounds of baseline and subject in turn, and the median of each.
 *
 * Taking turns lets a slow spell of the machine (a neighbour, a clock change) hit both sides; the
 * median drops the rounds that a garbage collection or an interrupt fell into.
 */
import type { Bench, Row, Trial, Unit } from './bench.ts';

/** Rounds of each side; odd, so that the median is one of them. */
const ROUNDS = 15;
/** Shortest round: long beside the clock's resolution, short beside a change in its speed. */
const ROUND_MS = 10;
/** Time for the compiler to settle on each side. */
const WARM_UP_MS = 100;
/** Calls so slow that the rounds would take longer than this get fewer, but at least three. */
const BUDGET_MS = 20_000;

/** Host time in milliseconds. */
export type Clock = () => number;

const SCALE: Readonly<Record<Unit, (nanoseconds: number) => number>> = {
  'ns/op': (ns) => ns,
  'us/op': (ns) => ns / 1e3,
  'ms/op': (ns) => ns / 1e6,
  'Mop/s': (ns) => 1e3 / ns,
};

export function measure(bench: Bench, now: Clock): Row {
  const trial = bench.setup();
  const { subject, baseline } = timings(trial, now);
  trial.teardown?.();
  const value = SCALE[bench.unit](subject);
  const against = SCALE[bench.unit](baseline);
  return {
    name: bench.name,
    value,
    unit: bench.unit,
    baseline: { name: bench.baselineName, value: against },
    ratio: value / against,
  };
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Nanoseconds per operation of both sides. */
function timings(trial: Trial, now: Clock): { subject: number; baseline: number } {
  const subjectCalls = calibrate(trial.subject, now);
  const baselineCalls = calibrate(trial.baseline, now);
  const subject: number[] = [];
  const baseline: number[] = [];
  const start = now();
  while (subject.length < ROUNDS && (subject.length < 3 || now() - start < BUDGET_MS)) {
    baseline.push(round(trial.baseline, baselineCalls, now));
    subject.push(round(trial.subject, subjectCalls, now));
  }
  const perOperation = (milliseconds: number): number => (milliseconds * 1e6) / trial.operations;
  return {
    subject: perOperation(median(subject)),
    baseline: perOperation(median(baseline)),
  };
}

/** Warm `call` up and find how many calls make a round. */
function calibrate(call: () => void, now: Clock): number {
  const start = now();
  let calls = 0;
  while (calls === 0 || now() - start < WARM_UP_MS) {
    call();
    calls += 1;
  }
  // Early calls were slow, so this is a little low; once more, with what the warm-up left.
  const guess = Math.ceil((calls * ROUND_MS) / (now() - start));
  return Math.max(1, Math.ceil(ROUND_MS / round(call, guess, now)));
}

/** Milliseconds per call over `calls` calls. */
function round(call: () => void, calls: number, now: Clock): number {
  const start = now();
  for (let done = 0; done < calls; done += 1) call();
  return (now() - start) / calls;
}

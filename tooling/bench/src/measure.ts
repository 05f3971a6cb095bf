/**
 * Measures a trial: warm-up, then short rounds of baseline and subject in turn, and the lower
 * quartile of each.
 *
 * Taking turns lets a slow spell of the machine (a neighbour, a clock change) hit both sides.
 * Whatever disturbs a round makes it longer, and where several processes share a core that is most
 * rounds; so what counts is what the undisturbed ones took, and these are the short ones.
 */
import type { Bench, Gauge, Row, Side, Trial, Unit } from './bench.ts';

/** Rounds of each side, if a trial does not say. */
const ROUNDS = 75;
/** Shortest round: long beside the clock's resolution, short beside a turn of the scheduler. */
export const ROUND_MS = 2;
/** Time for the compiler to settle on each side. */
const WARM_UP_MS = 100;
/** Calls so slow that the rounds would take longer than this get fewer, but at least these. */
const BUDGET_MS = 3000;
const MIN_ROUNDS = 3;

/** Host time in milliseconds. */
export type Clock = () => number;

/** From nanoseconds (or bytes) per operation. */
const SCALE: Readonly<Record<Unit, (measured: number) => number>> = {
  'ns/op': (ns) => ns,
  'us/op': (ns) => ns / 1e3,
  'ms/op': (ns) => ns / 1e6,
  'Mop/s': (ns) => 1e3 / ns,
  'B/op': (bytes) => bytes,
  'entries/op': (entries) => entries,
  'cycles/op': (cycles) => cycles,
};

/** The row of `bench`, or in words why it cannot run here. */
export async function measure(bench: Bench, now: Clock): Promise<Row | string> {
  const { name, unit, baselineName, family, size } = bench;
  const trial = bench.setup();
  if (typeof trial === 'string') return trial;
  const quartiles = await run(trial, now).finally(() => trial.teardown?.());
  const value = SCALE[unit](quartiles.subject);
  const against = SCALE[unit](quartiles.baseline);
  return {
    name,
    value,
    unit,
    baseline: { name: baselineName, value: against },
    ratio: value / against,
    ...(family !== undefined && { family }),
    ...(size !== undefined && { size }),
  };
}

/** The value that a quarter of the others are not above. */
export function lowerQuartile(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the quartile of nothing');
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 2]!;
}

/** Nanoseconds (or bytes) per operation of both sides. */
async function run(trial: Trial, now: Clock): Promise<{ subject: number; baseline: number }> {
  const subjectGauge = await warmedUp(trial.subject, trial.operations, now);
  const baselineGauge = await warmedUp(trial.baseline, trial.operations, now);
  const subject: number[] = [];
  const baseline: number[] = [];
  const { rounds = ROUNDS } = trial;
  const start = now();
  while (subject.length < rounds && (subject.length < MIN_ROUNDS || now() - start < BUDGET_MS)) {
    baseline.push(await baselineGauge.round());
    subject.push(await subjectGauge.round());
  }
  return { subject: lowerQuartile(subject), baseline: lowerQuartile(baseline) };
}

/** `side` as the compiler leaves it, its rounds as long as they should be. */
async function warmedUp(side: Side, operations: number, now: Clock): Promise<Gauge> {
  if (typeof side === 'function') {
    const calls = calibrate(side, now);
    return { round: () => (timed(side, calls, now) * 1e6) / operations };
  }
  const { warmUp = side.round } = side;
  const start = now();
  do await warmUp();
  while (now() - start < WARM_UP_MS);
  return side;
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
  return Math.max(1, Math.ceil(ROUND_MS / timed(call, guess, now)));
}

/** Milliseconds per call over `calls` calls. */
function timed(call: () => void, calls: number, now: Clock): number {
  const start = now();
  for (let done = 0; done < calls; done += 1) call();
  return (now() - start) / calls;
}

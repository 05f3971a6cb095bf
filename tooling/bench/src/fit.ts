/**
 * How a family of benches grows with its size, from its rows: two least-squares fits, one line over
 * the logarithm of the size, one power of the size. A search in a tree takes steps in proportion to
 * the logarithm, but beyond the caches each step costs more, for anybody; so the growth of the
 * baseline in the same run stands beside that of the subject.
 */
import type { Row, Unit } from './bench.ts';

export interface Fit {
  readonly family: string;
  readonly unit: Unit;
  /** `[smallest, largest]` size. */
  readonly sizes: readonly [number, number];
  /** value = a + b log2(size). */
  readonly a: number;
  readonly b: number;
  /** value ~ size ** exponent. */
  readonly exponent: number;
  /** Value at the largest size over that at the smallest. */
  readonly growth: number;
  /** Same of the logarithm, and of the baseline. */
  readonly logGrowth: number;
  readonly baseline: { readonly name: string; readonly growth: number };
  readonly verdict: Verdict;
}

export type Verdict = 'constant' | 'logarithmic' | 'as the baseline' | 'worse than logarithmic';

/** What growth may exceed its yardstick by, as measurements differ that much from run to run. */
const TOLERANCE = 1.25;

/** A fit of every family of which there are at least three rows, in the order of the rows. */
export function fitFamilies(rows: readonly Row[]): Fit[] {
  const families = Map.groupBy(rows, ({ family }) => family);
  families.delete(undefined);
  return [...families.values()].filter(({ length }) => length >= 3).map(fitFamily);
}

/** The line `y = a + b x` with the least squares. */
export function leastSquares(xs: readonly number[], ys: readonly number[]) {
  const meanX = mean(xs);
  const meanY = mean(ys);
  const b =
    mean(xs.map((x, i) => (x - meanX) * (ys[i]! - meanY))) / mean(xs.map((x) => (x - meanX) ** 2));
  return { a: meanY - b * meanX, b };
}

function fitFamily(rows: readonly Row[]): Fit {
  const sorted = rows.toSorted((p, q) => p.size! - q.size!);
  const sizes = sorted.map(({ size }) => size!);
  const values = sorted.map(({ value }) => value);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const power = leastSquares(sizes.map(Math.log), values.map(Math.log));
  const growth = last.value / first.value;
  const logGrowth = Math.log(last.size!) / Math.log(first.size!);
  const baselineGrowth = last.baseline.value / first.baseline.value;
  return {
    family: first.family!,
    unit: first.unit,
    sizes: [first.size!, last.size!],
    ...leastSquares(sizes.map(Math.log2), values),
    exponent: power.b,
    growth,
    logGrowth,
    baseline: { name: first.baseline.name, growth: baselineGrowth },
    verdict: judge(growth, logGrowth, baselineGrowth),
  };
}

function judge(growth: number, logGrowth: number, baselineGrowth: number): Verdict {
  if (growth <= TOLERANCE) return 'constant';
  if (growth <= TOLERANCE * logGrowth) return 'logarithmic';
  if (growth <= TOLERANCE * baselineGrowth) return 'as the baseline';
  return 'worse than logarithmic';
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

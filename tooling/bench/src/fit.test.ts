import { expect, it } from 'vitest';
import type { Row } from './bench.ts';
import { fitFamilies, leastSquares } from './fit.ts';

const SIZES = [1e3, 1e4, 1e5, 1e6];

/** Rows of one family, by what subject and baseline take at each size. */
function rowsOf(value: (size: number) => number, baseline: (size: number) => number): Row[] {
  return SIZES.map((size) => ({
    name: `f at ${size}`,
    value: value(size),
    unit: 'ns/op',
    baseline: { name: 'b', value: baseline(size) },
    ratio: value(size) / baseline(size),
    family: 'f',
    size,
  }));
}

it('leastSquares finds a line, and the best one through what is none', () => {
  expect(leastSquares([1, 2, 3], [5, 7, 9])).toEqual({ a: 3, b: 2 });
  const { a, b } = leastSquares([0, 1, 2, 3], [0, 2, 2, 4]);
  expect(a).toBeCloseTo(0.2);
  expect(b).toBeCloseTo(1.2);
});

it('fits a logarithm and a power, whatever the order of the rows', () => {
  const [log] = fitFamilies(rowsOf((n) => 10 + 3 * Math.log2(n), Math.log2).toReversed());
  expect(log).toMatchObject({ family: 'f', unit: 'ns/op', sizes: [1e3, 1e6] });
  expect(log!.a).toBeCloseTo(10);
  expect(log!.b).toBeCloseTo(3);
  expect(log!.logGrowth).toBeCloseTo(2);
  const [root] = fitFamilies(rowsOf(Math.sqrt, Math.sqrt));
  expect(root!.exponent).toBeCloseTo(0.5);
  expect(root!.growth).toBeCloseTo(Math.sqrt(1000));
});

it.each([
  ['constant', () => 70, () => 70],
  ['logarithmic', Math.log2, () => 70],
  ['as the baseline', (n: number) => n ** 0.4, (n: number) => 3 * n ** 0.4],
  ['worse than logarithmic', Math.sqrt, (n: number) => n ** 0.4],
] as const)('calls growth %s', (verdict, value, baseline) => {
  expect(fitFamilies(rowsOf(value, baseline))[0]!.verdict).toBe(verdict);
});

it('says nothing about single rows and pairs', () => {
  const rows = rowsOf(Math.log2, Math.log2);
  const { family: _family, size: _size, ...single } = rows[0]!;
  expect(fitFamilies([single])).toEqual([]);
  expect(fitFamilies(rows.slice(0, 2))).toEqual([]);
});

import { expect, it } from 'vitest';
import { formatFits, formatTable, significant } from './format.ts';

it('significant keeps three digits of small numbers and all of large ones', () => {
  expect(significant(0.5)).toBe('0.500');
  expect(significant(0.012345)).toBe('0.0123');
  expect(significant(12.345)).toBe('12.3');
  expect(significant(123456.7)).toBe('123457');
  expect(significant(0)).toBe('0');
});

it('formatTable lines its columns up', () => {
  const rows = [
    { name: 'load', value: 0.5, unit: 'ns/op', baseline: { name: 'store', value: 1 }, ratio: 0.5 },
    { name: 'boot', value: 210, unit: 'ms/op', baseline: { name: 'b', value: 70 }, ratio: 3 },
  ] as const;
  expect(formatTable(rows, (text) => text.toUpperCase())).toBe(
    [
      'BENCH  VALUE  UNIT   BASELINE  VALUE  RATIO',
      'load   0.500  ns/op  store      1.00   0.50',
      'boot     210  ms/op  b          70.0   3.00',
    ].join('\n'),
  );
});

it('formatFits says how families grow', () => {
  const fit = {
    family: 'lookup',
    unit: 'ns/op',
    sizes: [1e3, 1e6],
    a: -12.34,
    b: 5.678,
    exponent: 0.123,
    growth: 2.5,
    logGrowth: 2,
    baseline: { name: 'C', growth: 3 },
    verdict: 'logarithmic',
  } as const;
  const [headings, ...lines] = formatFits([fit, { ...fit, a: 50, b: -1 }], (text) => text)
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(headings).toHaveLength(9);
  const growth = ['ns/op', '0.12', '2.50', '2.00', '3.00', 'logarithmic'];
  expect(lines).toEqual([
    ['lookup', '1e3..1e6', '-12.3 + 5.68 log2 n', ...growth],
    ['lookup', '1e3..1e6', '50.0 - 1.00 log2 n', ...growth],
  ]);
});

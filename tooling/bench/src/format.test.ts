import { expect, it } from 'vitest';
import { formatTable, significant } from './format.ts';

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

/** Results as tables for people. */
import type { Row } from './bench.ts';
import type { Fit } from './fit.ts';
import { label } from './sizes.ts';

const HEADINGS = ['bench', 'value', 'unit', 'baseline', 'value', 'ratio'] as const;
const FIT_HEADINGS = [
  'family',
  'sizes',
  'fit',
  'unit',
  'exponent',
  'grows by',
  'log n by',
  'baseline by',
  'verdict',
] as const;

/** Columns as wide as their widest cell; `emphasize` marks the headings. */
export function formatTable(rows: readonly Row[], emphasize: (text: string) => string): string {
  const cells = rows.map(({ name, value, unit, baseline, ratio }) => [
    name,
    significant(value),
    unit,
    baseline.name,
    significant(baseline.value),
    ratio.toFixed(2),
  ]);
  return align(HEADINGS, cells, [1, 4, 5], emphasize);
}

/** The same for how families of benches grow, from the smallest size to the largest. */
export function formatFits(fits: readonly Fit[], emphasize: (text: string) => string): string {
  const cells = fits.map((fit) => [
    fit.family,
    fit.sizes.map(label).join('..'),
    `${significant(fit.a)} ${fit.b < 0 ? '-' : '+'} ${significant(Math.abs(fit.b))} log2 n`,
    fit.unit,
    fit.exponent.toFixed(2),
    fit.growth.toFixed(2),
    fit.logGrowth.toFixed(2),
    fit.baseline.growth.toFixed(2),
    fit.verdict,
  ]);
  return align(FIT_HEADINGS, cells, [4, 5, 6, 7], emphasize);
}

/** Three significant digits, never in exponent form. */
export function significant(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 9));
}

/** Lines of columns, those in `numeric` aligned to the right. */
function align(
  headings: readonly string[],
  cells: readonly (readonly string[])[],
  numeric: readonly number[],
  emphasize: (text: string) => string,
): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column]!;
        return numeric.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [emphasize(line(headings)), ...cells.map(line)].join('\n');
}

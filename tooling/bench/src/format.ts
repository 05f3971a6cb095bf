/** Results as a table for people. */
import type { Row } from './bench.ts';

const HEADINGS = ['bench', 'value', 'unit', 'baseline', 'value', 'ratio'] as const;
/** Columns of numbers, which are aligned to the right. */
const NUMERIC = [1, 4, 5];

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
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column]!;
        return NUMERIC.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [emphasize(line(HEADINGS)), ...cells.map(line)].join('\n');
}

/** Three significant digits, never in exponent form. */
export function significant(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 9));
}

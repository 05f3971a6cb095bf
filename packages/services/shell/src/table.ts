/** Rows of text with their columns one below the other. */

/** A column: its heading, and on which side its cells have their blanks. */
export interface Column {
  readonly heading: string;
  readonly align: 'left' | 'right';
}

/** The lines of a table; blanks at their ends are left out. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ''))));
  return all.map((row) =>
    columns
      .map(({ align }, i) => pad(row[i] ?? '', widths[i] ?? 0, align))
      .join('  ')
      .trimEnd(),
  );
}

/** Words in as many columns as fit `width`, read downwards. */
export function formatColumns(words: readonly string[], width: number): string[] {
  const columnWidth = Math.max(...words.map(widthOf), 0) + 2;
  const columnCount = Math.max(Math.floor((width + 2) / columnWidth), 1);
  const rowCount = Math.ceil(words.length / columnCount);
  return Array.from({ length: rowCount }, (_, row) =>
    words
      .filter((_, i) => i % rowCount === row)
      .map((word) => pad(word, columnWidth, 'left'))
      .join('')
      .trimEnd(),
  );
}

function pad(text: string, width: number, align: Column['align']): string {
  const blanks = ' '.repeat(Math.max(width - widthOf(text), 0));
  return align === 'left' ? text + blanks : blanks + text;
}

/** Characters, as most of them are one cell wide. */
function widthOf(text: string): number {
  return [...text].length;
}

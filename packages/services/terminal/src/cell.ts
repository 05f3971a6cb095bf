/**
 * What terminals do with characters: most take one column, East Asian ones and emoji two, and marks
 * none, since they join the character before them. A cell is a character with its marks: what the
 * cursor can stand on.
 */

/** A character and the marks that join it. */
export type Cell = string;

const MARK = /^[\p{Mn}\p{Me}\p{Cf}\u{1160}-\u{11ff}\u{d7b0}-\u{d7ff}]/u;
/** What no line holds: control characters and other ends of lines. */
const UNSHOWABLE = /^[\p{Cc}\p{Zl}\p{Zp}]/u;
/** What Unicode calls wide. Source: Unicode 16.0, EastAsianWidth.txt, in rough strokes. */
const WIDE = new RegExp(
  [
    '^[\\p{Emoji_Presentation}',
    '\\u{1100}-\\u{115f}', //   Hangul Jamo that begin a syllable
    '\\u{2e80}-\\u{303e}', //   radicals, punctuation
    '\\u{3041}-\\u{a4cf}', //   Kana, CJK ideographs, Yi
    '\\u{a960}-\\u{a97f}\\u{ac00}-\\u{d7a3}', // Hangul
    '\\u{f900}-\\u{faff}\\u{fe30}-\\u{fe6f}', // compatibility forms
    '\\u{ff01}-\\u{ff60}\\u{ffe0}-\\u{ffe6}', // fullwidth forms
    '\\u{17000}-\\u{18cff}\\u{1b000}-\\u{1b2ff}\\u{20000}-\\u{3fffd}]',
  ].join(''),
  'u',
);

/** Whether a code point may be part of a line that is shown. */
export function isShowable(char: string): boolean {
  return char < '\u007f' ? char >= ' ' : !UNSHOWABLE.test(char);
}

/** Columns that a code point, or a cell by its first one, takes: 0, 1 or 2. */
export function charWidth(char: string): number {
  if (char.charCodeAt(0) < 0x300) return 1; // nearly all, so not by the tables
  if (MARK.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** Add a code point to the cells of a line. A mark with nothing before it joins a blank. */
export function addChar(cells: Cell[], char: string): void {
  if (charWidth(char) > 0) cells.push(char);
  else cells.push((cells.pop() ?? ' ') + char);
}

/** Columns of cells `from` up to, but not including, `to`. */
export function columnsOf(cells: readonly Cell[], from = 0, to = cells.length): number {
  let columns = 0;
  for (let i = from; i < to; i++) columns += charWidth(cells[i] ?? '');
  return columns;
}

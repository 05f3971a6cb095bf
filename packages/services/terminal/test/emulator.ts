/**
 * A terminal, as far as it is needed to judge what is sent to one: what a person sees, and where
 * the cursor is. It stays in the last column until there is another character (VT100). Whatever it
 * does not know is an error.
 */

import { charWidth } from '../src/cell.ts';

const SEQUENCE = new RegExp(`^${'\u001b'}\\[(\\d*)([A-Z])`, 'u');

export class Emulator {
  bellCount = 0;
  /** A wide character is in the first of its two places; the second is empty. */
  private rows: string[][] = [[]];
  private row = 0;
  private column = 0;
  private readonly columns: number;
  private readonly knowsEscapes: boolean;

  constructor(columns = Number.POSITIVE_INFINITY, knowsEscapes = true) {
    this.columns = columns;
    this.knowsEscapes = knowsEscapes;
  }

  /** The rows from the top, without the blanks at their ends and empty rows at the end. */
  get text(): string[] {
    const rows = this.rows.map((row) =>
      Array.from(row, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  /** Row and column of the cursor; behind the last column it is in the next row. */
  get cursor(): [row: number, column: number] {
    return this.column < this.columns ? [this.row, this.column] : [this.row + 1, 0];
  }

  /** Take text as a serial line carries it. */
  show(text: string): void {
    for (let rest = text; rest !== ''; ) {
      const sequence = SEQUENCE.exec(rest);
      const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      rest = rest.slice(sequence?.[0].length ?? char.length);
      if (sequence !== null) this.control(sequence[1] ?? '', sequence[2] ?? '');
      else this.put(char);
    }
  }

  private put(char: string): void {
    if (char === '\n') this.goTo(this.row + 1, this.column);
    else if (char === '\r') this.column = 0;
    else if (char === '\b') this.goTo(this.row, Math.max(this.column - 1, 0));
    else if (char === '\u0007') this.bellCount += 1;
    else if (/\p{Cc}/u.test(char)) throw new Error(`unknown control character ${escape(char)}`);
    else if (charWidth(char) === 0) this.join(char);
    else this.print(char, charWidth(char));
  }

  private print(char: string, width: number): void {
    if (this.column + width > this.columns) {
      this.goTo(this.row + 1, 0);
    }
    for (let i = 0; i < width; i++) {
      this.blank(this.column + i);
      this.line[this.column + i] = i === 0 ? char : '';
    }
    this.column += width;
  }

  /** A mark joins the character before the cursor. */
  private join(mark: string): void {
    let at = this.column - 1;
    if (this.line[at] === '') at -= 1;
    if (at < 0) throw new Error('a mark with nothing before it');
    this.line[at] += mark;
  }

  /** Whatever takes `column` is gone, all of it. */
  private blank(column: number): void {
    const { line } = this;
    if (line[column] === '') line[column - 1] = ' ';
    if (line[column + 1] === '') line[column + 1] = ' ';
    if (column < line.length) line[column] = ' ';
  }

  private control(parameter: string, letter: string): void {
    if (!this.knowsEscapes) throw new Error('an escape sequence');
    const count = Number(parameter || '1');
    const column = Math.min(this.column, this.columns - 1);
    if (letter === 'A') this.goTo(this.row - count, column);
    else if (letter === 'B' && this.row + count < this.rows.length) {
      this.goTo(this.row + count, column);
    } else if (letter === 'C' && column + count < this.columns) this.goTo(this.row, column + count);
    else if (letter === 'D' && column >= count) this.goTo(this.row, column - count);
    else if (letter === 'H' && parameter === '') this.goTo(0, 0);
    else if (letter === 'K' && parameter === '') this.erase(column);
    else if (letter === 'J' && parameter === '') {
      this.rows.length = this.row + 1;
      this.erase(column);
    } else if (letter === 'J' && parameter === '2') this.rows = [[]];
    else throw new Error(`unknown or out of range: ${parameter}${letter}`);
  }

  private get line(): string[] {
    return this.rows[this.row] ?? [];
  }

  private erase(from: number): void {
    this.blank(from);
    this.line.length = Math.min(this.line.length, from);
  }

  private goTo(row: number, column: number): void {
    if (row < 0) throw new Error('above the first row');
    while (row >= this.rows.length) this.rows.push([]);
    this.row = row;
    this.column = column;
    for (let i = this.line.length; i < column; i++) this.line[i] = ' ';
  }
}

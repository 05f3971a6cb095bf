/**
 * Painting with escape sequences. What has to give way is erased. Where it is known how wide the
 * screen is, what is longer than a row is painted in several; where it is not, all is taken for one
 * row.
 *
 * Source: ECMA-48, 8.3 (CUU, CUD, CUF, CUB, EL, ED, CUP). In the last column the cursor does what
 * it does on a VT100: it stays there until there is another character.
 */

import { charWidth } from './cell.ts';
import { countCommon, NO_PICTURE, type Painter, type Picture } from './painter.ts';

const CSI = '\u001b[';

/** Where the cursor is, counted from where the picture begins. */
interface Place {
  readonly row: number;
  readonly column: number;
}

export class AnsiPainter implements Painter {
  private readonly put: (text: string) => void;
  private readonly columns: number;
  private shown: Picture;

  /**
   * @param put shows text; `\n` begins a new row
   * @param columns of the screen, at least 2, where they are known
   */
  constructor(put: (text: string) => void, columns = Number.POSITIVE_INFINITY) {
    this.put = put;
    this.columns = columns;
    this.shown = NO_PICTURE;
  }

  paint(picture: Picture): void {
    const { cells: old, cursor: oldCursor } = this.shown;
    const { cells, cursor } = picture;
    const common = countCommon(old, cells);
    let at = this.place(this.shown, oldCursor);
    let text = '';
    if (common < old.length || common < cells.length) {
      const start = this.place(picture, common);
      text += go(at, start) + this.eraseFrom(start) + cells.slice(common).join('');
      at = this.place(picture, cells.length);
      // A full row: this has the cursor in the next one, whether it was there already or not.
      if (at.row > 0 && at.column === 0 && common < cells.length) text += ' \r';
    }
    this.put(text + go(at, this.place(picture, cursor)));
    this.shown = picture;
  }

  remove(): void {
    const start: Place = { row: 0, column: 0 };
    this.put(go(this.place(this.shown, this.shown.cursor), start) + this.eraseFrom(start));
    this.shown = NO_PICTURE;
  }

  leave(): void {
    const { shown } = this;
    const end = this.place(shown, shown.cells.length);
    const isNewRow = end.row > 0 && end.column === 0;
    this.put(go(this.place(shown, shown.cursor), end) + (isNewRow ? '' : '\n'));
    this.shown = NO_PICTURE;
  }

  clear(): void {
    this.put(`${CSI}H${CSI}2J`);
    this.shown = NO_PICTURE;
  }

  /** Erase what stands behind `start`, where the cursor is, if anything does. */
  private eraseFrom(start: Place): string {
    const { shown } = this;
    const end = this.place(shown, shown.cells.length);
    if (end.row > start.row) return `${CSI}J`;
    return end.row === start.row && end.column > start.column ? `${CSI}K` : '';
  }

  /** Where the cursor is before cell `index`; a full row goes on in the next one. */
  private place({ cells }: Picture, index: number): Place {
    let [row, column] = [0, 0];
    for (let i = 0; i < index; i++) {
      const width = charWidth(cells[i] ?? '');
      if (column + width > this.columns) [row, column] = [row + 1, 0];
      column += width;
      if (column >= this.columns) [row, column] = [row + 1, 0];
    }
    return { row, column };
  }
}

/** Bring the cursor from one place to another. */
function go(from: Place, to: Place): string {
  const vertical = moved(to.row - from.row, 'B', 'A');
  if (to.column === 0) return vertical + (from.column === 0 ? '' : '\r');
  return vertical + moved(to.column - from.column, 'C', 'D');
}

function moved(by: number, forward: string, back: string): string {
  if (by === 0) return '';
  const count = Math.abs(by);
  return CSI + (count === 1 ? '' : count) + (by > 0 ? forward : back);
}

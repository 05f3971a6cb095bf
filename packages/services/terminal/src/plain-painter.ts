/**
 * Painting without escape sequences, for pipes and transcripts: the cursor goes left by backspace
 * and right by writing again what stands there. Nothing that was shown is taken back: what has to
 * give way is left behind, and painted again in a new row.
 */

import { columnsOf } from './cell.ts';
import { countCommon, NO_PICTURE, type Painter, type Picture } from './painter.ts';

const BACKSPACE = '\b';

export class PlainPainter implements Painter {
  private readonly put: (text: string) => void;
  private shown: Picture;

  /** @param put shows text; `\n` begins a new row */
  constructor(put: (text: string) => void) {
    this.put = put;
    this.shown = NO_PICTURE;
  }

  paint(picture: Picture): void {
    const { cells: old, cursor: oldCursor } = this.shown;
    const { cells, cursor } = picture;
    const common = countCommon(old, cells);
    const isSame = common === old.length && common === cells.length;
    if (isSame) this.put(walk(picture, oldCursor, cursor));
    else {
      const spare = Math.max(columnsOf(old) - columnsOf(cells), 0);
      const blanks = ' '.repeat(spare) + BACKSPACE.repeat(spare);
      const rest = cells.slice(common).join('') + blanks;
      this.put(walk(this.shown, oldCursor, common) + rest + walk(picture, cells.length, cursor));
    }
    this.shown = picture;
  }

  remove(): void {
    if (this.shown.cells.length > 0) this.leave();
  }

  leave(): void {
    this.put('\n');
    this.shown = NO_PICTURE;
  }

  clear(): void {
    this.remove();
  }
}

/** Bring the cursor from one cell of a picture to another. */
function walk({ cells }: Picture, from: number, to: number): string {
  if (from < to) return cells.slice(from, to).join('');
  return BACKSPACE.repeat(columnsOf(cells, to, from));
}

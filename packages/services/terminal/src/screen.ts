/**
 * What is shown of the text of many sessions: whole lines, and below them at most one row that is
 * not a line yet: the line that is being edited, or the unfinished line of a session that wants it
 * to be seen. That row gives way to lines and comes back below them.
 */

import { lineText } from './line-text.ts';
import { type Painter, type Picture, pictureOf } from './painter.ts';

const BELL = '\u0007';

/** The last row. */
interface Tail {
  /** The session that it is of. */
  readonly owner: object;
  readonly kind: 'prompt' | 'part';
  readonly picture: Picture;
}

export class Screen {
  private readonly put: (text: string) => void;
  private readonly painter: Painter;
  private tail: Tail | undefined;

  /** @param put sends what is shown to where `painter` sends its own */
  constructor(put: (text: string) => void, painter: Painter) {
    this.put = put;
    this.painter = painter;
    this.tail = undefined;
  }

  /** Show whole lines; the first of them ends what `owner` has shown of an unfinished one. */
  showLines(owner: object, lines: readonly string[]): void {
    const texts = lines.map(lineText);
    if (this.tail?.kind === 'part' && this.tail.owner === owner) {
      const first = texts.shift();
      if (first === undefined) return;
      this.paint({ owner, kind: 'part', picture: pictureOf(first, [], 0) });
      this.endLine();
    }
    if (texts.length === 0) return;
    const { tail } = this;
    if (tail !== undefined) this.painter.remove();
    this.put(`${texts.join('\n')}\n`);
    if (tail !== undefined) this.painter.paint(tail.picture);
  }

  /** Show an unfinished line of `owner`, unless a line is being edited; others' give way. */
  showPart(owner: object, text: string): void {
    if (this.tail?.kind === 'prompt') return;
    this.paint({ owner, kind: 'part', picture: pictureOf(lineText(text), [], 0) });
  }

  /** Show a line that `owner` edits, as it is now. Only one is edited at a time. */
  showPrompt(owner: object, picture: Picture): void {
    this.paint({ owner, kind: 'prompt', picture });
  }

  /** The last row is a line from now on. */
  endLine(): void {
    this.painter.leave();
    this.tail = undefined;
  }

  /** The last row goes. */
  dropTail(): void {
    this.painter.remove();
    this.tail = undefined;
  }

  /** Empty the screen, but for the last row. */
  clear(): void {
    this.painter.clear();
    if (this.tail !== undefined) this.painter.paint(this.tail.picture);
  }

  ringBell(): void {
    this.put(BELL);
  }

  private paint(tail: Tail): void {
    if (this.tail !== undefined && this.tail.owner !== tail.owner) this.painter.remove();
    this.tail = tail;
    this.painter.paint(tail.picture);
  }
}

/**
 * The line discipline: keys in, a line and a cursor out. It draws nothing: painters compare what
 * stands on the screen with what should.
 *
 * The cursor counts code points. A line has at most `MAX_LINE_BYTES` bytes; further characters are
 * refused with a bell, and Return is then answered `tooLong`, since a line without its end may mean
 * something else. Whoever deletes anything has heard the bell.
 */

import { encodeUtf8, never } from '@barreleye/core';
import { MAX_LINE_BYTES } from '@barreleye/program';
import { isShowable } from './cell.ts';
import type { History } from './history.ts';
import type { Key } from './key.ts';

/** What came of a key: the line goes on, or has ended in one of the ways behind `clear`. */
export type EditStep =
  | 'edited'
  | 'bell'
  | 'clear'
  | 'line'
  | 'tooLong'
  | 'cancelled'
  | 'end'
  | 'complete';

/** How a line begins, and which keys mean something in it. */
export interface EditOptions {
  readonly line: string;
  /** Code points before the cursor. */
  readonly cursor: number;
  /** Whether Tab ends the line with `complete`; else it is a blank. */
  readonly canComplete: boolean;
  /** What the arrow keys go through. */
  readonly history: History | undefined;
}

export class LineEditor {
  /** Code points of the line, and how many of them are before the cursor. */
  chars: string[];
  cursor: number;
  private readonly canComplete: boolean;
  private readonly history: History | undefined;
  private byteCount: number;
  private isTooLong: boolean;
  /** Which line of the history is shown; its length: none, but what was typed, kept in `draft`. */
  private recalled: number;
  private draft: string;

  constructor({ line, cursor, canComplete, history }: EditOptions) {
    this.chars = [];
    this.cursor = 0;
    this.canComplete = canComplete;
    this.history = history;
    this.byteCount = 0;
    this.isTooLong = false;
    this.recalled = history?.length ?? 0;
    this.draft = '';
    this.replace(line);
    this.move(cursor);
  }

  get text(): string {
    return this.chars.join('');
  }

  accept(key: Key): EditStep {
    const { chars, cursor } = this;
    switch (key.name) {
      case 'char':
        return this.insert(key.char);
      case 'tab':
        return this.canComplete ? 'complete' : this.insert(' ');
      case 'return':
        return this.isTooLong ? 'tooLong' : 'line';
      case 'interrupt':
        return 'cancelled';
      case 'clear':
        return 'clear';
      case 'deleteOrEnd':
        return chars.length === 0 ? 'end' : this.remove(cursor, cursor + 1);
      case 'backspace':
        return this.remove(cursor - 1, cursor);
      case 'delete':
        return this.remove(cursor, cursor + 1);
      case 'killStart':
        return this.remove(0, cursor);
      case 'killEnd':
        return this.remove(cursor, chars.length);
      case 'killWord':
        return this.remove(skip(chars, cursor, -1, /\S/u), cursor);
      case 'left':
        return this.move(cursor - 1);
      case 'right':
        return this.move(cursor + 1);
      case 'wordLeft':
        return this.move(skip(chars, cursor, -1, WORD));
      case 'wordRight':
        return this.move(skip(chars, cursor, 1, WORD));
      case 'home':
        return this.move(0);
      case 'end':
        return this.move(chars.length);
      case 'up':
        return this.recall(-1);
      case 'down':
        return this.recall(1);
      default:
        return never(key.name);
    }
  }

  private insert(char: string): EditStep {
    const bytes = encodeUtf8(char).length;
    if (this.byteCount + bytes > MAX_LINE_BYTES) {
      this.isTooLong = true;
      return 'bell';
    }
    this.chars.splice(this.cursor, 0, char);
    this.cursor += 1;
    this.byteCount += bytes;
    return 'edited';
  }

  /** Delete the characters from `from` up to `to` that there are. */
  private remove(from: number, to: number): EditStep {
    const start = Math.max(from, 0);
    const gone = this.chars.splice(start, to - start);
    this.byteCount -= encodeUtf8(gone.join('')).length;
    if (gone.length > 0) this.isTooLong = false;
    return this.move(start);
  }

  private move(to: number): EditStep {
    this.cursor = Math.min(Math.max(to, 0), this.chars.length);
    return 'edited';
  }

  /** Show the line before or after the one of the history that is shown. */
  private recall(step: -1 | 1): EditStep {
    const { history, recalled } = this;
    const target = recalled + step;
    if (history === undefined || target < 0 || target > history.length) return 'edited';
    if (recalled === history.length) this.draft = this.text;
    this.recalled = target;
    this.replace(target === history.length ? this.draft : history.at(target));
    return 'edited';
  }

  /** Have another line, as far as it can be shown. */
  private replace(line: string): void {
    this.remove(0, this.chars.length);
    for (const char of line) if (isShowable(char)) this.insert(char);
  }
}

/** What words consist of, where the cursor moves by words; words to delete lie between blanks. */
const WORD = /[\p{L}\p{M}\p{N}_]/u;

/** The other end of the word before or behind `from`, and of what lies between. */
function skip(chars: readonly string[], from: number, step: -1 | 1, word: RegExp): number {
  const isWord = (at: number): boolean => word.test(chars[step < 0 ? at - 1 : at] ?? '');
  const last = step < 0 ? 0 : chars.length;
  let at = from;
  while (at !== last && !isWord(at)) at += step;
  while (at !== last && isWord(at)) at += step;
  return at;
}

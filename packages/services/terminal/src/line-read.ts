/** A session's wish for a line, from when it is asked for to its answer. */

import type { History } from './history.ts';
import { LineEditor } from './line-editor.ts';
import { type Picture, pictureOf } from './painter.ts';

/** How a read ends. See `readLine` of the interface `Terminal`. */
export interface LineResult {
  readonly kind: 'line' | 'cancelled' | 'end' | 'complete';
  readonly text: string;
  readonly cursor: number;
}

/** What a session says of the line that it wants. */
export interface LineRequest {
  /** One line of text that can be shown. */
  readonly prompt: string;
  readonly line: string;
  readonly cursor: number;
  readonly canComplete: boolean;
  readonly history: History | undefined;
}

export class LineRead {
  /** The session that reads. */
  readonly owner: object;
  private readonly request: LineRequest;
  private readonly answer: (result: LineResult) => void;
  /** Made when it is this one's turn: the history is that of then. */
  private lazyEditor: LineEditor | undefined;

  constructor(owner: object, request: LineRequest, answer: (result: LineResult) => void) {
    this.owner = owner;
    this.request = request;
    this.answer = answer;
    this.lazyEditor = undefined;
  }

  get editor(): LineEditor {
    this.lazyEditor ??= new LineEditor(this.request);
    return this.lazyEditor;
  }

  /** What stands on the screen. */
  get picture(): Picture {
    const { chars, cursor } = this.editor;
    return pictureOf(this.request.prompt, chars, cursor);
  }

  /** The same with the cursor at the end, and `suffix` there. */
  lastPicture(suffix: string): Picture {
    const chars = [...this.editor.chars, ...suffix];
    return pictureOf(this.request.prompt, chars, chars.length);
  }

  end(kind: 'line' | 'complete'): void {
    const { text, cursor } = this.editor;
    if (kind === 'line') this.request.history?.add(text);
    this.answer({ kind, text, cursor });
  }

  /** End it without a line. */
  endEmpty(kind: 'cancelled' | 'end'): void {
    this.answer({ kind, text: '', cursor: 0 });
  }
}

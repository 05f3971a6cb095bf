/** One client of the terminal: its unfinished line, its history, its reads. */

import { History } from './history.ts';
import type { Keyboard } from './keyboard.ts';
import { LineRead, type LineResult } from './line-read.ts';
import { lineText } from './line-text.ts';
import type { Screen } from './screen.ts';

/** UTF-16 units of an unfinished line that are kept; a longer one is shown as several lines. */
const MAX_PART_UNITS = 8192;

/** What a client says of the line that it wants. See `readLine` of the interface `Terminal`. */
export interface ReadOptions {
  readonly prompt: string;
  readonly line: string;
  readonly cursor: number;
  readonly canComplete: boolean;
  readonly hasHistory: boolean;
}

export class Session {
  private readonly screen: Screen;
  private readonly keyboard: Keyboard;
  private readonly history: History;
  /** What was written behind the last line feed. */
  private part: string;
  /** What is before the prompt of a read that was answered `complete`; it goes on behind that. */
  private completedLead: string | undefined;
  private isClosed: boolean;

  constructor(screen: Screen, keyboard: Keyboard) {
    this.screen = screen;
    this.keyboard = keyboard;
    this.history = new History();
    this.part = '';
    this.completedLead = undefined;
    this.isClosed = false;
  }

  /** Show text as far as its lines are whole, and keep the rest. */
  write(text: string): void {
    if (this.isClosed) return;
    const lines = (this.part + text).split('\n');
    this.part = lines.pop() ?? '';
    while (this.part.length > MAX_PART_UNITS) {
      const end = isHighSurrogate(this.part, MAX_PART_UNITS - 1)
        ? MAX_PART_UNITS - 1
        : MAX_PART_UNITS;
      lines.push(this.part.slice(0, end));
      this.part = this.part.slice(end);
    }
    this.screen.showLines(this, lines);
  }

  /** Show the unfinished line, unless somebody edits one. */
  flush(): void {
    if (!this.isClosed && this.part !== '') this.screen.showPart(this, this.part);
  }

  /** Have a line edited; the prompt follows the unfinished line. */
  readLine(options: ReadOptions, answer: (result: LineResult) => void): void {
    const lead = this.takeLead(options.prompt);
    const prompt = lineText(lead + lastLine(options.prompt));
    const history = options.hasHistory ? this.history : undefined;
    const read = new LineRead(this, { ...options, prompt, history }, (result) => {
      if (result.kind === 'complete') this.completedLead = lead;
      answer(result);
    });
    if (this.isClosed) read.endEmpty('end');
    else this.keyboard.read(read);
  }

  /** Have `answer` called when Ctrl-C is pressed and nobody has asked later. */
  awaitInterrupt(answer: () => void): void {
    if (this.isClosed) answer();
    else this.keyboard.awaitInterrupt(this, answer);
  }

  /** The client is gone: its last line is ended, and so is all that it waits for. */
  close(): void {
    if (this.isClosed) return;
    this.keyboard.forget(this);
    if (this.part !== '') this.write('\n');
    this.isClosed = true;
  }

  /** What stands before the last line of a prompt; the lines before that one are shown. */
  private takeLead(prompt: string): string {
    const { completedLead } = this;
    this.completedLead = undefined;
    if (completedLead !== undefined) return completedLead;
    this.write(prompt.slice(0, prompt.length - lastLine(prompt).length));
    const lead = this.part;
    this.part = '';
    return lead;
  }
}

/** What is behind the last line feed. */
function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00;
}

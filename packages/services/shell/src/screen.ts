/**
 * What the shell shows. Text is collected, so that a command of many lines costs few messages, and
 * sent before anything else may show: when the command has ended, and before a program starts.
 */

import type { Wait } from '@barreleye/libos';

export class Screen {
  private readonly print: (text: string) => Wait<void>;
  private text: string;

  constructor(print: (text: string) => Wait<void>) {
    this.print = print;
    this.text = '';
  }

  /** Show a line, with the next `flush` at the latest. */
  printLine(line: string): void {
    this.text += `${line}\n`;
  }

  /** Send what was printed. */
  *flush(): Wait<void> {
    const { text } = this;
    this.text = '';
    if (text !== '') yield* this.print(text);
  }

  /** Show lines at once, whatever else is going on: they come before what was not flushed yet. */
  *tell(lines: readonly string[]): Wait<void> {
    if (lines.length > 0) yield* this.print(lines.map((line) => `${line}\n`).join(''));
  }
}

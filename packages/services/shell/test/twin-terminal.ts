/** A terminal without a screen: answers come from the test, lines are kept. */

import type { Wait } from '@barreleye/libos';
import type { Threads } from '@barreleye/rpc';
import { Bell } from '@barreleye/rpc';

/** What a `readLine` is answered with. */
interface Answer {
  readonly kind: 'line' | 'cancelled' | 'end' | 'complete';
  readonly text: string;
  readonly cursor: number;
}

export class TwinTerminal {
  /** Whole lines that were shown, prompts left out. */
  readonly lines: string[];
  /** The line that is being edited; undefined: nobody reads. */
  edited: { readonly line: string; readonly cursor: number } | undefined;
  private readonly bell: Bell;
  private readonly answers: Answer[];
  private interruptCount: number;

  constructor(threads: Threads) {
    this.lines = [];
    this.edited = undefined;
    this.bell = new Bell(threads, 'the terminal');
    this.answers = [];
    this.interruptCount = 0;
  }

  answer(answer: Answer): void {
    this.answers.push(answer);
    this.bell.ring();
  }

  /** Ctrl-C, for whoever waits for it. */
  interrupt(): void {
    this.interruptCount += 1;
    this.bell.ring();
  }

  *write({ text }: { readonly text: string }): Wait<Record<string, never>> {
    yield;
    this.lines.push(...text.replace(/\n$/, '').split('\n'));
    return {};
  }

  *flush(): Wait<Record<string, never>> {
    yield;
    return {};
  }

  *readLine(asked: { readonly line: string; readonly cursor: number }): Wait<Answer> {
    this.edited = { line: asked.line, cursor: asked.cursor };
    yield* this.bell.until(() => this.answers.length > 0);
    this.edited = undefined;
    return this.answers.shift() ?? { kind: 'end', text: '', cursor: 0 };
  }

  *awaitInterrupt(): Wait<Record<string, never>> {
    yield* this.bell.until(() => this.interruptCount > 0);
    this.interruptCount -= 1;
    return {};
  }
}

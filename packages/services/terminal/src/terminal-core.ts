/**
 * The terminal without a system: bytes of a keyboard in, text for a screen out, and sessions
 * between them. Everything happens within a call, in the order of the calls, and nothing here
 * waits: whoever wants a line gives a function that is called with it.
 */

import { never } from '@barreleye/core';
import { AnsiPainter } from './ansi-painter.ts';
import { KeyDecoder } from './key-decoder.ts';
import { Keyboard } from './keyboard.ts';
import type { Painter } from './painter.ts';
import { PlainPainter } from './plain-painter.ts';
import { Screen } from './screen.ts';
import { Session } from './session.ts';

/** What the screen understands: text and backspaces; or escape sequences, too. */
export type TerminalMode = 'plain' | 'ansi';

export interface TerminalOptions {
  readonly mode: TerminalMode;
  /** Columns of the screen, at least 2, where they are known. Only `ansi` makes use of them. */
  readonly columns?: number | undefined;
}

export class TerminalCore {
  private readonly decoder: KeyDecoder;
  private readonly screen: Screen;
  private readonly keyboard: Keyboard;

  /** @param put shows text; `\n` begins a new row */
  constructor(put: (text: string) => void, options: TerminalOptions) {
    this.decoder = new KeyDecoder();
    this.screen = new Screen(put, createPainter(put, options));
    this.keyboard = new Keyboard(this.screen);
  }

  /** A new client. */
  connect(): Session {
    return new Session(this.screen, this.keyboard);
  }

  /** A byte that was typed. */
  receive(byte: number): void {
    for (const key of this.decoder.decode(byte)) this.keyboard.press(key);
  }
}

function createPainter(put: (text: string) => void, { mode, columns }: TerminalOptions): Painter {
  switch (mode) {
    case 'plain':
      return new PlainPainter(put);
    case 'ansi':
      return new AnsiPainter(put, columns);
    default:
      return never(mode);
  }
}

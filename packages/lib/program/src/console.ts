/** Text to and lines from the terminal, which is found when it is first needed. */

import { encodeUtf8, errTop } from '@barreleye/core';
import { Mutex, type Os, OsError, type Wait } from '@barreleye/libos';
import type { Client } from '@barreleye/rpc';
import { Err } from '@barreleye/spec';
import { MAX_PROMPT_BYTES, MAX_WRITE_BYTES, Terminal } from './interfaces/terminal.ts';
import type { Names } from './names.ts';

/** What one attempt to read a line gave. */
export interface LineInput {
  /** Ctrl-C was pressed; or Ctrl-D, or there is nobody to ask. */
  readonly kind: 'line' | 'cancelled' | 'end';
  readonly text: string;
}

/** In the environment of a domain that runs in the background: it reads no lines. */
export const BACKGROUND = 'BACKGROUND';

type TerminalClient = Client<(typeof Terminal)['methods']>;

export class Console {
  private readonly names: Names;
  private readonly isBackground: boolean;
  private readonly binding: Mutex;
  private client: TerminalClient | undefined;

  constructor(os: Os, names: Names, isBackground: boolean) {
    this.names = names;
    this.isBackground = isBackground;
    this.binding = new Mutex(os, 'terminal');
    this.client = undefined;
  }

  /** Show text; waits for a terminal. */
  *print(text: string): Wait<void> {
    for (const part of pieces(text, MAX_WRITE_BYTES)) {
      yield* this.use((terminal) => terminal.write({ text: part }));
    }
  }

  /** Show an unfinished line as far as it goes. */
  *flush(): Wait<void> {
    yield* this.use((terminal) => terminal.flush({}));
  }

  /** Ask for a line. */
  *readLine(prompt: string): Wait<LineInput> {
    if (this.isBackground) return { kind: 'end', text: '' };
    const [first = ''] = pieces(prompt, MAX_PROMPT_BYTES);
    const wish = { prompt: first, line: '', cursor: 0, canComplete: false, hasHistory: false };
    const { kind, text } = yield* this.use((terminal) => terminal.readLine(wish));
    return { kind: kind === 'complete' ? 'line' : kind, text };
  }

  /** The session of this domain at the terminal. */
  *terminal(): Wait<TerminalClient> {
    yield* this.binding.lock();
    try {
      this.client ??= yield* this.names.connect('terminal', Terminal, true);
      return this.client;
    } finally {
      this.binding.unlock();
    }
  }

  /** Have `step` done. When the terminal turns out to have ended, the next step finds another. */
  private *use<T>(step: (terminal: TerminalClient) => Wait<T>): Wait<T> {
    const terminal = yield* this.terminal();
    try {
      return yield* step(terminal);
    } catch (error) {
      const isGone = error instanceof OsError && errTop(error.errval) === Err.RPC_ERR_CLOSED;
      if (isGone && this.client === terminal) this.client = undefined;
      throw error;
    }
  }
}

/** `text` in pieces of at most `maxBytes` bytes of UTF-8, cut between characters. */
export function* pieces(text: string, maxBytes: number): Generator<string, void, void> {
  let piece = '';
  let bytes = 0;
  for (const char of text) {
    const length = encodeUtf8(char).length;
    if (bytes + length > maxBytes) {
      yield piece;
      piece = '';
      bytes = 0;
    }
    piece += char;
    bytes += length;
  }
  if (piece !== '') yield piece;
}

/** Somebody at a terminal: what is typed, what is seen, and what sessions hear. */

import { encodeUtf8 } from '@barreleye/core';
import type { LineResult } from '../src/line-read.ts';
import type { ReadOptions, Session } from '../src/session.ts';
import { TerminalCore, type TerminalMode, type TerminalOptions } from '../src/terminal-core.ts';
import { Emulator } from './emulator.ts';

export const PROMPT = '> ';
export const ESC = '\u001b';
export const CTRL_A = '\u0001';
export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';
export const CTRL_K = '\u000b';
export const CTRL_L = '\u000c';
export const CTRL_U = '\u0015';
export const CTRL_W = '\u0017';
export const DELETE = '\u007f';
export const UP = `${ESC}[A`;
export const DOWN = `${ESC}[B`;
export const LEFT = `${ESC}[D`;

/** A read that asks for nothing special. */
export const PLAIN_READ: ReadOptions = {
  prompt: PROMPT,
  line: '',
  cursor: 0,
  canComplete: false,
  hasHistory: false,
};

export class Desk {
  readonly screen: Emulator;
  readonly terminal: TerminalCore;
  /** All that was sent. */
  sent = '';

  constructor(options: TerminalOptions = { mode: 'plain' }) {
    this.screen = new Emulator(options.columns, options.mode === 'ansi');
    this.terminal = new TerminalCore((text) => {
      const bytes = text.replaceAll('\n', '\r\n');
      this.sent += bytes;
      this.screen.show(bytes);
    }, options);
  }

  connect(): Session {
    return this.terminal.connect();
  }

  /** Type text, or bytes as they are. */
  type(input: string | readonly number[]): void {
    const bytes = typeof input === 'string' ? encodeUtf8(input) : input;
    for (const byte of bytes) this.terminal.receive(byte);
  }

  /** A session that reads lines for ever, and what it gets. */
  reader(options: Partial<ReadOptions> = {}): { session: Session; results: LineResult[] } {
    const session = this.connect();
    const results: LineResult[] = [];
    const read = (): void =>
      session.readLine({ ...PLAIN_READ, ...options }, (result) => {
        results.push(result);
        read();
      });
    read();
    return { session, results };
  }
}

/** What a read was answered, in short. */
export function inShort({ kind, text }: LineResult): string {
  return kind === 'line' ? text : kind;
}

/** A desk with two sessions and what their reads are answered. */
export function createTwo(mode: TerminalMode = 'plain') {
  const desk = new Desk({ mode });
  const got: string[] = [];
  const read = (session: Session, prompt: string, options: Partial<ReadOptions> = {}): void =>
    session.readLine({ ...PLAIN_READ, prompt, ...options }, (result) =>
      got.push(`${prompt}${inShort(result)}`),
    );
  return { desk, screen: desk.screen, a: desk.connect(), b: desk.connect(), got, read };
}

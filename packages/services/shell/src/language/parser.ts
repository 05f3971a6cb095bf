/**
 * A line as commands: what to assign, what to run, and whether to wait for it.
 *
 *     line     = [command] { (';' | '&') [command] } ['#' comment]
 *     command  = { name '=' word } { word }
 *
 * A command that `&` ends runs in the background.
 */

import { type Fault, lex, type Word } from './lexer.ts';

/** `name=value` before a command, or instead of one. */
export interface Assignment {
  readonly name: string;
  readonly value: Word;
}

/** One command of a line; it has a word or an assignment. */
export interface Step {
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly isBackground: boolean;
  /** As it was typed. */
  readonly text: string;
}

export type Parsed =
  | { readonly ok: true; readonly steps: readonly Step[] }
  | { readonly ok: false; readonly fault: Fault };

/** The commands of a line. */
export function parse(line: string): Parsed {
  const { tokens, fault } = lex(line);
  if (fault !== undefined) return { ok: false, fault };
  const steps: Step[] = [];
  let words: Word[] = [];
  for (const token of tokens) {
    if (token.kind === 'word') words.push(token);
    else {
      const isBackground = token.kind === '&';
      if (words.length > 0) steps.push(newStep(line, words, isBackground));
      else if (isBackground) {
        const message = "there is no command before this '&'";
        return { ok: false, fault: { at: token.at, message } };
      }
      words = [];
    }
  }
  if (words.length > 0) steps.push(newStep(line, words, false));
  return { ok: true, steps };
}

/** A fault in words: where, counted in characters from 1, and what. */
export function describeFault(line: string, { at, message }: Fault): string {
  return `character ${[...line.slice(0, at)].length + 1}: ${message}`;
}

/** The name and the value of a word `name=value`; undefined: it is none. */
export function assignmentOf(word: Word): Assignment | undefined {
  const [first, ...rest] = word.pieces;
  if (first?.kind !== 'text' || first.isQuoted) return undefined;
  const [all = '', name] = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(first.text) ?? [];
  if (name === undefined) return undefined;
  const head = { ...first, text: first.text.slice(all.length) };
  return { name, value: { ...word, pieces: [head, ...rest] } };
}

function newStep(line: string, words: readonly Word[], isBackground: boolean): Step {
  const assignments: Assignment[] = [];
  for (const word of words) {
    const assignment = assignmentOf(word);
    if (assignment === undefined) break;
    assignments.push(assignment);
  }
  const text = line.slice(words[0]?.at, words.at(-1)?.end);
  return { assignments, words: words.slice(assignments.length), isBackground, text };
}

/**
 * The Tab key: which word the cursor stands behind, what that word could be, and what becomes of
 * the line.
 */

import type { ArgKind } from './command.ts';
import type { Commands } from './commands.ts';
import { expandWord } from './language/expand.ts';
import { lex, type Word } from './language/lexer.ts';
import { assignmentOf } from './language/parser.ts';

/** A line that is being typed; the cursor is behind so many characters (code points). */
export interface Edited {
  readonly line: string;
  readonly cursor: number;
}

/** The word to be completed. */
export interface Target {
  readonly kind: ArgKind;
  /** What has been typed of it. */
  readonly prefix: string;
  /** What has to follow when it is whole. */
  readonly closing: string;
}

/** The word before the cursor; undefined: there is none that could be completed. */
export function targetOf({ line, cursor }: Edited, commands: Commands): Target | undefined {
  const before = [...line].slice(0, cursor).join('');
  // With one more letter there is a word in any case, and a variable, if its name is yet to come.
  const { tokens, fault, openQuote } = lex(`${before}x`);
  const word = tokens.at(-1);
  if (word?.kind !== 'word' || word.end !== before.length + 1) return undefined;
  const last = word.pieces.at(-1);
  if (last?.kind === 'variable') {
    const isBraced = before.endsWith(`{${last.name.slice(0, -1)}`);
    const closing = `${isBraced ? '}' : ''}${openQuote ?? ''}`;
    return { kind: 'variable', prefix: last.name.slice(0, -1), closing };
  }
  if (fault !== undefined && openQuote === undefined) return undefined;
  if (word.pieces.some(({ kind }) => kind === 'variable')) return undefined;
  const separator = tokens.findLastIndex(({ kind }) => kind !== 'word');
  const words = tokens.slice(separator + 1, -1) as readonly Word[];
  const kind = kindBehind(words, commands);
  return { kind, prefix: literal(word).slice(0, -1), closing: openQuote ?? '' };
}

/**
 * Complete a target to what its candidates have in common.
 * @returns the line, and the candidates to be shown because there is nothing to add
 */
export function complete(
  { line, cursor }: Edited,
  { prefix, closing }: Target,
  candidates: readonly string[],
): Edited & { readonly shown: readonly string[] } {
  const fitting = [...new Set(candidates)].filter((each) => each.startsWith(prefix)).sort();
  const [first] = fitting;
  if (first === undefined) return { line, cursor, shown: [] };
  const characters = [...line];
  const after = characters.slice(cursor).join('');
  let added = commonStart(fitting).slice(prefix.length);
  if (fitting.length === 1) added += closing + (/^\s/.test(after) ? '' : ' ');
  const before = characters.slice(0, cursor).join('') + added;
  const shown = added === '' ? fitting : [];
  return { line: before + after, cursor: [...before].length, shown };
}

/** What the word behind `words` is. */
function kindBehind(words: readonly Word[], commands: Commands): ArgKind {
  const [head, ...args] = words;
  if (head === undefined) return 'line';
  if (assignmentOf(head) !== undefined) return kindBehind(args, commands);
  const command = commands.find(literal(head));
  if (command === undefined) return 'name';
  const { argKinds } = command;
  const lineAt = argKinds.indexOf('line');
  if (lineAt >= 0 && args.length >= lineAt) return kindBehind(args.slice(lineAt), commands);
  return argKinds[args.length] ?? argKinds.at(-1) ?? 'nothing';
}

/** A word as far as it does not depend on variables. */
function literal(word: Word): string {
  return expandWord(word, () => undefined);
}

/** With what all of some texts begin. */
function commonStart(texts: readonly string[]): string {
  let start = texts[0] ?? '';
  for (const text of texts) {
    while (!text.startsWith(start)) start = [...start].slice(0, -1).join('');
  }
  return start;
}

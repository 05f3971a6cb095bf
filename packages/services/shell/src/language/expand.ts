/** Words as arguments: variables replaced by what they hold, and arguments as words again. */

import type { Word } from './lexer.ts';

/** What a variable holds; undefined: there is none of that name. */
export type Lookup = (name: string) => string | undefined;

/**
 * The arguments that `words` stand for. One word is one argument, whatever its variables hold; but
 * a word in which nothing is quoted, and of which nothing is left, is none.
 */
export function expandWords(words: readonly Word[], lookup: Lookup): string[] {
  const expanded: string[] = [];
  for (const word of words) {
    const text = expandWord(word, lookup);
    if (text !== '' || word.pieces.some(({ isQuoted }) => isQuoted)) expanded.push(text);
  }
  return expanded;
}

/** The text that a word stands for; a variable that is not there holds nothing. */
export function expandWord(word: Word, lookup: Lookup): string {
  return word.pieces
    .map((piece) => (piece.kind === 'text' ? piece.text : (lookup(piece.name) ?? '')))
    .join('');
}

/** A word that stands for `text`, quoted where it must be. */
export function quoteWord(text: string): string {
  if (/^[A-Za-z0-9_%+,./:@^~-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

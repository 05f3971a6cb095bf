/** The shell, and its language for whoever wants to read lines of it. */

export { expandWords, type Lookup, quoteWord } from './language/expand.ts';
export type { Fault, Piece, Word } from './language/lexer.ts';
export {
  type Assignment,
  describeFault,
  type Parsed,
  parse,
  type Step,
} from './language/parser.ts';
export { shell } from './main.ts';

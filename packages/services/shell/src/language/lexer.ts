/**
 * A line as words and separators. The lexer says what was quoted and where variables stand; what
 * variables hold, and what words mean, is for others. It goes on as far as it can: also a line that
 * is still being typed has a last word.
 */

/** Part of a word: text as it stands, or the name of a variable. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly isQuoted: boolean;
      /** Where its name begins in the line. */
      readonly nameAt: number;
    };

/** Characters of the line from `at` up to `end`, which together are one argument. */
export interface Word {
  readonly kind: 'word';
  readonly pieces: readonly Piece[];
  readonly at: number;
  readonly end: number;
}

/** What ends a command. */
export interface Separator {
  readonly kind: ';' | '&';
  readonly at: number;
}

/** Why a line makes no sense, and which of its characters shows that. */
export interface Fault {
  readonly at: number;
  readonly message: string;
}

/** What a line consists of, up to the first fault. */
export interface Lexed {
  readonly tokens: readonly (Word | Separator)[];
  readonly fault: Fault | undefined;
  /** The quote in which the line ends: the last word is still open then. */
  readonly openQuote: '"' | "'" | undefined;
}

const BLANK = /[ \t\r]/;
/** Characters that mean nothing in a word, and end nothing. */
const PLAIN = /[^ \t\r;&|<>'"\\$`]/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const NOT_YET = new Map([
  ['|', 'pipes are not there yet'],
  ['<', 'input from elsewhere is not there yet'],
  ['>', 'output to elsewhere is not there yet'],
  ['`', 'commands within words are not there yet'],
]);

/** Take a line apart. */
export function lex(line: string): Lexed {
  return new Lexer(line).run();
}

class Lexer {
  private readonly line: string;
  private at: number;
  private fault: Fault | undefined;
  private openQuote: '"' | "'" | undefined;
  /** Of the word at hand. */
  private pieces: Piece[];

  constructor(line: string) {
    this.line = line;
    this.at = 0;
    this.fault = undefined;
    this.openQuote = undefined;
    this.pieces = [];
  }

  run(): Lexed {
    const tokens: (Word | Separator)[] = [];
    while (this.fault === undefined) {
      while (BLANK.test(this.here)) this.at += 1;
      if (this.here === '' || this.here === '#') break;
      const token = this.takeSeparator() ?? this.takeWord();
      if (token !== undefined) tokens.push(token);
    }
    return { tokens, fault: this.fault, openQuote: this.openQuote };
  }

  /** The character at hand; empty at the end. */
  private get here(): string {
    return this.line.charAt(this.at);
  }

  private takeSeparator(): Separator | undefined {
    const { here: kind, at } = this;
    if (kind !== ';' && kind !== '&') return undefined;
    this.at += 1;
    if (kind === '&' && this.here === '&') {
      this.fail(at, "'&&' is not there yet; ';' runs one command after the other");
      return undefined;
    }
    return { kind, at };
  }

  private takeWord(): Word | undefined {
    const { at } = this;
    this.pieces = [];
    while (this.fault === undefined && this.takePiece());
    const { pieces, at: end } = this;
    return end > at ? { kind: 'word', pieces, at, end } : undefined;
  }

  /** Take what comes next; false: the word has ended. */
  private takePiece(): boolean {
    const { here, at } = this;
    switch (here) {
      case '':
      case ' ':
      case '\t':
      case '\r':
      case ';':
      case '&':
        return false;
      case "'":
        this.takeQuoted();
        return true;
      case '"':
        this.takeDoubleQuoted();
        return true;
      case '\\':
        if (at + 1 === this.line.length) this.fail(at, "nothing follows the '\\'");
        else this.addText(this.takeCharacter(at + 1), true);
        return true;
      case '$':
        this.takeVariable(false);
        return true;
      case '|':
      case '<':
      case '>':
      case '`':
        this.refuse(here);
        return false;
      default:
        while (PLAIN.test(this.here)) this.at += 1;
        this.addText(this.line.slice(at, this.at), false);
        return true;
    }
  }

  /** `'...'`: every character as it stands. */
  private takeQuoted(): void {
    const { at } = this;
    const closing = this.line.indexOf("'", at + 1);
    const end = closing < 0 ? this.line.length : closing;
    this.addText(this.line.slice(at + 1, end), true);
    this.at = end;
    this.close(at, "'");
  }

  /** `"..."`: variables count, and a backslash before one of `"`, `\`, `$`. */
  private takeDoubleQuoted(): void {
    const start = this.at;
    this.at += 1;
    this.addText('', true); // so that it is an argument, however empty
    while (this.fault === undefined && this.here !== '' && this.here !== '"') {
      const { here, at } = this;
      const next = this.line.charAt(at + 1);
      if (here === '\\' && next !== '' && '"\\$`'.includes(next)) {
        this.addText(this.takeCharacter(at + 1), true);
      } else if (here === '$') this.takeVariable(true);
      else if (here === '`') this.refuse(here);
      else this.addText(this.takeCharacter(at), true);
    }
    if (this.fault === undefined) this.close(start, '"');
  }

  /** The closing quote of what began at `start`. */
  private close(start: number, quote: '"' | "'"): void {
    if (this.here === quote) {
      this.at += 1;
      return;
    }
    this.openQuote = quote;
    this.fail(start, `the ${quote} that begins here is not closed`);
  }

  /** `$name`, `${name}`, `$?`; any other `$` is one. */
  private takeVariable(isQuoted: boolean): void {
    const { at } = this;
    const isBraced = this.line.startsWith('${', at);
    const nameAt = at + (isBraced ? 2 : 1);
    if (this.line.startsWith('$(', at)) {
      this.refuse('`');
      return;
    }
    const name = nameIn(this.line, nameAt);
    this.at = nameAt + name.length;
    if (name !== '') this.pieces.push({ kind: 'variable', name, isQuoted, nameAt });
    if (!isBraced) {
      if (name === '') this.addText('$', isQuoted);
    } else if (name === '') {
      this.fail(at, 'the name of a variable belongs between the braces');
    } else if (this.here === '}') this.at += 1;
    else {
      if (isQuoted && this.here === '') this.openQuote = '"';
      this.fail(at, `'\${${name}' lacks its '}'`);
    }
  }

  /** The character at `at`, which may be a surrogate pair; goes on behind it. */
  private takeCharacter(at: number): string {
    const character = String.fromCodePoint(this.line.codePointAt(at) ?? 0);
    this.at = at + character.length;
    return character;
  }

  private addText(text: string, isQuoted: boolean): void {
    const last = this.pieces.at(-1);
    if (last?.kind === 'text' && last.isQuoted === isQuoted) {
      this.pieces[this.pieces.length - 1] = { ...last, text: last.text + text };
    } else this.pieces.push({ kind: 'text', text, isQuoted });
  }

  private refuse(what: string): void {
    const message = NOT_YET.get(what) ?? '';
    this.fail(this.at, `${message}; in quotes, '${this.here}' is a character like any other`);
  }

  private fail(at: number, message: string): void {
    this.fault = { at, message };
  }
}

function nameIn(line: string, at: number): string {
  if (line.charAt(at) === '?') return '?';
  return NAME.exec(line.slice(at))?.[0] ?? '';
}

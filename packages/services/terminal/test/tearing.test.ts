/** Whatever clients write and whatever is typed: no line has anything of another session in it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineText } from '../src/line-text.ts';
import type { Session } from '../src/session.ts';
import type { TerminalOptions } from '../src/terminal-core.ts';
import { CTRL_C, CTRL_L, Desk, PLAIN_READ } from './desk.ts';

const SEED = 71;
const MODES: readonly TerminalOptions[] = [{ mode: 'plain' }, { mode: 'ansi' }];
/** Each session writes in a letter of its own. */
const LETTERS = ['α', 'β', 'γ'];
/** What may erase lines, and is typed in a test of its own. */
const CLEAR = 0x0c;

const hostile = fc.constantFrom(
  ...['\u001b[2J', '\u001b[A', '\u001b[1;1H', '\u001b', '[', '\b', '\u007f', '\u0007', '\u000b'],
  ...['\t', '\u0301', '\u009b2J', '\u2028', '\u001bc', '\u0000'],
);
const text = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom('x', '\n') }, hostile), { maxLength: 8 })
  .map((parts) => parts.join(''));
const typed = fc.oneof(
  fc.constantFrom('1', '2', '\r', '\t', '\b', CTRL_C, '\u001b[D', '\u0001', '\u0004', '\u0015'),
  fc.constantFrom('\u001b', '\u001b[', '\n', '\u0017', '\u001bb'),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ who: fc.nat(2), write: text }) },
  { weight: 2, arbitrary: fc.record({ who: fc.nat(2), does: fc.constantFrom('flush', 'read') }) },
  {
    weight: 1,
    arbitrary: fc.record({ who: fc.nat(2), does: fc.constantFrom('wait', 'complete') }),
  },
  { weight: 4, arbitrary: fc.record({ typed }) },
  { weight: 2, arbitrary: fc.record({ bytes: fc.uint8Array({ maxLength: 4 }) }) },
);

/** A session and the lines that it has written. */
class Writer {
  readonly lines: string[] = [];
  readonly letter: string;
  private readonly session: Session;
  private part = '';

  constructor(session: Session, letter: string) {
    this.session = session;
    this.letter = letter;
  }

  write(wish: string): void {
    const written = wish.replaceAll('x', this.letter);
    this.session.write(written);
    const lines = (this.part + written).split('\n');
    this.part = lines.pop() ?? '';
    this.lines.push(...lines.map((line) => lineText(line).trimEnd()).filter((line) => line !== ''));
  }

  act(does: string): void {
    if (does === 'flush') this.session.flush();
    else if (does === 'wait') this.session.awaitInterrupt(() => undefined);
    else {
      const canComplete = does === 'complete';
      const prompt = `?${this.letter}`;
      this.session.readLine({ ...PLAIN_READ, prompt, canComplete }, () => undefined);
      this.part = '';
    }
  }
}

describe.each(MODES)('the screen ($mode)', (options) => {
  it(`shows every line whole and in order, and in each row one session (seed ${SEED})`, () => {
    const property = fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const desk = new Desk(options);
      const writers = LETTERS.map((letter) => new Writer(desk.connect(), letter));
      for (const each of steps) {
        if ('typed' in each) desk.type(each.typed);
        else if ('bytes' in each) desk.type([...each.bytes].filter((b) => b !== CLEAR));
        else if ('write' in each) writers[each.who]?.write(each.write);
        else writers[each.who]?.act(each.does);
      }
      const rows = desk.screen.text;
      for (const row of rows) {
        expect(LETTERS.filter((letter) => row.includes(letter)).length).toBeLessThan(2);
      }
      for (const { letter, lines } of writers) {
        const missing = lines.filter((line) => line.includes(letter));
        for (const row of rows) if (row === missing[0]) missing.shift();
        expect(missing).toEqual([]);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });
});

describe('the screen', () => {
  it('is emptied by the keyboard only', () => {
    const desk = new Desk({ mode: 'ansi' });
    const { session } = desk.reader();
    session.write('\u001b[2J\u001bc\u009b2Jkept\n');
    expect(desk.screen.text).toEqual(['c2Jkept', '>']);
    desk.type(CTRL_L);
    expect(desk.screen.text).toEqual(['>']);
  });
});

/** The console: lines, editing, and what stands on the screen meanwhile. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Typist } from '../test/typist.ts';
import type { LineResult } from './console.ts';

const PROMPT = '> ';
const ESC = '\u001b';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const DELETE = '\u007f';

/** Somebody who types lines at a prompt, and what is made of them. */
function create(): { typist: Typist; lines: LineResult[] } {
  const lines: LineResult[] = [];
  const typist = new Typist(function* (_, console) {
    for (;;) lines.push(yield* console.readLine(PROMPT));
  });
  return { typist, lines };
}

/** The lines that come of typing `input`. */
function linesOf(input: string): string[] {
  const { typist, lines } = create();
  typist.type(input);
  return lines.map((line) => (line.kind === 'line' ? line.text : line.kind));
}

describe('a line', () => {
  it('is shown as it is typed and ends with Return', () => {
    const { typist, lines } = create();
    typist.type('he');
    expect(typist.screen.text).toEqual(['> he']);
    typist.type('llo');
    expect([typist.screen.text, lines]).toEqual([['> hello'], []]);
    typist.type('\r');
    expect(lines).toEqual([{ kind: 'line', text: 'hello' }]);
    expect(typist.screen.text).toEqual(['> hello', '>']);
    expect(typist.screen.cursor).toBe(PROMPT.length);
  });

  it('ends with Return, line feed, or both in this order', () => {
    expect(linesOf('a\rb\nc\r\nd\n\re\r')).toEqual(['a', 'b', 'c', 'd', '', 'e']);
    expect(linesOf('\r\r\n\n')).toEqual(['', '', '']);
  });

  it('ends once for both also when they arrive apart', () => {
    const { typist, lines } = create();
    for (const piece of ['a\r', '\n', 'b\r', '\nc\n']) typist.type(piece);
    expect(lines.map((line) => line.kind === 'line' && line.text)).toEqual(['a', 'b', 'c']);
  });

  it('may hold any characters', () => {
    const { typist } = create();
    typist.type('Grüße, 魚 🐟');
    expect(typist.screen.text).toEqual(['> Grüße, 魚 🐟']);
    expect(linesOf('Grüße, 魚 🐟\r')).toEqual(['Grüße, 魚 🐟']);
  });

  it('shows what is not UTF-8 as U+FFFD', () => {
    const { typist, lines } = create();
    typist.type([0x61, 0xff, 0x62, 0x0d]);
    expect(lines).toEqual([{ kind: 'line', text: 'a\ufffdb' }]);
  });

  it('has blanks for tabs and nothing for other control characters', () => {
    expect(linesOf('a\tb\u0000\u0001\u0007\u001fc\r')).toEqual(['a bc']);
  });

  it('of more than 4096 bytes is refused with bells from there on', () => {
    const { typist, lines } = create();
    typist.type(`${'x'.repeat(4096)}yz`);
    expect(typist.screen.bellCount).toBe(2);
    typist.type(`${DELETE}!\r`);
    expect(typist.screen.bellCount).toBe(2);
    expect(lines).toEqual([{ kind: 'line', text: `${'x'.repeat(4095)}!` }]);
  });

  it('that lost its end is not run', () => {
    const { typist, lines } = create();
    typist.type(`${'x'.repeat(4096)}yz\r`);
    expect(lines).toEqual([{ kind: 'cancelled' }]);
    expect(typist.screen.text.join('\n')).toContain('this one was not run');
  });
});

describe('editing', () => {
  it.each(['\b', DELETE])('erases the last character with %j, of one byte or four', (key) => {
    const { typist, lines } = create();
    typist.type(`aü魚🐟${key}`);
    expect(typist.screen.text).toEqual(['> aü魚']);
    typist.type(`${key}${key}b`);
    expect(typist.screen.text).toEqual(['> ab']);
    typist.type('\r');
    expect(lines).toEqual([{ kind: 'line', text: 'ab' }]);
  });

  it('does not erase the prompt', () => {
    const { typist } = create();
    typist.type('a\b\b\b');
    expect([typist.screen.text, typist.screen.cursor]).toEqual([['>'], PROMPT.length]);
  });

  it('erases the whole line with Ctrl-U', () => {
    const { typist, lines } = create();
    typist.type(`hällo${CTRL_U}`);
    expect([typist.screen.text, typist.screen.cursor]).toEqual([['>'], PROMPT.length]);
    typist.type('x\r');
    expect(lines).toEqual([{ kind: 'line', text: 'x' }]);
  });

  it('gives the line up with Ctrl-C', () => {
    const { typist, lines } = create();
    typist.type(`abc${CTRL_C}`);
    expect(lines).toEqual([{ kind: 'cancelled' }]);
    expect(typist.screen.text).toEqual(['> abc^C', '>']);
    typist.type('d\r');
    expect(lines.at(-1)).toEqual({ kind: 'line', text: 'd' });
  });

  it('ends the input with Ctrl-D, on an empty line only', () => {
    expect(linesOf(`a${CTRL_D}b\r${CTRL_D}`)).toEqual(['ab', 'end']);
    expect(linesOf(`a\b${CTRL_D}`)).toEqual(['end']);
  });

  it.each([
    ['cursor keys', `${ESC}[A${ESC}[B${ESC}[C${ESC}[D`],
    ['keys with parameters', `${ESC}[1;5C${ESC}[3~${ESC}[15~`],
    ['function keys', `${ESC}OP${ESC}OQ`],
    ['Alt and a letter', `${ESC}x`],
    ['Escape twice', `${ESC}${ESC}[A`],
    ['Escape alone, before another sequence', `${ESC}${ESC}OP`],
  ])('ignores %s', (_, keys) => {
    expect(linesOf(`ab${keys}cd\r`)).toEqual(['abcd']);
  });

  it('takes Return and control keys as themselves, also right behind Escape', () => {
    expect(linesOf(`ab${ESC}\rcd\r`)).toEqual(['ab', 'cd']);
    expect(linesOf(`ab${ESC}[\rcd\r`)).toEqual(['ab', 'cd']);
    expect(linesOf(`ab${ESC}${CTRL_C}cd\r`)).toEqual(['cancelled', 'cd']);
    expect(linesOf(`ab${ESC}[1${CTRL_U}cd\r`)).toEqual(['cd']);
  });
});

describe('printing', () => {
  it('begins lines at the left', () => {
    const typist = new Typist(function* (os, console) {
      console.print('one\ntwo');
      console.printLine(' and a half');
      console.printLine('drei Füße');
      yield* os.giveWay();
    });
    expect(typist.screen.text).toEqual(['one', 'two and a half', 'drei Füße', '']);
  });
});

describe('a typist at random', () => {
  const key = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...'abc ;xyzüé魚🐟'.replaceAll(' ', ''), ' ') },
    { weight: 3, arbitrary: fc.constantFrom('\b', DELETE) },
    fc.constantFrom(CTRL_U, '\t', `${ESC}[A`, `${ESC}OP`, '\u0001'),
  );

  it('sees what the line holds, whatever is typed and however it arrives (seed 51)', () => {
    const property = fc.property(
      fc.array(fc.tuple(key, fc.boolean()), { maxLength: 30 }),
      (keys) => {
        const { typist, lines } = create();
        let model: string[] = [];
        let piece = '';
        for (const [k, isEnd] of keys) {
          if (k === '\b' || k === DELETE) model.pop();
          else if (k === CTRL_U) model = [];
          else if (k === '\t') model.push(' ');
          else if (k >= ' ' && !k.startsWith(ESC)) model.push(k);
          piece += k;
          if (!isEnd) continue;
          typist.type(piece);
          piece = '';
          expect(typist.screen.text).toEqual([`${PROMPT}${model.join('')}`.trimEnd()]);
          expect(typist.screen.cursor).toBe(PROMPT.length + model.length);
        }
        typist.type(`${piece}\r`);
        expect(lines).toEqual([{ kind: 'line', text: model.join('') }]);
      },
    );
    fc.assert(property, { seed: 51, numRuns: 100 });
  });
});

/** A line from its first key to its end, without escape sequences on the screen. */

import { describe, expect, it } from 'vitest';
import { CTRL_C, CTRL_D, CTRL_U, DELETE, Desk, ESC, inShort, PROMPT } from './desk.ts';

function create() {
  const desk = new Desk();
  const { results } = desk.reader();
  return { desk, screen: desk.screen, results };
}

/** The lines that come of typing `input`. */
function linesOf(input: string | readonly number[]): string[] {
  const { desk, results } = create();
  desk.type(input);
  return results.map(inShort);
}

describe('a line', () => {
  it('is shown as it is typed and ends with Return', () => {
    const { desk, screen, results } = create();
    desk.type('he');
    expect(screen.text).toEqual(['> he']);
    desk.type('llo');
    expect([screen.text, results]).toEqual([['> hello'], []]);
    desk.type('\r');
    expect(results).toEqual([{ kind: 'line', text: 'hello', cursor: 5 }]);
    expect(screen.text).toEqual(['> hello', '>']);
    expect(screen.cursor).toEqual([1, PROMPT.length]);
    expect(desk.sent).toBe('> hello\r\n> ');
  });

  it('ends with Return, line feed, or both in this order', () => {
    expect(linesOf('a\rb\nc\r\nd\n\re\r')).toEqual(['a', 'b', 'c', 'd', '', 'e']);
    expect(linesOf('\r\r\n\n')).toEqual(['', '', '']);
  });

  it('may hold any characters', () => {
    const { desk, screen } = create();
    desk.type('Grüße, 魚 🐟');
    expect(screen.text).toEqual(['> Grüße, 魚 🐟']);
    expect(linesOf('Grüße, 魚 🐟\r')).toEqual(['Grüße, 魚 🐟']);
  });

  it('has U+FFFD for what is not UTF-8', () => {
    expect(linesOf([0x61, 0xff, 0x62, 0x0d])).toEqual(['a\ufffdb']);
  });

  it('has blanks for tabs and nothing for other control characters', () => {
    expect(linesOf('a\tb\u0000\u0007\u001f\u0085\u009b\u2028c\r')).toEqual(['a bc']);
  });

  it('of more than 4096 bytes is refused with bells from there on', () => {
    const { desk, screen, results } = create();
    desk.type(`${'x'.repeat(4096)}yz`);
    expect(screen.bellCount).toBe(2);
    desk.type(`${DELETE}!\r`);
    expect(screen.bellCount).toBe(2);
    expect(results.map(inShort)).toEqual([`${'x'.repeat(4095)}!`]);
  });

  it('has as many bytes as the line that a reply can carry, whatever the characters', () => {
    const { desk, screen, results } = create();
    desk.type(`${'🐟'.repeat(1023)}xyzü!`);
    expect(screen.bellCount).toBe(1); // the ü; one byte is left
    desk.type(`${DELETE}\r`);
    expect(results.map(inShort)).toEqual([`${'🐟'.repeat(1023)}xyz`]);
  });

  it('that lost its end is not run', () => {
    const { desk, screen, results } = create();
    desk.type(`${'x'.repeat(4096)}yz\r`);
    expect(results.map(inShort)).toEqual(['cancelled']);
    expect(screen.text.slice(1)).toEqual([
      'a line has at most 4096 bytes; this one was not run',
      '>',
    ]);
  });

  it('that lost its end may be given up like any other', () => {
    expect(linesOf(`${'x'.repeat(4097)}${CTRL_U}ls\r`)).toEqual(['ls']);
    expect(linesOf(`${'x'.repeat(4097)}${CTRL_C}ls\r`)).toEqual(['cancelled', 'ls']);
  });
});

describe('keys', () => {
  it.each(['\b', DELETE])('erase the last character with %j, of one byte or four', (key) => {
    const { desk, screen, results } = create();
    desk.type(`aü魚🐟${key}`);
    expect(screen.text).toEqual(['> aü魚']);
    desk.type(`${key}${key}b`);
    expect(screen.text).toEqual(['> ab']);
    desk.type('\r');
    expect(results.map(inShort)).toEqual(['ab']);
  });

  it('that erase a character send what serial lines always have', () => {
    const { desk } = create();
    desk.type(`ab${DELETE}`);
    expect(desk.sent).toBe('> ab\b \b');
  });

  it('do not erase the prompt', () => {
    const { desk, screen } = create();
    desk.type('a\b\b\b');
    expect([screen.text, screen.cursor]).toEqual([['>'], [0, PROMPT.length]]);
  });

  it('give the line up with Ctrl-C', () => {
    const { desk, screen, results } = create();
    desk.type(`abc${ESC}[D${ESC}[D${CTRL_C}`);
    expect(results).toEqual([{ kind: 'cancelled', text: '', cursor: 0 }]);
    expect(screen.text).toEqual(['> abc^C', '>']);
    desk.type('d\r');
    expect(results.map(inShort)).toEqual(['cancelled', 'd']);
  });

  it('end the input with Ctrl-D, on an empty line only', () => {
    expect(linesOf(`a${CTRL_D}b\r${CTRL_D}`)).toEqual(['ab', 'end']);
    expect(linesOf(`a\b${CTRL_D}`)).toEqual(['end']);
    expect(linesOf(`ab${ESC}[D${CTRL_D}\r`)).toEqual(['a']);
  });

  it.each([
    ['cursor keys that lead nowhere', `${ESC}[A${ESC}[B${ESC}[C`],
    ['keys with parameters', `${ESC}[1;5C${ESC}[3~${ESC}[15~${ESC}[200;300;400;500~`],
    ['function keys', `${ESC}OP${ESC}OQ${ESC}[[A`],
    ['Alt and a letter', `${ESC}x`],
    ['Escape twice', `${ESC}${ESC}[A`],
    ['Escape alone, before another sequence', `${ESC}${ESC}OP`],
  ])('without a meaning are ignored: %s', (_, keys) => {
    expect(linesOf(`ab${keys}cd\r`)).toEqual(['abcd']);
  });

  it('mean themselves right behind Escape, if they are Return or control characters', () => {
    expect(linesOf(`ab${ESC}\rcd\r`)).toEqual(['ab', 'cd']);
    expect(linesOf(`ab${ESC}[\rcd\r`)).toEqual(['ab', 'cd']);
    expect(linesOf(`ab${ESC}${CTRL_C}cd\r`)).toEqual(['cancelled', 'cd']);
    expect(linesOf(`ab${ESC}[1${CTRL_U}cd\r`)).toEqual(['cd']);
    expect(linesOf(`ab${ESC}ücd\r`)).toEqual(['abücd']);
  });
});

/** Editing in every mode: what stands on the screen is what the line holds, after every key. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TerminalOptions } from '../src/terminal-core.ts';
import {
  CTRL_A,
  CTRL_K,
  CTRL_L,
  CTRL_W,
  DELETE,
  Desk,
  DOWN,
  ESC,
  inShort,
  LEFT,
  UP,
} from './desk.ts';
import { EditingModel, KEYS, type ModelKey } from './editing.model.ts';
import { Emulator } from './emulator.ts';

const MODES: readonly TerminalOptions[] = [
  { mode: 'plain' },
  { mode: 'ansi' },
  { mode: 'ansi', columns: 2 },
  { mode: 'ansi', columns: 7 },
  { mode: 'ansi', columns: 20 },
];

const names = Object.keys(KEYS) as ModelKey[];
const chars = fc.constantFrom(...'aaabcxyz__..  ', 'ü', '魚', '🐟', 'e\u0301', '\u0302', '\ud55c');
const key = fc.oneof(
  { weight: 6, arbitrary: chars.map((text) => ({ text, name: undefined })) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(...names)
      .chain((name) => fc.constantFrom(...KEYS[name]).map((text) => ({ text, name }))),
  },
);

/** What a screen shows if a prompt and a line are just printed, the cursor behind `before`. */
function printed(prompt: string, { before, after }: EditingModel, columns?: number) {
  const [whole, part] = [new Emulator(columns), new Emulator(columns)];
  // A mark with nothing before it is shown on a blank.
  const lead = /^\p{M}/u.test(prompt + before + after) ? ' ' : '';
  whole.show(lead + prompt + before + after);
  part.show((before === '' ? '' : lead) + prompt + before);
  return { text: whole.text, cursor: part.cursor };
}

describe.each(MODES)('a typist at random, $mode, $columns columns', (options) => {
  it.each(['> ', ''])('sees what the line holds, behind the prompt %j (seed 51)', (prompt) => {
    const property = fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
      const desk = new Desk(options);
      const model = new EditingModel();
      const { results } = desk.reader({ prompt, hasHistory: true });
      const lines: string[] = [];
      let above = 0;
      for (const { text, name } of keys) {
        if (name === 'return') {
          lines.push(model.line);
          const rows = printed(prompt, model, options.columns).text.length;
          above += Math.max(rows, 1);
        }
        desk.type(text);
        if (name === undefined) model.type(text);
        else model.press(name);
        const expected = printed(prompt, model, options.columns);
        expect(desk.screen.text.slice(above)).toEqual(expected.text);
        const [row, column] = expected.cursor;
        expect(desk.screen.cursor).toEqual([above + row, column]);
      }
      expect(results.map(inShort)).toEqual(lines);
    });
    fc.assert(property, { seed: 51, numRuns: 150 });
  });
});

describe.each(MODES.slice(0, 2))('editing ($mode)', (options) => {
  it('goes on in the middle of the line', () => {
    const desk = new Desk(options);
    const { results } = desk.reader();
    desk.type(`wrld${LEFT}${LEFT}${LEFT}o${CTRL_A}hello, ${ESC}f${ESC}[1;5D${CTRL_W}`);
    expect(desk.screen.text).toEqual(['> world']);
    desk.type(`x${CTRL_K}y\r`);
    expect(results.map(inShort)).toEqual(['xy']);
  });

  it('begins with the line and the cursor that the session says', () => {
    const desk = new Desk(options);
    const session = desk.connect();
    const got: string[] = [];
    const read = { prompt: '? ', line: 'a\tbü\u0007d', canComplete: false, hasHistory: false };
    session.readLine({ ...read, cursor: 3 }, (result) => got.push(inShort(result)));
    session.readLine({ ...read, cursor: 99 }, (result) => got.push(inShort(result)));
    expect([desk.screen.text, desk.screen.cursor]).toEqual([['? abüd'], [0, 5]]);
    desk.type('c\r!\r');
    expect(got).toEqual(['abücd', 'abüd!']);
  });
});

describe('Ctrl-L', () => {
  it('empties the screen but for the line', () => {
    const desk = new Desk({ mode: 'ansi', columns: 10 });
    const { session } = desk.reader();
    session.write('one\ntwo\n');
    desk.type(`0123456789${LEFT}${CTRL_L}`);
    expect([desk.screen.text, desk.screen.cursor]).toEqual([
      ['> 01234567', '89'],
      [1, 1],
    ]);
  });

  it('shows the line again where the screen cannot be emptied', () => {
    const desk = new Desk();
    desk.reader();
    desk.type(`abc${LEFT}${CTRL_L}`);
    expect([desk.screen.text, desk.screen.cursor]).toEqual([
      ['> abc', '> abc'],
      [1, 4],
    ]);
  });
});

describe('the history', () => {
  it('is of one session, and of its reads that want it', () => {
    const desk = new Desk();
    const [a, b] = [desk.connect(), desk.connect()];
    const got: string[] = [];
    const read = (session: typeof a, hasHistory: boolean): void => {
      const options = { prompt: '', line: '', cursor: 0, canComplete: false, hasHistory };
      session.readLine(options, (result) => got.push(inShort(result)));
    };
    for (const [session, hasHistory] of [
      [a, true],
      [a, false],
      [b, true],
      [a, true],
    ] as const) {
      read(session, hasHistory);
    }
    desk.type(`one\r${UP}secret\r${UP}${DOWN}two\r${UP}\r`);
    expect(got).toEqual(['one', 'secret', 'two', 'one']);
  });

  it('keeps the last 200 lines, without blank ones and repetitions', () => {
    const desk = new Desk();
    const { results } = desk.reader({ hasHistory: true });
    for (let i = 0; i < 201; i++) desk.type(`l${i}\rl${i}\r  \r\r`);
    results.length = 0;
    desk.type(`${UP.repeat(200)}\r`);
    desk.type(`${UP.repeat(300)}\r`);
    expect(results.map(inShort)).toEqual(['l1', 'l2']);
  });

  it('gives back what was being typed, and forgets changes to its own lines', () => {
    const desk = new Desk();
    const { results } = desk.reader({ hasHistory: true });
    desk.type(`one\rtw${UP}${DELETE}${DOWN}o\r${UP}${UP}\r`);
    expect(results.map(inShort)).toEqual(['one', 'two', 'one']);
  });
});

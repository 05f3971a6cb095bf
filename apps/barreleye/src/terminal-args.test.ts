/** When the terminal domain uses escape sequences, and how wide it takes the screen to be. */

import { expect, it } from 'vitest';
import { terminalArgs } from './terminal-args.ts';

const stdin = { isTTY: true };
const stdout = { isTTY: true, columns: 132 };
const term = 'xterm';

it('uses escape sequences and the width of a terminal', () => {
  expect(terminalArgs({ stdin, stdout, term })).toBe('mode=ansi columns=132');
  expect(terminalArgs({ stdin, stdout, term: undefined })).toBe('mode=ansi columns=132');
});

it.each([0, 1, 10_000])('does not take a screen for one of %i columns', (columns) => {
  expect(terminalArgs({ stdin, stdout: { isTTY: true, columns }, term })).toBe('mode=ansi');
  expect(terminalArgs({ stdin, stdout: { isTTY: true }, term })).toBe('mode=ansi');
});

it('uses none in a pipe, and on a terminal that understands none', () => {
  expect(terminalArgs({ stdin: {}, stdout, term })).toBe('');
  expect(terminalArgs({ stdin, stdout: {}, term })).toBe('');
  expect(terminalArgs({ stdin, stdout, term: 'dumb' })).toBe('');
});

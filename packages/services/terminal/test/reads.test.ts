/** Whose turn it is to read, and what is kept for whom. */

import { describe, expect, it } from 'vitest';
import { CTRL_C, CTRL_D, createTwo, LEFT } from './desk.ts';

describe('reads', () => {
  it('take turns in the order in which they were asked for', () => {
    const { desk, a, b, got, read } = createTwo();
    read(a, 'a> ');
    read(b, 'b> ');
    read(a, 'A> ');
    desk.type(`1\r${CTRL_D}`);
    expect(desk.screen.text).toEqual(['a> 1', 'b>', 'A>']);
    desk.type('3\r');
    expect(got).toEqual(['a> 1', 'b> end', 'A> 3']);
  });

  it('get what was typed before, as far as their line goes', () => {
    const { desk, a, b, got, read } = createTwo();
    desk.type('one\rtwo\r\nth\b\bfour');
    expect(desk.sent).toBe('');
    read(a, 'a> ');
    read(b, 'b> ');
    expect(got).toEqual(['a> one', 'b> two']);
    read(a, 'a> ');
    expect(desk.screen.text).toEqual(['a> one', 'b> two', 'a> four']);
  });

  it('lose what is typed beyond 16384 keys, each of which rings the bell', () => {
    const { desk, a, got, read } = createTwo();
    desk.type(`${'x\r'.repeat(8192)}yz`);
    expect(desk.screen.bellCount).toBe(2);
    for (let i = 0; i < 8192; i++) read(a, '');
    read(a, 'empty> ');
    desk.type('!\r');
    expect([got.length, got[8191], got[8192]]).toEqual([8193, 'x', 'empty> !']);
  });
});

describe('completion', () => {
  const canComplete = true;

  it('hands the line over and goes on with what it is told, in the same row', () => {
    const { desk, a, got, read } = createTwo();
    a.write('[1] ');
    read(a, '> ', { canComplete });
    desk.type(`al${LEFT}\t`);
    expect(got).toEqual(['> complete']);
    read(a, '> ', { canComplete, line: 'alloc ', cursor: 6 });
    desk.type('8\r');
    expect(desk.sent).toBe('[1] > al\blloc 8\r\n');
    expect(got).toEqual(['> complete', '> alloc 8']);
  });

  it('keeps its turn, and what is typed meanwhile', () => {
    const { desk, a, b, got, read } = createTwo();
    read(a, '> ', { canComplete });
    read(b, 'b> ');
    desk.type('a\tx\r');
    a.write('abc abd\n');
    expect(desk.screen.text).toEqual(['> a', 'abc abd', '> a']);
    read(a, '> ', { line: 'ab', cursor: 2 });
    expect(got).toEqual(['> complete', '> abx']);
    expect(desk.screen.text).toEqual(['> a', 'abc abd', '> abx', 'b>']);
  });

  it('shows lines before the last one of the prompt once', () => {
    const { desk, a, read } = createTwo();
    read(a, 'two\n> ', { canComplete });
    desk.type('a\t');
    read(a, 'two\n> ', { line: 'ab', cursor: 2 });
    expect(desk.screen.text).toEqual(['two', '> ab']);
  });

  it('is cancelled by Ctrl-C, which its session hears when it asks again', () => {
    const { desk, a, b, got, read } = createTwo();
    read(a, '> ', { canComplete });
    read(b, 'b> ');
    desk.type(`a\tx${CTRL_C}`);
    expect(desk.screen.text).toEqual(['> a^C', 'b>']);
    read(a, '> ', { line: 'ab', cursor: 2 });
    expect(got).toEqual(['> complete', '> cancelled']);
    desk.type('y\r');
    read(a, '> ');
    desk.type('z\r');
    expect(got.slice(2)).toEqual(['b> y', '> z']);
  });

  it('ends its turn when its session closes', () => {
    const { desk, a, b, got, read } = createTwo();
    read(a, '> ', { canComplete });
    desk.type('a\t');
    read(b, 'b> ');
    a.close();
    desk.type('y\r');
    expect(got).toEqual(['> complete', 'b> y']);
  });
});

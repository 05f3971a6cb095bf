/** Several sessions at one screen: transcripts. */

import { describe, expect, it } from 'vitest';
import { createTwo, LEFT } from './desk.ts';

describe('text', () => {
  it('is shown when its line is whole', () => {
    const { screen, a, b } = createTwo();
    a.write('one ');
    b.write('eins\nzw');
    a.write('two\nth');
    expect(screen.text).toEqual(['eins', 'one two']);
    b.write('ei\n');
    a.write('ree\n');
    expect(screen.text).toEqual(['eins', 'one two', 'zwei', 'three']);
  });

  it('of a line without end is shown in pieces of 8192, characters whole', () => {
    const { screen, a } = createTwo();
    for (let i = 0; i < 8; i++) a.write('x'.repeat(2048));
    expect(screen.text).toEqual(['x'.repeat(8192)]);
    a.write(`\n${'x'.repeat(8191)}🐟🐟\n`);
    expect(screen.text.slice(2)).toEqual([`${'x'.repeat(8191)}🐟🐟`]);
    a.write(`${'x'.repeat(8191)}🐟🐟`);
    a.write('\n');
    expect(screen.text.slice(3)).toEqual(['x'.repeat(8191), '🐟🐟']);
  });

  it('that is flushed is shown as far as it goes, and goes on in its row', () => {
    const { desk, a } = createTwo();
    a.write('10%');
    a.flush();
    a.write(' 20%');
    a.flush();
    a.flush();
    a.write(' done\n');
    expect(desk.sent).toBe('10% 20% done\r\n');
  });

  it('that is flushed after a carriage return takes the place of what stands there', () => {
    const { screen, a } = createTwo();
    for (const part of ['9%', '\r10%', '\r100%']) {
      a.write(part);
      a.flush();
    }
    expect(screen.text).toEqual(['100%']);
    a.write('\r\nnext\n');
    expect(screen.text).toEqual(['100%', 'next']);
  });

  it('that is flushed gives way to lines of others and comes back', () => {
    const [plain, ansi] = [createTwo('plain'), createTwo('ansi')];
    for (const { a, b } of [plain, ansi]) {
      a.write('loading');
      a.flush();
      b.write('hello\n');
      a.write(', done\n');
    }
    expect(plain.screen.text).toEqual(['loading', 'hello', 'loading, done']);
    expect(ansi.screen.text).toEqual(['hello', 'loading, done']);
  });

  it('that is flushed gives way to what another flushes, and is whole in the end', () => {
    const { screen, a, b } = createTwo('ansi');
    a.write('a...');
    a.flush();
    b.write('b...');
    b.flush();
    expect(screen.text).toEqual(['b...']);
    a.write('!\n');
    expect(screen.text).toEqual(['a...!', 'b...']);
    b.write('!\n');
    expect(screen.text).toEqual(['a...!', 'b...!']);
  });

  it('that is flushed while somebody edits a line waits for its own end', () => {
    const { screen, a, b, read } = createTwo();
    read(a, '> ');
    b.write('part');
    b.flush();
    expect(screen.text).toEqual(['>']);
    b.write(' whole\n');
    expect(screen.text).toEqual(['>', 'part whole', '>']);
  });

  it('without an end is shown as a line when its session closes', () => {
    const { screen, a, b } = createTwo();
    b.write('flushed');
    b.flush();
    a.write('last words');
    a.close();
    b.close();
    for (const gone of [a, b]) {
      gone.write('x\n');
      gone.flush();
      gone.close();
    }
    expect(screen.text).toEqual(['flushed', 'last words', 'flushed']);
  });
});

describe('a line that is being edited', () => {
  it('gives way to lines of others and comes back with the cursor where it was', () => {
    const [plain, ansi] = [createTwo('plain'), createTwo('ansi')];
    for (const { desk, a, b, read } of [plain, ansi]) {
      read(a, '> ');
      desk.type(`helo${LEFT}`);
      b.write('news\nmore ');
      b.write('news\n');
      desk.type('l');
    }
    expect(plain.screen.text).toEqual(['> helo', 'news', '> helo', 'more news', '> hello']);
    expect(ansi.screen.text).toEqual(['news', 'more news', '> hello']);
    for (const { screen } of [plain, ansi]) expect(screen.cursor[1]).toBe('> hell'.length);
  });

  it('comes behind what its session has left unfinished, and stays there', () => {
    const { desk, a, b, got, read } = createTwo('ansi');
    a.write('name');
    a.flush();
    read(a, ': ');
    desk.type('x');
    expect(desk.sent).toBe('name: x');
    b.write('news\n');
    expect(desk.screen.text).toEqual(['news', 'name: x']);
    desk.type('\r');
    a.write('next\n');
    expect([desk.screen.text, got]).toEqual([['news', 'name: x', 'next'], [': x']]);
  });

  it('has the last line of a prompt of several before it', () => {
    const { screen, a, b, read } = createTwo('ansi');
    a.write('one ');
    read(a, 'two\nthree\n> ');
    b.write('news\n');
    expect(screen.text).toEqual(['one two', 'three', 'news', '>']);
  });

  it('does not stay when its session closes', () => {
    const [plain, ansi] = [createTwo('plain'), createTwo('ansi')];
    for (const { desk, a, b, got, read } of [plain, ansi]) {
      read(a, 'a> ');
      desk.type('hello');
      read(a, 'a2> ');
      read(b, 'b> ');
      a.close();
      desk.type('x\r');
      read(a, 'a3> ');
      expect(got).toEqual(['a> end', 'a2> end', 'b> x', 'a3> end']);
    }
    expect(plain.screen.text).toEqual(['a> hello', 'b> x']);
    expect(ansi.screen.text).toEqual(['b> x']);
  });
});

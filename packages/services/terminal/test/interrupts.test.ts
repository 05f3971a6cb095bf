/** Ctrl-C: who hears of it. */

import { describe, expect, it } from 'vitest';
import type { Session } from '../src/session.ts';
import { CTRL_C, Desk, inShort, PLAIN_READ } from './desk.ts';

function create() {
  const desk = new Desk();
  const log: string[] = [];
  const read = (session: Session, prompt: string): void =>
    session.readLine({ ...PLAIN_READ, prompt }, (result) => log.push(prompt + inShort(result)));
  const wait = (session: Session, name: string): void =>
    session.awaitInterrupt(() => log.push(name));
  return { desk, a: desk.connect(), b: desk.connect(), log, read, wait };
}

describe('Ctrl-C', () => {
  it('is for whoever has asked last, one at a time, and is shown', () => {
    const { desk, a, b, log, wait } = create();
    wait(a, 'a');
    wait(b, 'b');
    desk.type(CTRL_C);
    expect(log).toEqual(['b']);
    desk.type(CTRL_C);
    desk.type(CTRL_C);
    expect(log).toEqual(['b', 'a']);
    expect(desk.screen.text).toEqual(['^C', '^C']);
  });

  it('makes the terminal forget what was typed before it', () => {
    const { desk, a, b, log, read, wait } = create();
    desk.type(`one\r${CTRL_C}two\r`);
    wait(b, 'b');
    desk.type(`three\r${CTRL_C}four\r`);
    read(a, '> ');
    expect(log).toEqual(['b', '> four']);
  });

  it('cancels the read of another session, too; the next one has its turn', () => {
    const { desk, a, b, log, read, wait } = create();
    wait(a, 'a');
    read(b, 'b> ');
    read(a, 'a> ');
    desk.type(`x${CTRL_C}`);
    expect(log).toEqual(['b> cancelled', 'a']);
    expect(desk.screen.text).toEqual(['b> x^C', 'a>']);
  });

  it('only cancels the read of a session that also waits for it', () => {
    const { desk, a, b, log, read, wait } = create();
    wait(b, 'b');
    wait(a, 'a');
    read(a, 'a> ');
    desk.type(CTRL_C);
    expect(log).toEqual(['a> cancelled']);
    desk.type(CTRL_C);
    expect(log).toEqual(['a> cancelled', 'a']);
  });

  it('is for the latest waiter also when its line is being completed by another', () => {
    const { desk, a, b, log, read, wait } = create();
    wait(b, 'b');
    a.readLine({ ...PLAIN_READ, canComplete: true }, ({ kind }) => log.push(kind));
    desk.type(`x\t${CTRL_C}`);
    read(a, 'a> ');
    expect(log).toEqual(['complete', 'b', 'a> cancelled']);
  });

  it('is nothing to a session that has closed; who waits there waits no longer', () => {
    const { desk, a, b, log, wait } = create();
    wait(a, 'a');
    wait(b, 'b');
    b.close();
    wait(b, 'b again');
    expect(log).toEqual(['b', 'b again']);
    desk.type(CTRL_C);
    expect(log).toEqual(['b', 'b again', 'a']);
  });

  it('comes between an unfinished line and the rest of it', () => {
    const { desk, a, b, log, wait } = create();
    wait(a, 'a');
    b.write('working');
    b.flush();
    desk.type(CTRL_C);
    b.close();
    expect(log).toEqual(['a']);
    expect(desk.screen.text).toEqual(['working', '^C', 'working']);
  });
});

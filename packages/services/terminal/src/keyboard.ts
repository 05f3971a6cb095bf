/**
 * Who gets the keys. Sessions that read take turns, first come, first served. What is typed while
 * nobody reads is kept. Ctrl-C overtakes all that.
 */

import { MAX_LINE_BYTES } from '@barreleye/program';
import type { Key } from './key.ts';
import type { EditStep } from './line-editor.ts';
import type { LineRead } from './line-read.ts';
import type { Screen } from './screen.ts';

/** Keys that are kept while nobody reads; more are refused with a bell. */
const MAX_KEYS_AHEAD = 16_384;

/** Somebody who wants to hear of Ctrl-C. */
interface InterruptWaiter {
  readonly owner: object;
  readonly answer: () => void;
}

export class Keyboard {
  private readonly screen: Screen;
  /** Keys for whoever reads next. */
  private ahead: Key[];
  /** Whose turn it is to read, and who is next. */
  private reading: LineRead | undefined;
  private waiting: LineRead[];
  /** The read that was answered `complete`: its session has the turn until it asks again. */
  private completing: LineRead | undefined;
  /** Sessions whose read was cancelled meanwhile; they hear of it when they ask again. */
  private readonly cancelled: Set<object>;
  private interruptWaiters: InterruptWaiter[];

  constructor(screen: Screen) {
    this.screen = screen;
    this.ahead = [];
    this.reading = undefined;
    this.waiting = [];
    this.completing = undefined;
    this.cancelled = new Set();
    this.interruptWaiters = [];
  }

  /** A key was pressed. */
  press(key: Key): void {
    if (key.name === 'interrupt') this.interrupt();
    else if (this.ahead.length < MAX_KEYS_AHEAD) this.ahead.push(key);
    else this.screen.ringBell();
    this.serveReads();
  }

  /** Have a line edited, when it is its turn. */
  read(read: LineRead): void {
    const { owner } = read;
    if (this.cancelled.delete(owner)) {
      read.endEmpty('cancelled');
      return;
    }
    if (this.completing?.owner === owner) {
      this.completing = undefined;
      this.waiting.unshift(read);
    } else this.waiting.push(read);
    this.serveReads();
  }

  /** Have `answer` called when Ctrl-C is pressed next, unless somebody asks later. */
  awaitInterrupt(owner: object, answer: () => void): void {
    this.interruptWaiters.push({ owner, answer });
  }

  /** A session is gone: its reads end, and it hears of nothing any more. */
  forget(owner: object): void {
    this.cancelled.delete(owner);
    const isOwn = (each: { owner: object }): boolean => each.owner === owner;
    const reads = this.waiting.filter(isOwn);
    const waiters = this.interruptWaiters.filter(isOwn);
    this.waiting = this.waiting.filter((each) => !isOwn(each));
    this.interruptWaiters = this.interruptWaiters.filter((each) => !isOwn(each));
    const { reading } = this;
    if (this.current?.owner === owner) {
      this.screen.dropTail();
      this.reading = undefined;
      this.completing = undefined;
      if (reading !== undefined) reads.unshift(reading);
    }
    for (const read of reads) read.endEmpty('end');
    for (const waiter of waiters) waiter.answer();
    this.serveReads();
  }

  /** The read whose line is on the screen. */
  private get current(): LineRead | undefined {
    return this.reading ?? this.completing;
  }

  /** Give the keys that there are to those who read. */
  private serveReads(): void {
    for (;;) {
      if (this.reading === undefined && this.completing === undefined) {
        this.reading = this.waiting.shift();
      }
      const read = this.reading;
      if (read === undefined) return;
      const key = this.ahead.shift();
      if (key === undefined) {
        this.screen.showPrompt(read.owner, read.picture);
        return;
      }
      this.take(read, read.editor.accept(key));
    }
  }

  /** What a key has done to the line that is being edited. */
  private take(read: LineRead, step: EditStep): void {
    const { screen } = this;
    switch (step) {
      case 'edited':
        return;
      case 'bell':
        screen.ringBell();
        return;
      case 'clear':
        screen.clear();
        return;
      case 'complete':
        screen.showPrompt(read.owner, read.picture);
        this.reading = undefined;
        this.completing = read;
        read.end('complete');
        return;
      case 'line':
        this.endRead(read, '');
        read.end('line');
        return;
      case 'tooLong':
        this.endRead(read, '');
        screen.showLines(read.owner, [TOO_LONG]);
        read.endEmpty('cancelled');
        return;
      default:
        this.endRead(read, '');
        read.endEmpty(step);
    }
  }

  /** Make the line that is being edited a line of the screen. */
  private endRead(read: LineRead, suffix: string): void {
    this.screen.showPrompt(read.owner, read.lastPicture(suffix));
    this.screen.endLine();
    this.reading = undefined;
    this.completing = undefined;
  }

  /**
   * Ctrl-C: what was typed before it is forgotten. It is for whoever has asked last to hear of it,
   * and cancels the line that is being edited. Who edits a line and waits hears of it as that.
   */
  private interrupt(): void {
    this.ahead = [];
    const { current, reading } = this;
    const waiter = this.interruptWaiters.at(-1);
    const isForWaiter = waiter !== undefined && waiter.owner !== current?.owner;
    if (current !== undefined) this.endRead(current, '^C');
    else if (isForWaiter) this.screen.showLines(this, ['^C']);
    if (isForWaiter) this.interruptWaiters.pop();
    if (reading === undefined && current !== undefined) this.cancelled.add(current.owner);
    reading?.endEmpty('cancelled');
    if (isForWaiter) waiter.answer();
  }
}

const TOO_LONG = `a line has at most ${MAX_LINE_BYTES} bytes; this one was not run`;

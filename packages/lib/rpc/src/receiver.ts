/**
 * Puts the fragments of messages together again. Whoever sends them may be hostile. There are two
 * kinds of trouble: a message that is not what it should be (`reader.isBad`), and fragments from
 * which it is no longer clear where a message begins, which end the binding.
 *
 * Every step takes one message of the transport, and brings the message under way nearer to its
 * end; nothing that arrives is kept beyond the buffers made at the start.
 */

import type { Capref } from '@barreleye/libos';
import type { Reader } from './reader.ts';
import { ReceiveResult, type Transport } from './transport.ts';
import {
  bodyWordsOf,
  CONTINUE_WORDS,
  capCountOf,
  continueWord,
  HEADER_WORDS,
  Kind,
  kindOf,
  methodOf,
} from './wire.ts';

/** What `Receiver.step` has found. */
export const Step = {
  Nothing: 0, // no message of the transport is there
  Partial: 1, // a fragment; the message has more
  Message: 2, // a whole message: `kind`, `method`, `token`, `reader`
  Broken: 3, //  the other side does not keep to the wire format
  Dead: 4, //    the transport has ended
  Left: 5, //    the core is gone: `yieldCore`
} as const;
export type Step = (typeof Step)[keyof typeof Step];

export class Receiver {
  /** Body of the message. */
  readonly reader: Reader;
  kind: number;
  method: number;
  token: number;
  private readonly transport: Transport;
  private readonly fragment: Uint32Array;
  /** Words of the body: in all, and so far. */
  private bodyWords: number;
  private wordsSeen: number;
  /** Capabilities: in all, and fragments so far that should have brought one. */
  private capsDue: number;
  private capsSeen: number;
  private isUnderWay: boolean;

  constructor(transport: Transport, reader: Reader) {
    this.transport = transport;
    this.reader = reader;
    this.fragment = new Uint32Array(transport.maxWords);
    this.kind = 0;
    this.method = 0;
    this.token = 0;
    this.bodyWords = 0;
    this.wordsSeen = 0;
    this.capsDue = 0;
    this.capsSeen = 0;
    this.isUnderWay = false;
  }

  /** Take one message of the transport, if there is one. */
  step(): Step {
    const { transport, fragment } = this;
    const wordCount = transport.tryReceive(fragment);
    if (wordCount === ReceiveResult.Nothing) return Step.Nothing;
    if (wordCount === ReceiveResult.Left) return Step.Left;
    if (wordCount < 0) return this.end(Step.Dead);
    const cap = transport.receivedCap;
    const isTaken = this.isUnderWay ? this.goOn(wordCount) : this.begin(wordCount);
    if (!isTaken) {
      if (cap !== undefined) transport.dropCap(cap);
      return this.end(Step.Broken);
    }
    this.takeCap(cap);
    this.isUnderWay = this.wordsSeen < this.bodyWords || this.capsSeen < this.capsDue;
    return this.isUnderWay ? Step.Partial : Step.Message;
  }

  /** Delete the capabilities of the message: nobody will get them. */
  dropCaps(): void {
    const { reader } = this;
    for (let i = 0; i < reader.capCount; i++) {
      const cap = reader.caps[i];
      if (cap !== undefined) this.transport.dropCap(cap);
    }
    reader.reset();
  }
  /** Nothing good follows: a message under way will never be whole. */
  private end(step: Step): Step {
    if (this.isUnderWay) this.dropCaps();
    this.isUnderWay = false;
    return step;
  }

  /** The first fragment of a message. False: it is none. */
  private begin(wordCount: number): boolean {
    const { fragment, reader } = this;
    const [word = 0, token = 0] = fragment;
    const kind = kindOf(word);
    if (wordCount < HEADER_WORDS || kind === Kind.Continue || kind > Kind.Error) return false;
    this.kind = kind;
    this.method = methodOf(word);
    this.token = token;
    this.bodyWords = bodyWordsOf(word);
    this.wordsSeen = 0;
    this.capsDue = capCountOf(word);
    this.capsSeen = 0;
    reader.reset();
    if (this.bodyWords > reader.words.length) reader.isBad = true;
    return this.takeWords(HEADER_WORDS, wordCount);
  }

  /** A further fragment: it says so, and goes on where the last one ended. */
  private goOn(wordCount: number): boolean {
    if (wordCount < CONTINUE_WORDS || this.fragment[0] !== continueWord(this.wordsSeen))
      return false;
    const isProgress = wordCount > CONTINUE_WORDS || this.capsSeen < this.capsDue;
    return isProgress && this.takeWords(CONTINUE_WORDS, wordCount);
  }

  /** Words of the body, from `from` in the fragment. What no good body is as long as is let go. */
  private takeWords(from: number, wordCount: number): boolean {
    const { fragment, reader } = this;
    const count = wordCount - from;
    if (this.wordsSeen + count > this.bodyWords) return false;
    if (!reader.isBad) {
      for (let i = 0; i < count; i++) reader.words[this.wordsSeen + i] = fragment[from + i] ?? 0;
      reader.wordCount = this.wordsSeen + count;
    }
    this.wordsSeen += count;
    return true;
  }

  /** The capability of a fragment: there must be one as long as some are due, and none after. */
  private takeCap(cap: Capref | undefined): void {
    const { reader } = this;
    const isDue = this.capsSeen < this.capsDue;
    if (isDue) this.capsSeen += 1;
    if (isDue !== (cap !== undefined)) reader.isBad = true;
    if (cap === undefined) return;
    if (!isDue) {
      this.transport.dropCap(cap);
      return;
    }
    reader.caps[reader.capCount] = cap;
    reader.capCount += 1;
  }
}

/** A value that one thread waits for and something else gives, once, earlier or later. */

import type { Wait } from '@barreleye/libos';
import type { Threads, WaitReason } from '@barreleye/rpc';

export class Answer<T> implements WaitReason {
  readonly label: string;
  readonly holder: undefined;
  private readonly threads: Threads;
  private given: { readonly value: T } | undefined;
  private thread: object | undefined;

  /** @param label what is waited for, for people */
  constructor(threads: Threads, label: string) {
    this.label = label;
    this.holder = undefined;
    this.threads = threads;
    this.given = undefined;
    this.thread = undefined;
  }

  give(value: T): void {
    const { thread } = this;
    this.given = { value };
    this.thread = undefined;
    if (thread !== undefined) this.threads.wake(thread);
  }

  *take(): Wait<T> {
    while (this.given === undefined) {
      this.thread = this.threads.running;
      this.threads.block(this);
      yield;
    }
    return this.given.value;
  }
}

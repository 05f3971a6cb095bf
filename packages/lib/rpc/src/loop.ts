/** Threads without a system: runs generators, one at a time. What they wait for is for `wake`. */

import { assert, type Prng } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import type { Threads } from './threads.ts';

interface LoopThread {
  readonly name: string;
  readonly body: Wait<unknown>;
  state: 'ready' | 'blocked' | 'done';
  reason: string;
}

export class Loop implements Threads {
  private readonly prng: Prng | undefined;
  private readonly threads: Set<LoopThread>;
  private readonly ready: LoopThread[];
  private current: LoopThread | undefined;

  /** @param prng decides who runs next; without it the threads take turns */
  constructor(prng?: Prng) {
    this.prng = prng;
    this.threads = new Set();
    this.ready = [];
    this.current = undefined;
  }

  createThread(name: string, body: Wait<unknown>): object {
    const thread: LoopThread = { name, body, state: 'ready', reason: '' };
    this.threads.add(thread);
    this.ready.push(thread);
    return thread;
  }

  block(reason: string): object {
    const { current } = this;
    assert(current !== undefined, 'only a running thread can block');
    current.state = 'blocked';
    current.reason = reason;
    return current;
  }

  wake(thread: object): void {
    const woken = thread as LoopThread;
    assert(woken.state === 'blocked', 'only a blocked thread can be woken');
    woken.state = 'ready';
    this.ready.push(woken);
  }

  /**
   * Run until no thread is ready. Throws what a thread throws.
   * @returns the threads that are blocked, and on what
   */
  run(): string[] {
    for (;;) {
      const at = this.prng === undefined || this.ready.length === 0 ? 0 : this.next();
      const [thread] = this.ready.splice(at, 1);
      if (thread === undefined) return [...this.threads].map((t) => `${t.name} ${t.reason}`);
      this.current = thread;
      const { done } = thread.body.next();
      this.current = undefined;
      if (done) {
        thread.state = 'done';
        this.threads.delete(thread);
      } else if (thread.state === 'ready' && !this.ready.includes(thread)) {
        this.ready.push(thread); // it gave way
      }
    }
  }

  private next(): number {
    return this.prng?.below(this.ready.length) ?? 0;
  }
}

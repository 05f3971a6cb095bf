/** Thread-local storage: a variable of which each thread has its own. */

import type { Os } from './os.ts';
import type { Thread } from './thread.ts';

export class ThreadLocal<T> {
  private readonly os: Os;
  private readonly initial: () => T;
  /** Values go with their threads. */
  private readonly values: WeakMap<Thread, T>;

  /** @param initial makes the value that a thread finds when it first looks */
  constructor(os: Os, initial: () => T) {
    this.os = os;
    this.initial = initial;
    this.values = new WeakMap();
  }

  /** The value of the thread that asks. */
  get value(): T {
    const thread = this.os.currentThread;
    const value = this.values.get(thread);
    if (value !== undefined || this.values.has(thread)) return value as T;
    const first = this.initial();
    this.values.set(thread, first);
    return first;
  }

  set value(value: T) {
    this.values.set(this.os.currentThread, value);
  }
}

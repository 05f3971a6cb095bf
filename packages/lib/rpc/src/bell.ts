/**
 * Where threads wait until something has changed. They look before they wait and when they are
 * woken; between the look and the wait no other thread runs, so no change is missed.
 */

import type { Wait } from '@barreleye/libos';
import type { Threads, WaitReason } from './threads.ts';

export class Bell implements WaitReason {
  readonly label: string;
  readonly holder: undefined;
  private readonly threads: Threads;
  private waiting: object[];

  constructor(threads: Threads, label: string) {
    this.label = label;
    this.holder = undefined;
    this.threads = threads;
    this.waiting = [];
  }

  /** Wait until `hasChanged`. */
  *until(hasChanged: () => boolean): Wait<void> {
    while (!hasChanged()) {
      this.waiting.push(this.threads.running);
      this.threads.block(this);
      yield;
    }
  }

  /** Have all that wait look again. */
  ring(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const thread of woken) this.threads.wake(thread);
  }
}

/** Something that threads wait for and look at again each time it rings. */

import { type Os, Queue, type Thread, type Wait, type WaitTarget } from '@barreleye/libos';

export class Bell implements WaitTarget {
  readonly label: string;
  readonly holder: undefined;
  private readonly os: Os;
  private readonly waiters: Queue<Thread>;

  constructor(os: Os, label: string) {
    this.os = os;
    this.label = label;
    this.holder = undefined;
    this.waiters = new Queue();
  }

  /** Wait until it rings. */
  *wait(): Wait<void> {
    this.os.scheduler.block(this, this.waiters);
    yield;
  }

  /** Wake all who wait. */
  ring(): void {
    this.os.scheduler.wakeAll(this.waiters);
  }
}

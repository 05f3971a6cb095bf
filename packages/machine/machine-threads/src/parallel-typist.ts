/**
 * Somebody who types lines that were written beforehand into a parallel machine. The next one is
 * due when all cores sleep; and, because some machines never rest, after a while in any case.
 *
 * Here that is a matter of host time, and what the screen shows may depend on it: a line that is
 * typed while something is still busy is echoed in another place. What was typed is never lost.
 */

import type { MachineEnd } from './machine-end.ts';
import type { Activity, ParallelMachine } from './parallel-machine.ts';

/** Milliseconds between two looks at the machine, at first and later. */
const LOOK_MS = 1;
const MAX_LOOK_MS = 20;
/** Milliseconds for which nothing must have happened: what was shown is then here, too. */
const SETTLED_MS = 3;
/** The same while a timer is armed: whoever waits for so short a time is busy, really. */
const DOZED_MS = 10;
/** Milliseconds between two lines at most, once no core is being started. */
const PATIENCE_MS = 5000;

/** What `untilRest` has waited for; dozing: only a timer or input will wake the machine. */
type Rest = 'ended' | 'asleep' | 'dozing' | 'busy';

export class ParallelTypist {
  private readonly machine: ParallelMachine;
  private hasEnded: boolean;
  /** Ends a pause. */
  private wake: () => void;

  constructor(machine: ParallelMachine) {
    this.machine = machine;
    this.hasEnded = false;
    this.wake = () => undefined;
    void machine.ended.then(() => {
      this.hasEnded = true;
      this.wake();
    });
  }

  /** Wait until the next line is due. @returns false: the machine has ended */
  async untilDue(): Promise<boolean> {
    return (await this.untilRest(DOZED_MS, PATIENCE_MS)) !== 'ended';
  }

  /** Type a line, or other keys. */
  type(bytes: Uint8Array): void {
    this.machine.type(bytes);
  }

  /**
   * Nothing more will be typed: wait for the end.
   * @returns undefined: there will be none, or it is not there after `patienceMs`
   */
  async untilOver(patienceMs = Number.POSITIVE_INFINITY): Promise<MachineEnd | undefined> {
    const rest = await this.untilRest(Number.POSITIVE_INFINITY, patienceMs);
    return rest === 'ended' ? this.machine.ended : undefined;
  }

  private async untilRest(dozedMs: number, patienceMs: number): Promise<Rest> {
    let start = performance.now();
    let since = start;
    let last: Activity | undefined;
    for (let look = LOOK_MS; ; look = Math.min(look * 1.5, MAX_LOOK_MS)) {
      await this.pause(look);
      if (this.hasEnded) return 'ended';
      const now = performance.now();
      const activity = this.machine.activity();
      if (!activity.isAsleep || activity.eventCount !== last?.eventCount) since = now;
      if (activity.isStarting) start = now;
      last = activity;
      const restMs = now - since;
      if (restMs >= SETTLED_MS && !activity.isTimerArmed) return 'asleep';
      if (restMs >= dozedMs) return 'dozing';
      if (now - start >= patienceMs) return 'busy';
    }
  }

  /** Wait for `ms`, or until the machine has ended. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

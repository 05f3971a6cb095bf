/**
 * Time for a person at a terminal. In a machine whose cores all sleep until a timer, the clock can
 * jump there; a person who has asked for a number each second wants to see that. So such a sleep
 * takes as long on the host as in the machine, unless somebody types. What a machine does when it
 * is awake takes the time that it takes.
 */

import { CoreMode, type Machine, type RunOutcome } from '@barreleye/machine';

/** Why `run` came back; asleep: nothing will happen for `ms` milliseconds. */
export type PacedOutcome = RunOutcome | { readonly kind: 'asleep'; readonly ms: number };

export class Pacer {
  private readonly machine: Machine;
  private readonly now: () => number;
  /** Milliseconds that the host has waited, and for which the clock has not gone on yet. */
  private waitedMs: number;
  private asleepSince: number | undefined;

  /** @param now milliseconds on the clock of the host */
  constructor(machine: Machine, now: () => number) {
    this.machine = machine;
    this.now = now;
    this.waitedMs = 0;
    this.asleepSince = undefined;
  }

  /** Run until the power is off, all cores sleep, or `budgetCycles` have passed. */
  run(budgetCycles: number): PacedOutcome {
    const { machine } = this;
    this.endSleep();
    const end = machine.cycles + budgetCycles;
    do {
      const ms = this.sleepMs();
      if (ms > 0) {
        this.asleepSince = this.now();
        return { kind: 'asleep', ms };
      }
      const outcome = machine.run(1);
      if (outcome.kind === 'idle') this.waitedMs = 0;
      if (outcome.kind !== 'budget') return outcome;
    } while (machine.cycles < end);
    return { kind: 'budget' };
  }

  private endSleep(): void {
    if (this.asleepSince !== undefined) this.waitedMs += this.now() - this.asleepSince;
    this.asleepSince = undefined;
  }

  /** Milliseconds for which the host has to wait yet; of a sleep that is over, none. */
  private sleepMs(): number {
    const { cycles, board } = this.machine;
    const wake = wakeCycles(this.machine);
    if (wake === undefined) return 0;
    const ms = ((wake - cycles) * 1000) / board.frequency - this.waitedMs;
    if (ms <= 0) this.waitedMs = -ms;
    return ms;
  }
}

/** When a timer ends the sleep of all cores; undefined if one is awake, or no timer is armed. */
function wakeCycles({ cores }: Machine): number | undefined {
  let wake = Number.POSITIVE_INFINITY;
  for (const core of cores) {
    if (core.mode === CoreMode.User || core.hasInterrupt()) return undefined;
    if (core.mode === CoreMode.Idle) wake = Math.min(wake, core.timerDeadline);
  }
  return Number.isFinite(wake) ? wake : undefined;
}

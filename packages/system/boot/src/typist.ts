/**
 * Somebody who types lines that were written beforehand. The next one is due when the machine is
 * idle, so that nobody has to guess how long a command takes; and, because a domain that sleeps and
 * wakes keeps a machine from being idle, a hundredth of a second of its time after the last one.
 *
 * Both are matters of virtual time. So a run depends on the lines alone: not on how a pipe cuts
 * them, nor on how fast the host is.
 */

import type { Machine, RunOutcome } from '@barreleye/machine';

/** Why `run` came back. */
export type TypistOutcome = RunOutcome | { readonly kind: 'due' }; // not idle, but waited enough

/**
 * Seconds of the machine's time between two lines at most: long for what a line of text asks for,
 * and short on the host, which needs minutes for a second in which no core ever sleeps.
 */
const PATIENCE_SECONDS = 0.01;

export class Typist {
  private readonly machine: Machine;
  /** When the next line is typed at the latest, in cycles. */
  private dueCycles: number;

  constructor(machine: Machine) {
    this.machine = machine;
    this.dueCycles = 0;
    this.waitAgain();
  }

  /** Run until the power is off, the next line is due, or `budgetCycles` have passed. */
  run(budgetCycles = Number.POSITIVE_INFINITY): TypistOutcome {
    const { machine } = this;
    const patience = this.dueCycles - machine.cycles;
    const outcome = machine.run(Math.min(budgetCycles, patience));
    const isDue = outcome.kind === 'budget' && machine.cycles >= this.dueCycles;
    return isDue ? { kind: 'due' } : outcome;
  }

  /** Type a line, or other keys. */
  type(bytes: Iterable<number>): void {
    for (const byte of bytes) this.machine.console.receive(byte);
    this.waitAgain();
  }

  private waitAgain(): void {
    const { cycles, board } = this.machine;
    this.dueCycles = cycles + PATIENCE_SECONDS * board.frequency;
  }
}

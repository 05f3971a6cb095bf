/**
 * A system at a console that nobody watches: lines go in, each when the machine is idle, and the
 * screen comes out. Deterministic: the same system and lines give the same screen.
 */

import type { Machine } from '@barreleye/machine';

/** How a script ended. */
export interface ScriptResult {
  /** Everything that was shown; lines end in `\n`. */
  readonly screen: string;
  /** Undefined: the machine was still waiting when the lines were used up. */
  readonly exitCode: number | undefined;
}

/** Cycles that a script may take; a system that needs more is stuck. */
const BUDGET_CYCLES = 1e10;

/** Type `lines` into the console of `machine`. */
export function runScript(machine: Machine, lines: readonly string[]): ScriptResult {
  let screen = '';
  machine.console.transmit = (byte) => {
    if (byte !== 0x0d) screen += String.fromCharCode(byte);
  };
  for (let next = 0; ; next++) {
    const outcome = machine.run(BUDGET_CYCLES);
    if (outcome.kind === 'off') return { screen, exitCode: outcome.exitCode };
    const line = lines[next];
    if (outcome.kind === 'budget' || line === undefined) return { screen, exitCode: undefined };
    for (const char of `${line}\n`) machine.console.receive(char.charCodeAt(0) & 0xff);
  }
}

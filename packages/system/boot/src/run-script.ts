/**
 * A system at a console that nobody watches: lines go in, each when the machine is idle, and the
 * screen comes out. Deterministic: the same system and lines give the same screen.
 */

import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
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
const CARRIAGE_RETURN = 0x0d;

/** Type `lines` into the console of `machine`. */
export function runScript(machine: Machine, lines: readonly string[]): ScriptResult {
  const shown: number[] = [];
  machine.console.transmit = (byte) => {
    if (byte !== CARRIAGE_RETURN) shown.push(byte);
  };
  const exitCode = typeLines(machine, lines);
  return { screen: decodeUtf8(shown), exitCode };
}

/** The exit code, or undefined when the machine did not turn itself off. */
function typeLines(machine: Machine, lines: readonly string[]): number | undefined {
  for (let next = 0; ; next++) {
    const outcome = machine.run(BUDGET_CYCLES);
    if (outcome.kind === 'off') return outcome.exitCode;
    const line = lines[next];
    if (outcome.kind === 'budget' || line === undefined) return undefined;
    for (const byte of encodeUtf8(`${line}\n`)) machine.console.receive(byte);
  }
}

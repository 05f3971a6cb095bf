/**
 * A system at a console that nobody watches: lines go in, each when it is due, and the screen comes
 * out. Deterministic: the same system and lines give the same screen.
 */

import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
import type { Machine } from '@barreleye/machine';
import { Typist } from './typist.ts';

/** How a script ended. */
export interface ScriptResult {
  /** Everything that was shown; lines end in `\n`. */
  readonly screen: string;
  /** Undefined: the machine was on, and idle or still busy, when the lines were used up. */
  readonly exitCode: number | undefined;
}

/** Seconds of its time that a machine may go on after the last line. */
const LAST_SECONDS = 1000;
const CARRIAGE_RETURN = 0x0d;

/** Type `lines` into the console of `machine`, and let it go on until it is off or idle. */
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
  const typist = new Typist(machine);
  for (const line of lines) {
    const outcome = typist.run();
    if (outcome.kind === 'off') return outcome.exitCode;
    typist.type(encodeUtf8(`${line}\n`));
  }
  const outcome = machine.run(LAST_SECONDS * machine.board.frequency);
  return outcome.kind === 'off' ? outcome.exitCode : undefined;
}

/**
 * `drive sh`: a whole system at its shell. Lines go in, the screen comes out, and how long it took
 * in cycles. The same document gives the same answer.
 */

import { bootTarget, runScript } from '@barreleye/boot';
import { z } from 'zod';
import { findTarget, TARGET_NAMES } from '../targets.ts';
import { InputError, numeric, parseInput, word32 } from './input.ts';

const ShCase = z.strictObject({
  target: z.enum(TARGET_NAMES),
  cores: numeric.default(1),
  host: z.enum(['sim', 'threads']).default('sim'),
  seed: word32.default(1),
  lines: z.array(z.string()),
});

/** Run a case. */
export function driveSh(document: unknown): unknown {
  const { target: name, cores, host, seed, lines } = parseInput(ShCase, document);
  const { target } = findTarget(name);
  const { maxCores, defaultRamBytes: ramBytes } = target.board;
  if (cores < 1 || cores > maxCores) throw new InputError(`cores: ${name} has 1 to ${maxCores}`);
  if (host === 'threads') throw new InputError("host: 'threads' does not exist yet, 'sim' does");
  const booted = bootTarget(target, { coreCount: cores, ramBytes, seed });
  if (!booted.ok) throw new InputError(`target: ${booted.message}`);
  const { machine } = booted.system;
  const { screen, exitCode } = runScript(machine, lines);
  const [failure] = machine.programFailures;
  if (failure !== undefined) throw new Error(`${failure.program} broke: ${String(failure.error)}`);
  return { screen, exitCode: exitCode ?? null, cycles: machine.cycles };
}

/**
 * `drive sh`: a whole system at its shell. Lines go in, the screen comes out, and how long it took
 * in cycles. The same document gives the same answer, but for the host `threads`.
 */

import {
  type BootFailure,
  type BootRequest,
  bootParallel,
  bootSystem,
  parseMenu,
  runScript,
} from '@barreleye/boot';
import { decodeUtf8, encodeUtf8 } from '@barreleye/core';
import type { ProgramFailure } from '@barreleye/machine';
import { ParallelTypist } from '@barreleye/machine-threads';
import { z } from 'zod';
import { createCoreThread } from '../create-core-thread.ts';
import { findTarget, TARGET_NAMES, type TargetChoice } from '../targets.ts';
import { InputError, numeric, parseInput, word32 } from './input.ts';

const ShCase = z.strictObject({
  target: z.enum(TARGET_NAMES),
  cores: numeric.default(1),
  host: z.enum(['sim', 'threads']).default('sim'),
  seed: word32.default(1),
  lines: z.array(z.string()),
});

const CARRIAGE_RETURN = 0x0d;
/** Seconds that a machine may go on after the last line where its time is that of the host. */
const LAST_SECONDS = 10;

interface ShAnswer {
  readonly screen: string;
  /** Null: it was still on. */
  readonly exitCode: number | null;
  readonly cycles: number;
}

/** Run a case. */
export function driveSh(document: unknown): ShAnswer | Promise<ShAnswer> {
  const { target: name, cores, host, seed, lines } = parseInput(ShCase, document);
  const { target } = findTarget(name);
  const { maxCores, defaultRamBytes: ramBytes } = target.board;
  if (cores < 1 || cores > maxCores) throw new InputError(`cores: ${name} has 1 to ${maxCores}`);
  const parsed = parseMenu(target.menu, 'menu.lst');
  if (!parsed.ok) throw new InputError(`target: ${parsed.message}`);
  const request = { target, menu: parsed.menu, coreCount: cores, ramBytes, seed };
  return host === 'threads' ? runParallel(request, lines) : runSimulated(request, lines);
}

function runSimulated(request: BootRequest, lines: readonly string[]): ShAnswer {
  const { machine } = mustBoot(bootSystem(request));
  const { screen, exitCode } = runScript(machine, lines);
  refuseBroken(machine.programFailures);
  return { screen, exitCode: exitCode ?? null, cycles: machine.cycles };
}

async function runParallel(request: BootRequest, lines: readonly string[]): Promise<ShAnswer> {
  const app = { name: request.target.name, hasPae: true } satisfies TargetChoice;
  const booted = bootParallel({ ...request, createThread: createCoreThread, app });
  const { machine } = mustBoot(booted);
  const shown: number[] = [];
  machine.transmit = (bytes) => {
    for (const byte of bytes) if (byte !== CARRIAGE_RETURN) shown.push(byte);
  };
  const typist = new ParallelTypist(machine);
  for (const line of lines) {
    if (!(await typist.untilDue())) break;
    typist.type(Uint8Array.from(encodeUtf8(`${line}\n`)));
  }
  const end = await typist.untilOver(LAST_SECONDS * 1000);
  if (end === undefined) await machine.stop();
  if (end?.kind === 'failed') throw end.failure;
  refuseBroken(machine.programFailures);
  const exitCode = end?.kind === 'off' ? end.exitCode : null;
  return { screen: decodeUtf8(shown), exitCode, cycles: machine.cycles };
}

function mustBoot<S>(booted: { readonly ok: true; readonly system: S } | BootFailure): S {
  if (!booted.ok) throw new InputError(`target: ${booted.message}`);
  return booted.system;
}

function refuseBroken([failure]: readonly ProgramFailure[]): void {
  if (failure === undefined) return;
  throw new Error(`${failure.program} broke: ${String(failure.error)}`);
}

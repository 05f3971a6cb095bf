/** `barreleye boot`: build a system and sit at its console. */

import { readFileSync } from 'node:fs';
import {
  type BootFailure,
  type BootRequest,
  bootParallel,
  bootSystem,
  type Menu,
  parseMenu,
  SCHEDULERS,
  withModuleArgs,
} from '@barreleye/boot';
import { type ProgramFailure, TOPOLOGIES } from '@barreleye/machine';
import type { CoreFailure } from '@barreleye/machine-threads';
import type { Scheduler, Topology } from '@barreleye/spec';
import { createCoreThread } from './create-core-thread.ts';
import { runMachine, streamOutput } from './host.ts';
import { type InputSource, streamInput, terminalInput, textInput } from './input.ts';
import { parseBytes, parseInteger } from './numbers.ts';
import { runParallel } from './parallel-host.ts';
import { type FinishedMachine, formatStats } from './stats.ts';
import { chooseTarget, type TargetChoice } from './targets.ts';
import { terminalArgs } from './terminal-args.ts';
import { UsageError } from './usage-error.ts';

/** The options of `boot` as they were typed. */
export interface BootFlags {
  readonly cores: string;
  readonly ram?: string;
  readonly host: string;
  readonly seed: string;
  readonly menu?: string;
  readonly scheduler?: string;
  readonly topology?: string;
  /** False: `--no-pae`. */
  readonly pae: boolean;
  readonly run?: string;
  readonly trace?: string;
  readonly stats?: boolean;
}

const MAX_SEED = 2 ** 32 - 1;
/** The system died or waits for something that cannot come. */
const EXIT_STUCK = 1;
/** The person at the terminal left. */
const EXIT_QUIT = 130;

/** How a run has ended. */
interface Outcome {
  /** Undefined: the system waits for something that cannot come. */
  readonly exitCode: number | undefined;
  readonly machine: FinishedMachine;
  readonly programFailures: readonly ProgramFailure[];
  readonly lostCores: readonly CoreFailure[];
}

/**
 * Boot `targetName` and run it to its end.
 * @param script file of lines to type instead of reading any
 * @returns the exit code for the host
 */
export async function bootCommand(
  targetName: string,
  script: string | undefined,
  flags: BootFlags,
): Promise<number> {
  const choice = { name: targetName, hasPae: flags.pae };
  const run = findHost(flags.host);
  const lines = readLines(script, flags.run);
  const outcome = await run(readRequest(choice, flags, lines === undefined), choice, lines);
  const { exitCode, machine, programFailures, lostCores } = outcome;
  for (const { program, error } of programFailures) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`barreleye: the program ${program} broke: ${reason}\n`);
  }
  for (const { message } of lostCores) {
    process.stderr.write(`barreleye: a core did not come up: ${message}\n`);
  }
  if (exitCode === undefined && programFailures.length === 0) {
    process.stderr.write('barreleye: the system waits for something that cannot come\n');
  }
  if (flags.stats) process.stdout.write(formatStats(machine, performance.now()));
  return exitCode ?? EXIT_STUCK;
}

/** Runs a system to its end. */
type Run = (
  request: BootRequest,
  choice: TargetChoice,
  lines: string | undefined,
) => Promise<Outcome>;

function findHost(name: string): Run {
  if (name === 'sim') return runSimulated;
  if (name === 'threads') return runThreads;
  throw new UsageError(`--host: there is no host '${name}' (there is sim, threads)`);
}

async function runSimulated(
  request: BootRequest,
  _choice: TargetChoice,
  lines: string | undefined,
): Promise<Outcome> {
  const { machine, plan } = mustBoot(bootSystem(request));
  const exitCode = await withTerminal(
    (input) => runMachine(machine, input, streamOutput(process.stdout)),
    lines,
  );
  const { cycles, bus, programFailures } = machine;
  const finished = { cycles, bus, kcb: plan.kcb, isRepeatable: true };
  return { exitCode, machine: finished, programFailures, lostCores: [] };
}

async function runThreads(
  request: BootRequest,
  app: TargetChoice,
  lines: string | undefined,
): Promise<Outcome> {
  const createThread = createCoreThread;
  const { machine, plan } = mustBoot(bootParallel({ ...request, createThread, app }));
  const exitCode = await withTerminal(
    (input) => runParallel(machine, input, streamOutput(process.stdout)),
    lines,
  );
  const { cycles, bus, programFailures, lostCores } = machine;
  const finished = { cycles, bus, kcb: plan.kcb, isRepeatable: false };
  return { exitCode, machine: finished, programFailures, lostCores };
}

function mustBoot<S>(booted: { readonly ok: true; readonly system: S } | BootFailure): S {
  if (!booted.ok) throw new UsageError(booted.message);
  return booted.system;
}

/** What is to be typed, if it is known beforehand. */
function readLines(script: string | undefined, commands: string | undefined): string | undefined {
  if (script === undefined) return commands;
  if (commands !== undefined) throw new UsageError('--run: there is a script to run already');
  return readText(script, 'script');
}

function readRequest(choice: TargetChoice, flags: BootFlags, isTyped: boolean): BootRequest {
  const target = chooseTarget(choice);
  refuseUnfinished(flags);
  const menu = readMenu(target.menu, flags.menu);
  return {
    target,
    menu: isTyped ? menuAtTerminal(menu) : menu,
    coreCount: parseInteger(flags.cores, '--cores', 1, target.board.maxCores),
    ramBytes:
      flags.ram === undefined ? target.board.defaultRamBytes : parseBytes(flags.ram, '--ram'),
    seed: parseInteger(flags.seed, '--seed', 0, MAX_SEED),
    ...(flags.scheduler !== undefined && { scheduler: findScheduler(flags.scheduler) }),
    ...(flags.topology !== undefined && { topology: findTopology(flags.topology, flags.host) }),
  };
}

function findScheduler(name: string): Scheduler {
  const found = Object.hasOwn(SCHEDULERS, name) ? SCHEDULERS[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(SCHEDULERS).join(', ');
  throw new UsageError(`--scheduler: there is no scheduler '${name}' (there is ${known})`);
}

function findTopology(name: string, host: string): Topology {
  const found = Object.hasOwn(TOPOLOGIES, name) ? TOPOLOGIES[name] : undefined;
  if (found === undefined) {
    const known = Object.keys(TOPOLOGIES).join(', ');
    throw new UsageError(`--topology: there is no topology '${name}' (there is ${known})`);
  }
  if (host === 'sim') return found;
  throw new UsageError(`--topology: only the host sim has virtual time to charge, not ${host}`);
}

/** Options that exist but that nothing stands behind yet. */
function refuseUnfinished(flags: BootFlags): void {
  if (flags.trace !== undefined) {
    throw new UsageError('--trace does not exist yet: nothing records events so far');
  }
}

function readMenu(builtIn: string, file: string | undefined): Menu {
  const parsed =
    file === undefined ? parseMenu(builtIn, 'menu.lst') : parseMenu(readText(file, '--menu'), file);
  if (!parsed.ok) throw new UsageError(parsed.message);
  return parsed.menu;
}

/** The menu, for a system that uses what the terminal of the host can do. */
function menuAtTerminal(menu: Menu): Menu {
  const { stdin, stdout, env } = process;
  return withModuleArgs(menu, 'terminal', terminalArgs({ stdin, stdout, term: env['TERM'] }));
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(',');
    throw new UsageError(`${what}: cannot read '${file}': ${reason}`);
  }
}

/** Call `use` with the input that was asked for; a terminal is raw meanwhile. */
async function withTerminal<T>(
  use: (input: InputSource) => Promise<T>,
  commands: string | undefined,
): Promise<T> {
  const { stdin } = process;
  if (commands !== undefined) return use(textInput(`${commands}\n`));
  if (!stdin.isTTY) {
    try {
      return await use(streamInput(stdin));
    } finally {
      stdin.destroy(); // whoever writes to it may go on writing
    }
  }
  stdin.setRawMode(true);
  const restore = (): void => {
    stdin.setRawMode(false);
    stdin.pause();
  };
  process.stderr.write('(Ctrl-] leaves whatever the system does)\n');
  try {
    return await use(
      terminalInput(stdin, () => {
        restore();
        process.exit(EXIT_QUIT);
      }),
    );
  } finally {
    restore();
  }
}

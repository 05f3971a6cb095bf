/**
 * Starting programs, and learning how they end. For each program that runs, a thread waits for its
 * end; so an end is noticed whatever the shell does meanwhile, and one that comes before anybody
 * asks is not missed.
 */

import { assert, encodeUtf8, errStack } from '@barreleye/core';
import { OsError, type Wait } from '@barreleye/libos';
import { BACKGROUND, MAX_ARG_BYTES, MAX_NAME_BYTES } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import { formatAddress } from './address.ts';
import { type Call, CommandError, UsageError } from './command.ts';
import { explain } from './explain.ts';
import { InterruptError } from './foreground.ts';
import { describeEnd, type Job, Status, statusOf } from './jobs.ts';
import type { Shell } from './shell.ts';

/** Arguments, and variables, that a program can be given. */
const MAX_ARGS = 32;
/** What is said of domains that need not be killed any more. */
const GONE = [Err.SPAWN_ERR_ENDED, Err.SPAWN_ERR_NO_DOMAIN, Err.MON_ERR_NO_CORE];

/**
 * Start a program; wait for its end unless it runs in the background.
 * @returns its status; undefined: there is no program of that name
 */
export function* runProgram(shell: Shell, call: Call): Wait<number | undefined> {
  yield* shell.screen.flush();
  const job = yield* start(shell, call);
  if (job === undefined) return undefined;
  if (!call.isBackground) return yield* attend(shell, job);
  shell.session.jobs.add(job);
  const address = formatAddress(shell.own.core, job);
  shell.screen.printLine(`[${job.number}] ${job.name} is domain ${address}`);
  return Status.Ok;
}

/** The programs that there are to start. */
export function* programNames(shell: Shell): Wait<readonly string[]> {
  const { names } = yield* shell.os.system.programs({});
  return names;
}

/** Tell of the jobs that have ended, and forget them. */
export function* tellEnds(shell: Shell): Wait<void> {
  const ended = shell.session.jobs.takeEnded();
  if (ended.length === 0) return;
  const lines = ended.map(({ number, name, end }) => {
    return `[${number}] ${name} ${end === undefined ? 'has ended' : describeEnd(end)}`;
  });
  yield* shell.screen.tell(lines);
  // Not before: while a job is known, its capability is what it was.
  for (const { domain } of ended) shell.os.drop(domain);
}

/** Kill a domain that may have ended by itself. */
export function* kill(shell: Shell, { domain, end }: Job): Wait<void> {
  if (end !== undefined) return;
  try {
    yield* shell.os.system.kill({ domain });
  } catch (error) {
    if (!GONE.some((code) => isAbout(error, code))) throw error;
  }
}

function* start(
  shell: Shell,
  { words, assignments, isBackground, text, core: wished }: Call,
): Wait<Job | undefined> {
  const { os, session } = shell;
  const [name = '', ...args] = words;
  const variables = new Map([...session.variables, ...assignments]);
  if (isBackground) variables.set(BACKGROUND, '1'); // it must not wait for lines
  const environment = [...variables].map(([key, value]) => `${key}=${value}`);
  checkArgs(name, args, environment);
  try {
    const { domain, core, id } = yield* os.system.spawn({
      core: wished,
      program: name,
      args,
      environment,
      caps: [],
    });
    const job: Job = { number: 0, name, text, core, id, domain, end: undefined };
    os.spawnThread(`waits for domain ${id}`, watch(shell, job), { isDaemon: true });
    return job;
  } catch (error) {
    if (isAbout(error, Err.SPAWN_ERR_NO_PROGRAM)) return undefined;
    if (!(error instanceof OsError)) throw error;
    throw new CommandError(`it could not be started: ${explain(error)}`);
  }
}

/** The thread that waits for the end of a job. */
function* watch(shell: Shell, job: Job): Wait<void> {
  const { os, foreground, session } = shell;
  try {
    job.end = (yield* os.system.wait({ domain: job.domain })).end;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    job.end = { how: 'faulted', value: 0, report: `nobody knows how (${explain(error)})` };
  }
  foreground.changed();
  if (session.isAtPrompt) yield* tellEnds(shell);
}

/** Wait for a program in the foreground; Ctrl-C kills it, and throws InterruptError then. */
function* attend(shell: Shell, job: Job): Wait<number> {
  const { foreground, session, screen } = shell;
  const hasEnded = (): boolean => job.end !== undefined;
  const isInterrupted = !(yield* foreground.until(hasEnded));
  if (isInterrupted) {
    yield* kill(shell, job);
    if (!(yield* foreground.until(hasEnded))) {
      session.jobs.add(job); // it takes its time: the shell need not
      screen.printLine(`[${job.number}] ${job.name} has not ended yet`);
      throw new InterruptError('interrupted');
    }
  }
  shell.os.drop(job.domain);
  if (isInterrupted) throw new InterruptError('interrupted');
  const { end } = job;
  assert(end !== undefined, 'a job that was waited for has ended');
  if (end.how !== 'exited') screen.printLine(`${job.name} ${describeEnd(end)}`);
  return statusOf(end);
}

function checkArgs(name: string, args: readonly string[], environment: readonly string[]): void {
  if (encodeUtf8(name).length > MAX_NAME_BYTES) {
    throw new UsageError(`the name of a program has at most ${MAX_NAME_BYTES} bytes`);
  }
  if (args.length > MAX_ARGS) {
    throw new UsageError(`a program takes at most ${MAX_ARGS} arguments`);
  }
  if (environment.length > MAX_ARGS) {
    throw new UsageError(`a program takes at most ${MAX_ARGS} variables; 'unset' removes some`);
  }
  if ([...args, ...environment].some((each) => encodeUtf8(each).length > MAX_ARG_BYTES)) {
    throw new UsageError(`an argument or variable has at most ${MAX_ARG_BYTES} bytes`);
  }
}

/** Whether `error` is about `code`, at whatever level. */
function isAbout(error: unknown, code: number): boolean {
  return error instanceof OsError && errStack(error.errval).some((each) => each === code);
}

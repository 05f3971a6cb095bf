/**
 * A shell from its start to its end: lines from the terminal, or a text from its arguments. The
 * shell of the system holds the power switch, and turns the machine off when it ends.
 */

import { formatBytes } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { BACKGROUND } from '@barreleye/program';
import { candidatesFor } from './candidates.ts';
import { complete, type Edited, targetOf } from './completion.ts';
import { runLine, runText } from './interpreter.ts';
import { Status } from './jobs.ts';
import { kill, tellEnds } from './programs.ts';
import type { Shell } from './shell.ts';
import { formatColumns } from './table.ts';

/** Characters of a line, at most. */
const WIDTH = 80;

/**
 * Run a shell to its end.
 * @returns its exit value, if it is not that of the machine
 */
export function* runShell(shell: Shell): Wait<number> {
  const { os, session, screen } = shell;
  const isBackground = os.environment.has(BACKGROUND);
  // The key is for who is in the foreground.
  if (!isBackground) os.spawnThread('waits for Ctrl-C', listen(shell), { isDaemon: true });
  const [name, option, text, ...more] = os.args;
  if (option === undefined) {
    if (shell.power !== undefined) yield* greet(shell);
    if (!isBackground) yield* readLines(shell);
    session.exitCode ??= Status.Ok;
  } else if (option === '-c' && text !== undefined && more.length === 0) {
    yield* runText(shell, text);
  } else {
    yield* screen.tell([`${name}: usage: ${name} [-c TEXT]`]);
    session.status = Status.Usage;
  }
  return yield* end(shell, session.exitCode ?? session.status);
}

/** What a newcomer sees first. */
function* greet({ os, screen }: Shell): Wait<void> {
  const { coreCount, runningCount, ramBytes } = yield* os.system.machine({});
  const isWhole = runningCount === coreCount;
  const running = isWhole ? `${coreCount}` : `${runningCount} of ${coreCount}`;
  const cores = `${running} ${coreCount === 1 ? 'core' : 'cores'}${isWhole ? '' : ' running'}`;
  yield* screen.tell([
    `Barreleye on ${os.arch.name}: ${cores}, ${formatBytes(ramBytes)} of RAM`,
    "'help' lists what you can type, 'programs' what you can start; Tab completes",
  ]);
}

/** Read and run lines until `exit` or the end of input. */
function* readLines(shell: Shell): Wait<void> {
  const { session } = shell;
  while (session.exitCode === undefined) {
    const { kind, text } = yield* readLine(shell);
    if (kind === 'end') return;
    if (kind === 'cancelled') session.status = Status.Interrupted;
    if (kind !== 'line') continue;
    session.remember(text);
    yield* runLine(shell, text);
  }
}

/** One line; jobs that end meanwhile are told of at once. */
function* readLine(shell: Shell): Wait<{ readonly kind: string; readonly text: string }> {
  const { session, terminal, own } = shell;
  const prompt = own.core === 0 ? 'barreleye> ' : `barreleye/${own.core}> `;
  let edited: Edited = { line: '', cursor: 0 };
  // First this: an end that is told of neither here nor there would be missed.
  session.isAtPrompt = true;
  yield* tellEnds(shell);
  for (;;) {
    const asked = { prompt, ...edited, canComplete: true, hasHistory: true };
    const answer = yield* terminal.readLine(asked);
    session.isAtPrompt = answer.kind === 'complete';
    if (answer.kind !== 'complete') return answer;
    edited = yield* completeLine(shell, { line: answer.text, cursor: answer.cursor });
  }
}

function* completeLine(shell: Shell, edited: Edited): Wait<Edited> {
  const target = targetOf(edited, shell.commands);
  if (target === undefined) return edited;
  const candidates = yield* candidatesFor(shell, target.kind);
  const { line, cursor, shown } = complete(edited, target, candidates);
  yield* shell.screen.tell(formatColumns(shown, WIDTH));
  return { line, cursor };
}

/** The thread that hears of Ctrl-C. */
function* listen({ terminal, foreground }: Shell): Wait<never> {
  for (;;) {
    yield* terminal.awaitInterrupt({});
    foreground.interrupt();
  }
}

/** Kill what still runs, and turn the machine off if that is up to this shell. */
function* end(shell: Shell, code: number): Wait<number> {
  const { os, session, screen, terminal, power } = shell;
  yield* tellEnds(shell);
  for (const job of session.jobs.running()) {
    yield* kill(shell, job);
    yield* screen.tell([`[${job.number}] ${job.name} was killed, because the shell ends`]);
  }
  if (power === undefined) return code;
  yield* terminal.flush({});
  for (;;) {
    power.off(code & 0xff);
    yield* os.sleep(1);
  }
}

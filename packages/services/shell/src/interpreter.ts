/**
 * Running text: lines, their commands, one after the other. A command that fails says why, and the
 * next one runs; Ctrl-C ends the whole line.
 */

import { KernelPanic } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { type Call, type Command, UsageError } from './command.ts';
import { explain } from './explain.ts';
import { InterruptError } from './foreground.ts';
import { Status } from './jobs.ts';
import { expandWord, expandWords } from './language/expand.ts';
import { describeFault, parse, type Step } from './language/parser.ts';
import { programNames, runProgram, tellEnds } from './programs.ts';
import type { Shell } from './shell.ts';
import { didYouMean } from './suggest.ts';

/** Run a text line by line, until its end or `exit`. */
export function* runText(shell: Shell, text: string): Wait<void> {
  for (const line of text.split('\n')) {
    if (shell.session.exitCode !== undefined) return;
    yield* runLine(shell, line);
    yield* tellEnds(shell);
  }
}

/** Run the commands of a line; `$?` is the status of the last one. */
export function* runLine(shell: Shell, line: string): Wait<void> {
  const { session, foreground, screen } = shell;
  const parsed = parse(line);
  if (!parsed.ok) {
    session.status = Status.Usage;
    yield* screen.tell([describeFault(line, parsed.fault)]);
    return;
  }
  foreground.begin();
  try {
    for (const step of parsed.steps) {
      if (session.exitCode !== undefined) break;
      session.status = yield* runStep(shell, step);
      yield* screen.flush();
      yield* shell.os.preempt();
    }
  } catch (error) {
    if (!(error instanceof InterruptError)) throw error;
    session.status = Status.Interrupted;
    yield* screen.flush();
  }
  foreground.end();
}

/**
 * Run one command or program. What goes wrong is said, and is its status; only Ctrl-C is thrown on.
 */
export function* runCall(shell: Shell, call: Call): Wait<number> {
  const [name = '', ...args] = call.words;
  const command = shell.commands.find(name);
  try {
    if (command === undefined) {
      return (yield* runProgram(shell, call)) ?? (yield* refuse(shell, name));
    }
    checkCall(command, args, call);
    return yield* command.run(shell, args, call);
  } catch (error) {
    // A panic is not the command's fault: give up.
    if (error instanceof KernelPanic || error instanceof InterruptError) throw error;
    shell.screen.printLine(`${name}: ${explain(error)}`);
    return error instanceof UsageError ? Status.Usage : Status.Failed;
  }
}

function* runStep(shell: Shell, { assignments, words, isBackground, text }: Step): Wait<number> {
  const { session, screen } = shell;
  const assigned = new Map<string, string>();
  const expanded = expandWords(words, (name) => session.lookup(name));
  for (const { name, value } of assignments) {
    assigned.set(
      name,
      expandWord(value, (other) => assigned.get(other) ?? session.lookup(other)),
    );
  }
  if (expanded.length > 0) {
    return yield* runCall(shell, { words: expanded, assignments: assigned, isBackground, text });
  }
  if (isBackground) {
    screen.printLine("only programs run in the background: leave the '&' out");
    return Status.Usage;
  }
  for (const [name, value] of assigned) session.variables.set(name, value);
  return Status.Ok;
}

function checkCall(command: Command, args: readonly string[], { isBackground }: Call): void {
  const [fewest, most] = command.argCount;
  if (args.length < fewest || args.length > most) {
    throw new UsageError(`usage: ${command.name} ${command.usage}`.trimEnd());
  }
  if (isBackground && command.canBackground !== true) {
    throw new UsageError("only programs run in the background: leave the '&' out");
  }
}

/** There is neither a command nor a program `name`. */
function* refuse(shell: Shell, name: string): Wait<number> {
  const known = [...shell.commands.names(), ...(yield* programNames(shell))];
  const hint = didYouMean(name, known, "'help' lists commands, 'programs' lists programs");
  shell.screen.printLine(`no such command '${name}'${hint}`);
  return Status.NoCommand;
}

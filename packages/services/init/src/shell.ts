/**
 * The command loop: a line, its words, the command they name. A command that fails says why and
 * the loop goes on; a page fault is one of the things it may fail with.
 */

import { KernelPanic } from '@barreleye/core';
import type { Os, Wait } from '@barreleye/libos';
import type { Blocks } from './blocks.ts';
import type { BootView } from './boot-info.ts';
import type { Console } from './console.ts';
import type { Power } from './devices.ts';
import type { Memory } from './memory.ts';

/** What commands work with. */
export interface Shell {
  readonly os: Os;
  readonly boot: BootView;
  readonly memory: Memory;
  readonly console: Console;
  readonly power: Power;
  /** What `alloc` has made and `free` takes back, by name. */
  readonly blocks: Blocks;
}

/** Something one can type. */
export interface Command {
  readonly name: string;
  /** Arguments as the help shows them. */
  readonly usage: string;
  readonly summary: string;
  /** How many arguments it takes: fewest and most. */
  readonly argCount: readonly [number, number];
  run(shell: Shell, args: readonly string[]): Wait<void>;
}

/** What a command throws to say that its arguments make no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Read and run lines until the machine is off. */
export function* runShell(shell: Shell, commands: readonly Command[]): Wait<void> {
  for (;;) {
    const line = yield* shell.console.readLine('barreleye> ');
    if (line.kind === 'end') shell.power.off(0);
    if (line.kind === 'line') yield* runLine(shell, commands, line.text);
    yield* shell.os.preempt();
  }
}

/** Run the commands of one line, which `;` separates. */
function* runLine(shell: Shell, commands: readonly Command[], line: string): Wait<void> {
  for (const part of line.split(';')) {
    const [name, ...args] = part.trim().split(/\s+/);
    if (name === undefined || name === '') continue;
    try {
      yield* runCommand(shell, commands, name, args);
    } catch (error) {
      if (error instanceof KernelPanic) throw error; // not the command's fault: give up
      shell.console.printLine(`${name}: ${explain(error)}`);
    }
  }
}

function* runCommand(
  shell: Shell,
  commands: readonly Command[],
  name: string,
  args: readonly string[],
): Wait<void> {
  const command = commands.find((c) => c.name === name);
  if (command === undefined) throw new UsageError("no such command; 'help' lists them");
  const [fewest, most] = command.argCount;
  if (args.length < fewest || args.length > most) {
    throw new UsageError(`usage: ${command.name} ${command.usage}`.trimEnd());
  }
  yield* command.run(shell, args);
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A number as people type it: decimal, `0x` hexadecimal, with an optional `k`, `m` or `g`.
 * Throws a UsageError for anything that is not an exact non-negative integer.
 */
export function parseNumber(text: string): number {
  const match = /^(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(text);
  const digits = match?.[1];
  const scale = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match?.[2] ?? '').toLowerCase()];
  const value = digits === undefined ? Number.NaN : Number(digits) * (scale ?? 1);
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`'${text}' is not a number (examples: 4096, 0x1000, 64k)`);
  }
  return value;
}

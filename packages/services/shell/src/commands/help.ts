/** `help`: what one can type. */

import { type Command, GROUPS, UsageError } from '../command.ts';
import type { Shell } from '../shell.ts';
import { didYouMean } from '../suggest.ts';

/** What there is to know besides commands. */
const GRAMMAR = [
  "The name of a program runs it; with '&' at the end, in the background.",
  `; between commands, name=value, $name, "in $quotes", 'as it stands', # comment`,
  "Tab completes a word, Ctrl-C ends what runs, 'help <command>' says more.",
];

export const help: Command = {
  name: 'help',
  usage: '[command]',
  group: 'This shell',
  summary: 'show this list, or all about one command',
  details: [],
  example: 'help alloc',
  argCount: [0, 1],
  argKinds: ['command', 'nothing'],
  *run(shell, [name]) {
    if (name === undefined) showAll(shell);
    else showOne(shell, name);
    yield* shell.os.preempt();
    return 0;
  },
};

function showAll({ commands, screen }: Shell): void {
  const all = GROUPS.flatMap((group) => commands.inGroup(group));
  const width = Math.max(...all.map((command) => headOf(command).length));
  for (const group of GROUPS) {
    screen.printLine(group);
    for (const command of commands.inGroup(group)) {
      screen.printLine(`  ${headOf(command).padEnd(width)}  ${command.summary}`);
    }
  }
  for (const line of GRAMMAR) screen.printLine(line);
}

function showOne({ commands, screen }: Shell, name: string): void {
  const command = commands.find(name);
  if (command === undefined) {
    const hint = didYouMean(name, commands.names(), "'help' lists them");
    throw new UsageError(`there is no command '${name}'${hint}`);
  }
  const { summary, details, example } = command;
  const lines = [headOf(command), `  ${summary}`, ...details.map((line) => `  ${line}`)];
  for (const line of [...lines, `  example: ${example}`]) screen.printLine(line);
}

function headOf({ name, usage }: Command): string {
  return `${name} ${usage}`.trimEnd();
}

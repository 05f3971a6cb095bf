/** `run` and `programs`: starting programs. */

import { type Command, UsageError } from '../command.ts';
import { programNames, runProgram } from '../programs.ts';
import { didYouMean } from '../suggest.ts';
import { formatColumns } from '../table.ts';

/** Characters of a line, at most. */
const WIDTH = 80;

export const run: Command = {
  name: 'run',
  usage: '<program> [argument...]',
  group: 'Programs',
  summary: 'start a program and wait for its end',
  details: [
    'The name of a program does the same, unless a command has it. Variables of the',
    "shell are the program's environment; with 'name=value' before it, also that one.",
    'Its exit value is $?, which is 137 if it was killed, and 139 if it died of a fault.',
    "With '&' at the end it runs in the background, as a job.",
  ],
  example: 'run hello world &',
  argCount: [1, Number.POSITIVE_INFINITY],
  argKinds: ['program', 'name'],
  canBackground: true,
  *run(shell, args, call) {
    const status = yield* runProgram(shell, { ...call, words: args });
    if (status !== undefined) return status;
    const [name = ''] = args;
    const hint = didYouMean(name, yield* programNames(shell), "'programs' lists them");
    throw new UsageError(`there is no program '${name}'${hint}`);
  },
};

export const programs: Command = {
  name: 'programs',
  usage: '',
  group: 'Programs',
  summary: 'list the programs that can be started',
  details: [],
  example: 'programs',
  argCount: [0, 0],
  argKinds: [],
  *run(shell) {
    const names = [...(yield* programNames(shell))].sort();
    for (const line of formatColumns(names, WIDTH)) shell.screen.printLine(line);
    return 0;
  },
};

/** `echo`, `set`, `unset` and `history`: words, variables and lines. */

import { type Command, UsageError } from '../command.ts';
import { quoteWord } from '../language/expand.ts';

export const echo: Command = {
  name: 'echo',
  usage: '[word...]',
  group: 'This shell',
  summary: 'show words',
  details: ['$? is the status of the command before.'],
  example: 'echo "the last command ended with $?"',
  argCount: [0, Number.POSITIVE_INFINITY],
  argKinds: ['variable'],
  *run({ os, screen }, args) {
    screen.printLine(args.join(' '));
    yield* os.preempt();
    return 0;
  },
};

export const set: Command = {
  name: 'set',
  usage: '',
  group: 'This shell',
  summary: 'list the variables',
  details: [
    "'name=value' makes a variable or changes it; '$name', in braces where letters",
    'follow, is what it holds. Programs see all variables in their environment.',
  ],
  example: 'fish=barreleye; set',
  argCount: [0, 0],
  argKinds: [],
  *run({ os, screen, session }) {
    const names = [...session.variables.keys()].sort();
    for (const name of names) {
      screen.printLine(`${name}=${quoteWord(session.variables.get(name) ?? '')}`);
    }
    if (names.length === 0) screen.printLine("no variables; 'name=value' makes one");
    yield* os.preempt();
    return 0;
  },
};

export const unset: Command = {
  name: 'unset',
  usage: '<name>...',
  group: 'This shell',
  summary: 'remove variables',
  details: [],
  example: 'unset fish',
  argCount: [1, Number.POSITIVE_INFINITY],
  argKinds: ['variable'],
  *run({ os, session }, args) {
    for (const name of args) {
      if (session.variables.delete(name)) continue;
      throw new UsageError(`there is no variable '${name}'; 'set' lists them`);
    }
    yield* os.preempt();
    return 0;
  },
};

export const history: Command = {
  name: 'history',
  usage: '',
  group: 'This shell',
  summary: 'list the lines that were typed',
  details: ['The arrow keys bring them back.'],
  example: 'history',
  argCount: [0, 0],
  argKinds: [],
  *run({ os, screen, session }) {
    for (const [number, line] of session.history()) {
      screen.printLine(`${String(number).padStart(4)}  ${line}`);
    }
    yield* os.preempt();
    return 0;
  },
};

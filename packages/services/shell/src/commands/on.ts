/** `on`: something runs on another core. */

import { checkState, parseCore } from '../all-cores.ts';
import type { Command } from '../command.ts';
import { runCall } from '../interpreter.ts';
import { quoteWord } from '../language/expand.ts';

/** What runs a command of the shell elsewhere: `shell -c TEXT`. */
const SHELL = 'shell';

export const on: Command = {
  name: 'on',
  usage: '<core> <command>...',
  group: 'Programs',
  summary: 'run a program or a command on another core',
  details: [
    "A program is as any that this shell has started: '&' makes it a job, Ctrl-C ends it.",
    'For a command, a shell is started there, which has no power over domains that it has',
    'not started. The status is that of the program or command.',
  ],
  example: 'on 1 hello',
  argCount: [2, Number.POSITIVE_INFINITY],
  argKinds: ['core', 'line'],
  canBackground: true,
  *run(shell, [coreText = '', ...words], call) {
    const core = parseCore(coreText);
    if (core === shell.own.core) return yield* runCall(shell, { ...call, words });
    yield* checkState(shell, core, ['running']);
    const isCommand = shell.commands.find(words[0] ?? '') !== undefined;
    const there = isCommand ? [SHELL, '-c', words.map(quoteWord).join(' ')] : words;
    return yield* runCall(shell, { ...call, words: there, core });
  },
};

/** `time` and `repeat`: commands that run others. */

import type { Command } from '../command.ts';
import { runCall } from '../interpreter.ts';
import { formatMilliseconds, parseNumber } from '../numbers.ts';

export const time: Command = {
  name: 'time',
  usage: '<command>...',
  group: 'Programs',
  summary: 'run a command and say how long it took',
  details: [
    'The time is that of the machine, not of the host.',
    'The status is that of the command.',
  ],
  example: 'time hello',
  argCount: [1, Number.POSITIVE_INFINITY],
  argKinds: ['line'],
  *run(shell, args, call) {
    const { os, screen } = shell;
    const { frequency } = yield* os.system.machine({});
    const start = os.now();
    const status = yield* runCall(shell, { ...call, words: args });
    yield* screen.flush();
    const cycles = os.now() - start;
    screen.printLine(`took ${cycles} cycles (${formatMilliseconds(cycles, frequency)})`);
    return status;
  },
};

export const repeat: Command = {
  name: 'repeat',
  usage: '<count> <command>...',
  group: 'Programs',
  summary: 'run a command several times',
  details: ['The status is that of the last time. Ctrl-C ends it.'],
  example: 'repeat 3 hello',
  argCount: [2, Number.POSITIVE_INFINITY],
  argKinds: ['nothing', 'line'],
  *run(shell, [countText = '', ...words], call) {
    const count = parseNumber(countText);
    let status = 0;
    for (let i = 0; i < count && shell.session.exitCode === undefined; i++) {
      status = yield* runCall(shell, { ...call, words });
      yield* shell.screen.flush();
      yield* shell.os.preempt();
      shell.foreground.checkpoint();
    }
    return status;
  },
};

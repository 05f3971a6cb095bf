/** `threads`: what the threads of a domain are doing. */

import type { Command } from '../command.ts';
import { findSubject, threadsOf } from '../inspect.ts';
import { formatTable } from '../table.ts';

const COLUMNS = [
  { heading: 'id', align: 'right' },
  { heading: 'state', align: 'left' },
  { heading: 'name', align: 'left' },
  { heading: 'waits for', align: 'left' },
] as const;

export const threads: Command = {
  name: 'threads',
  usage: '[domain]',
  group: 'Domains',
  summary: 'show what the threads of a domain do',
  details: [
    "A '*' marks daemons, which do not keep their domain alive. Threads that wait for",
    'each other in a circle are named. No domain: this shell.',
  ],
  example: 'threads terminal',
  argCount: [0, 1],
  argKinds: ['subject', 'nothing'],
  *run(shell, [text]) {
    const view = yield* threadsOf(shell, yield* findSubject(shell, text));
    const rows = view.threads.map(({ id, state, name, isDaemon, waitsFor }) => {
      return [String(id), state, isDaemon ? `${name} *` : name, waitsFor];
    });
    for (const line of formatTable(COLUMNS, rows)) shell.screen.printLine(line);
    const circles = view.waits.split('\n').filter((line) => line.includes('in a circle: '));
    for (const line of circles) shell.screen.printLine(line.trim());
    return 0;
  },
};

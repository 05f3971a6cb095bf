/** `ps`: the domains of the system. */

import { formatBytes } from '@barreleye/core';
import type { Command } from '../command.ts';
import { formatTable } from '../table.ts';

const COLUMNS = [
  { heading: 'id', align: 'right' },
  { heading: 'parent', align: 'right' },
  { heading: 'state', align: 'left' },
  { heading: 'memory', align: 'right' },
  { heading: 'quota', align: 'right' },
  { heading: 'name', align: 'left' },
] as const;

export const ps: Command = {
  name: 'ps',
  usage: '',
  group: 'Domains',
  summary: 'list the domains of the system',
  details: [
    'Parent is the domain that has started it; 0 stands for init. Memory is what is',
    'charged to it, quota the most that may be.',
  ],
  example: 'ps',
  argCount: [0, 0],
  argKinds: [],
  *run({ os, screen }) {
    const { domains } = yield* os.system.list({});
    const rows = domains.map(({ id, parent, state, usedBytes, quotaBytes, name }) => [
      String(id),
      String(parent),
      state,
      formatBytes(usedBytes),
      formatBytes(quotaBytes),
      name,
    ]);
    for (const line of formatTable(COLUMNS, rows)) screen.printLine(line);
    return 0;
  },
};

/** `ps`: the domains of the system. */

import { formatBytes } from '@barreleye/core';
import type { DomainInfo } from '@barreleye/program';
import { formatAddress } from '../address.ts';
import { answers, askCores, domainsOf, showSilent } from '../all-cores.ts';
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
    "charged to it, quota the most that may be. '2.3' is domain 3 of core 2.",
  ],
  example: 'ps',
  argCount: [0, 0],
  argKinds: [],
  *run(shell) {
    const { own, screen } = shell;
    const said = yield* askCores(shell, (core) => domainsOf(shell, core));
    const rows = answers(said)
      .flat()
      .map((domain) => rowOf(own.core, domain));
    for (const line of formatTable(COLUMNS, rows)) screen.printLine(line);
    showSilent(shell, said);
    return 0;
  },
};

function rowOf(ownCore: number, domain: DomainInfo): string[] {
  const { core, parent, state, usedBytes, quotaBytes, name } = domain;
  return [
    formatAddress(ownCore, domain),
    parent === 0 ? '0' : formatAddress(ownCore, { core, id: parent }),
    state,
    formatBytes(usedBytes),
    formatBytes(quotaBytes),
    name,
  ];
}

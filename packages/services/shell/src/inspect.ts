/**
 * What can be seen of a domain: its threads, regions and capabilities. The shell sees its own
 * directly; any other domain is asked through its `Inspector`, and may take too long to answer.
 */

import type { Wait } from '@barreleye/libos';
import type { ThreadInfo } from '@barreleye/program';
import {
  type CapInfo,
  capPlace,
  type DomainInfo,
  type Inspector,
  type RegionInfo,
} from '@barreleye/program';
import type { Client } from '@barreleye/rpc';
import { formatAddress, isSameDomain } from './address.ts';
import { CommandError } from './command.ts';
import { ask } from './deadline.ts';
import { describeDomain, findDomain, withDomain } from './domains.ts';
import type { InspectorLink, Shell } from './shell.ts';

/** How a command names the shell's own domain where something else follows. */
export const SELF = 'self';

/** The threads of a domain, and in words which of them wait for each other. */
export interface ThreadsView {
  readonly threads: readonly ThreadInfo[];
  readonly waits: string;
}

/** The address space of a domain. */
export interface SpaceView {
  readonly regions: readonly RegionInfo[];
  readonly tableCount: number;
}

/** The domain that an argument names; undefined: the shell's own. */
export function* findSubject(
  shell: Shell,
  text = SELF,
  hint?: string,
): Wait<DomainInfo | undefined> {
  if (text === SELF) return undefined;
  const found = yield* findDomain(shell, text, hint);
  return isSameDomain(found, shell.own) ? undefined : found;
}

export function* threadsOf(shell: Shell, subject: DomainInfo | undefined): Wait<ThreadsView> {
  const { own } = shell;
  if (subject === undefined) return { threads: own.threads(), waits: own.waits() };
  return yield* question(shell, subject, function* (client) {
    const { threads, report } = yield* client.threads({});
    return { threads, waits: report };
  });
}

export function* spaceOf(shell: Shell, subject: DomainInfo | undefined): Wait<SpaceView> {
  const { own, os } = shell;
  if (subject === undefined) {
    return { regions: own.regions(), tableCount: os.memory.vspace.tableCount };
  }
  return yield* question(shell, subject, function* (client) {
    const all: RegionInfo[] = [];
    for (let from = 0; ; ) {
      const { regions, tableCount } = yield* client.regions({ from });
      const last = regions.at(-1);
      all.push(...regions);
      if (last === undefined || last.base < from) return { regions: all, tableCount };
      from = last.base + 1;
    }
  });
}

export function* capsOf(shell: Shell, subject: DomainInfo | undefined): Wait<readonly CapInfo[]> {
  if (subject === undefined) return shell.own.caps();
  return yield* question(shell, subject, function* (client) {
    const all: CapInfo[] = [];
    for (let from = 0; ; ) {
      const { caps } = yield* client.caps({ from });
      const last = caps.at(-1);
      all.push(...caps);
      if (last === undefined || capPlace(last.cptr, last.level) < from) return all;
      from = capPlace(last.cptr, last.level) + 1;
    }
  });
}

type InspectorClient = Client<(typeof Inspector)['methods']>;

/** Ask another domain something, and wait for the answer as long as is reasonable. */
function* question<T>(
  shell: Shell,
  subject: DomainInfo,
  use: (client: InspectorClient) => Wait<T>,
): Wait<T> {
  const whom = describeDomain(shell, subject);
  if (subject.state === 'suspended') {
    const address = formatAddress(shell.own.core, subject);
    throw new CommandError(`${whom} is suspended; after 'resume ${address}' it can answer`);
  }
  const { iref } = yield* withDomain(shell, subject, (domain) =>
    shell.os.system.inspectorOf({ domain }),
  );
  let link: InspectorLink | undefined;
  let isGivenUp = false;
  const body = (function* (): Wait<T> {
    link = yield* shell.connectInspector(iref);
    try {
      if (isGivenUp) throw new CommandError('nobody wants to know any more');
      return yield* use(yield* link.bind());
    } finally {
      link.close();
    }
  })();
  try {
    return yield* ask(shell, whom, body);
  } finally {
    isGivenUp = true;
    link?.close();
  }
}

/** What a word could be, as far as the system knows. */

import { KernelPanic } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { formatAddress } from './address.ts';
import { allDomains, coresOf } from './all-cores.ts';
import type { ArgKind } from './command.ts';
import { CORE_ORDERS } from './commands/core.ts';
import { ask } from './deadline.ts';
import { SELF } from './inspect.ts';
import { programNames } from './programs.ts';
import type { Shell } from './shell.ts';

/** Everything that a word of this kind could be; nothing if whoever knows it does not say. */
export function* candidatesFor(shell: Shell, kind: ArgKind): Wait<readonly string[]> {
  try {
    return yield* list(shell, kind);
  } catch (error) {
    if (error instanceof KernelPanic) throw error;
    return [];
  }
}

function* list(shell: Shell, kind: ArgKind): Wait<readonly string[]> {
  const { commands, session } = shell;
  switch (kind) {
    case 'line':
      return [...commands.names(), ...(yield* programNames(shell))];
    case 'command':
      return commands.names();
    case 'program':
      return yield* programNames(shell);
    case 'core':
      return (yield* coresOf(shell))
        .filter(({ state }) => state === 'running')
        .map(({ core }) => String(core));
    case 'anyCore':
      return (yield* coresOf(shell)).map(({ core }) => String(core));
    case 'order':
      return CORE_ORDERS;
    case 'domain':
      return yield* domainNames(shell);
    case 'subject':
      return [SELF, ...(yield* domainNames(shell))];
    case 'name':
      return yield* serviceNames(shell);
    case 'variable':
      return [...session.variables.keys()];
    case 'block':
      return session.blocks.names();
    default:
      return [];
  }
}

/** Addresses of domains, names that only one has, and jobs. */
function* domainNames(shell: Shell): Wait<readonly string[]> {
  const { own, session } = shell;
  const alive = (yield* allDomains(shell)).filter(({ state }) => state !== 'ended');
  const names = alive.map(({ name }) => name);
  return [
    ...alive.map((domain) => formatAddress(own.core, domain)),
    ...names.filter((name) => names.indexOf(name) === names.lastIndexOf(name)),
    ...session.jobs.all().map(({ number }) => `%${number}`),
  ];
}

function* serviceNames(shell: Shell): Wait<readonly string[]> {
  const names = yield* ask(shell, 'the name service', shell.os.names.list(''));
  return names.map(({ name }) => name);
}

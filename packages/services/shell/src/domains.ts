/**
 * Domains as people name them: an address, a name that only one has, a job as `%2`. Names are
 * looked for on all cores that run.
 */

import { type Capref, OsError, type Wait } from '@barreleye/libos';
import type { DomainInfo } from '@barreleye/program';
import { type DomainAddress, formatAddress, isSameDomain, parseAddress } from './address.ts';
import { allDomains, checkState, domainsOf } from './all-cores.ts';
import { CommandError, UsageError } from './command.ts';
import { askCore } from './deadline.ts';
import { explain } from './explain.ts';
import type { Job } from './jobs.ts';
import type { Shell } from './shell.ts';
import { didYouMean } from './suggest.ts';

/** The job that `text` names, as `%2` or by its domain; undefined: it is none. */
export function findJob({ session, own }: Shell, text: string): Job | undefined {
  const [, digits] = /^%([0-9]+)$/.exec(text) ?? [];
  if (digits === undefined) {
    const address = parseAddress(own.core, text);
    return address === undefined ? undefined : session.jobs.byDomain(address);
  }
  const job = session.jobs.byNumber(Number(digits));
  if (job === undefined) throw new UsageError(`there is no job ${text}; 'jobs' lists them`);
  return job;
}

/** The domain that `text` names. `hint` is what to do if there is none. */
export function* findDomain(
  shell: Shell,
  text: string,
  hint = "'ps' lists them",
): Wait<DomainInfo> {
  const address = findJob(shell, text) ?? parseAddress(shell.own.core, text);
  if (address !== undefined) return yield* findAddress(shell, address, hint);
  const alive = (yield* allDomains(shell)).filter(({ state }) => state !== 'ended');
  const named = alive.filter(({ name }) => name === text);
  const [only] = named;
  if (only === undefined) {
    const names = alive.map(({ name }) => name);
    throw new UsageError(`there is no domain '${text}'${didYouMean(text, names, hint)}`);
  }
  if (named.length > 1) {
    const ids = named.map((domain) => formatAddress(shell.own.core, domain)).join(', ');
    throw new UsageError(`several domains are called '${text}': ${ids}; say which by its number`);
  }
  return only;
}

function* findAddress(shell: Shell, address: DomainAddress, hint: string): Wait<DomainInfo> {
  const { core } = address;
  if (core !== shell.own.core) yield* checkState(shell, core, ['running']);
  const domains = yield* askCore(shell, core, domainsOf(shell, core));
  const found = domains.find((domain) => isSameDomain(domain, address));
  if (found !== undefined) return found;
  throw new UsageError(`there is no domain ${formatAddress(shell.own.core, address)}; ${hint}`);
}

/** A domain in an error message. */
export function describeDomain({ own }: Shell, info: DomainInfo): string {
  return `domain ${formatAddress(own.core, info)} (${info.name})`;
}

/**
 * Do something with the capability of a domain: that of its job, or one that init gives to whoever
 * has the authority.
 */
export function* withDomain<T>(
  shell: Shell,
  info: DomainInfo,
  use: (domain: Capref<'Domain'>) => Wait<T>,
): Wait<T> {
  const { os, session, authority } = shell;
  const job = session.jobs.byDomain(info);
  try {
    if (job !== undefined) return yield* use(job.domain);
    if (authority === undefined) {
      const reason = 'this shell has no authority over domains that it has not started';
      throw new CommandError(`${describeDomain(shell, info)}: ${reason}; the first shell has it`);
    }
    const { domain } = yield* os.system.domainOf({ core: info.core, id: info.id, authority });
    try {
      return yield* use(domain);
    } finally {
      os.drop(domain);
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    throw new CommandError(`${describeDomain(shell, info)}: ${explain(error)}`);
  }
}

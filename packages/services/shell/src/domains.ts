/** Domains as people name them: a number, a name that only one has, a job as `%2`. */

import { type Capref, OsError, type Wait } from '@barreleye/libos';
import type { DomainInfo } from '@barreleye/program';
import { CommandError, UsageError } from './command.ts';
import { explain } from './explain.ts';
import type { Job } from './jobs.ts';
import type { Shell } from './shell.ts';
import { didYouMean } from './suggest.ts';

/** The job that `text` names, as `%2` or by the number of its domain; undefined: it is none. */
export function findJob({ session }: Shell, text: string): Job | undefined {
  const [, mark, digits] = /^(%?)([0-9]+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  if (mark === '') return session.jobs.byDomain(Number(digits));
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
  const { domains } = yield* shell.os.system.list({});
  const job = findJob(shell, text);
  const id = job?.id ?? (/^\d+$/.test(text) ? Number(text) : undefined);
  if (id !== undefined) {
    const found = domains.find((domain) => domain.id === id);
    if (found === undefined) throw new UsageError(`there is no domain ${id}; ${hint}`);
    return found;
  }
  const alive = domains.filter(({ state }) => state !== 'ended');
  const named = alive.filter(({ name }) => name === text);
  const [only] = named;
  if (only === undefined) {
    const names = alive.map(({ name }) => name);
    throw new UsageError(`there is no domain '${text}'${didYouMean(text, names, hint)}`);
  }
  if (named.length > 1) {
    const ids = named.map((domain) => domain.id).join(', ');
    throw new UsageError(`several domains are called '${text}': ${ids}; say which by its number`);
  }
  return only;
}

/** A domain in an error message. */
export function describeDomain({ id, name }: Pick<DomainInfo, 'id' | 'name'>): string {
  return `domain ${id} (${name})`;
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
  const job = session.jobs.byDomain(info.id);
  try {
    if (job !== undefined) return yield* use(job.domain);
    if (authority === undefined) {
      const reason = 'this shell has no authority over domains that it has not started';
      throw new CommandError(`${describeDomain(info)}: ${reason}; the first shell has it`);
    }
    const { domain } = yield* os.system.domainOf({ id: info.id, authority });
    try {
      return yield* use(domain);
    } finally {
      os.drop(domain);
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    throw new CommandError(`${describeDomain(info)}: ${explain(error)}`);
  }
}

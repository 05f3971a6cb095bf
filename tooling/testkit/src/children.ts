/** Starting, watching and ending domains from the program of a test. */

import { type Capref, OsError, type Wait } from '@barreleye/libos';
import type { DomainEnd, DomainInfo, ProgramOs } from '@barreleye/program';
import { errNames } from '@barreleye/spec';
import type { Tester } from './whole-system.ts';

/** A domain that a test has started. */
export interface Child {
  readonly id: number;
  /** Dropped when its end has been waited for. */
  readonly domain: Capref<'Domain'>;
}

type StartArgs = Parameters<ProgramOs['system']['spawn']>[0];

const PLAIN = { args: [], environment: [], caps: [], quotaBytes: undefined };

/** Start a program. Capabilities that it gets stay with the caller. */
export function* start(
  { system }: ProgramOs,
  program: string,
  wishes: Partial<StartArgs> = {},
): Wait<Child> {
  return yield* system.spawn({ ...PLAIN, program, ...wishes });
}

/** Wait until a domain has ended, and how. */
export function* endOf(os: ProgramOs, { domain }: Child): Wait<DomainEnd> {
  const { end } = yield* os.system.wait({ domain });
  os.drop(domain);
  return end;
}

/** End a domain. */
export function* kill(os: ProgramOs, child: Child): Wait<DomainEnd> {
  yield* os.system.kill({ domain: child.domain });
  return yield* endOf(os, child);
}

/** End a domain that the program of the test has started, and the children that it has. */
export function* killFamily({ os, init }: Tester, child: Child): Wait<DomainEnd> {
  const heirs = [...init.domains.all()].filter(({ parent }) => parent?.id === child.id);
  const end = yield* kill(os, child);
  for (const { id } of heirs) {
    const { domain } = yield* os.system.domainOf({ id, authority: os.argCap(1) });
    yield* os.system.kill({ domain });
    os.drop(domain);
  }
  return end;
}

/** What init knows of a domain. */
export function* infoOf({ system }: ProgramOs, { id }: Child): Wait<DomainInfo | undefined> {
  const { domains } = yield* system.list({});
  return domains.find((each) => each.id === id);
}

/** The names of the error that `step` fails with, without what only says that it came from afar. */
export function* errorOf(step: Wait<unknown>): Wait<readonly string[]> {
  try {
    yield* step;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return errNames(error.errval).filter((name) => name !== 'RPC_ERR_REMOTE');
  }
  return [];
}

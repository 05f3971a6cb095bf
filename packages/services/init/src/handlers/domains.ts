/** Domains by their capabilities, of this core and others. */

import { type Capref, unwrap, type Wait } from '@barreleye/libos';
import type { Domain } from '../domain.ts';
import type { Init } from '../main.ts';
import { checkAuthority, domainNamed, lend, type SystemHandlers } from './handler.ts';

/** Domains that a listing shows. */
const MAX_LISTED = 256;

type Names =
  | 'kill'
  | 'suspend'
  | 'resume'
  | 'wait'
  | 'list'
  | 'domainOf'
  | 'awaitDeath'
  | 'inspectorOf';

export function domainHandlers(init: Init, self: Domain): Pick<SystemHandlers, Names> {
  const { domains, local, monitor, remote, os, boot } = init;
  const isHere = (core: number): boolean => core === boot.coreId;
  function* change(cap: Capref, what: 'kill' | 'suspend' | 'resume'): Wait<Record<never, never>> {
    const { core, id } = domainNamed(os, cap);
    if (!isHere(core)) return yield* monitor.of(core)[what]({ id });
    if (what === 'kill') local.kill(id);
    else local.setSuspended(id, what === 'suspend');
    return {};
  }
  return {
    kill: ({ domain }) => change(domain, 'kill'),
    suspend: ({ domain }) => change(domain, 'suspend'),
    resume: ({ domain }) => change(domain, 'resume'),
    *wait({ domain }) {
      const { core, id } = domainNamed(os, domain);
      if (!isHere(core)) return { end: unwrap(yield* remote.awaitEnd(core, id, self)) };
      return { end: unwrap(yield* domains.awaitEnd(unwrap(domains.find(id)), self)) };
    },
    *list({ core = boot.coreId }) {
      if (!isHere(core)) return yield* monitor.of(core).list({});
      return { domains: local.list().slice(0, MAX_LISTED) };
    },
    domainOf({ core = boot.coreId, id, authority }) {
      checkAuthority(os, authority);
      if (!isHere(core)) return { domain: unwrap(remote.capOf(core, id)) };
      return { domain: lend(os, unwrap(domains.find(id)).cap) };
    },
    *awaitDeath({ seen }) {
      return { seen: yield* domains.awaitDeath(seen, self) };
    },
    *inspectorOf({ domain }) {
      const { core, id } = domainNamed(os, domain);
      if (!isHere(core)) return yield* monitor.of(core).inspectorOf({ id });
      return { iref: local.inspectorOf(id) };
    },
  };
}

/** What init answers a domain: the handlers of `System`. Capabilities that come are dropped. */

import type { Errval } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  capLend,
  dispatcherResume,
  dispatcherStop,
  KernelCap,
  type Os,
  OsError,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import type { DomainEnd, System } from '@barreleye/program';
import type { Handlers } from '@barreleye/rpc';
import {
  COUNTERS,
  type CopyableTypeName,
  describeError,
  Err,
  SCHEDULER_NAMES,
} from '@barreleye/spec';
import type { Domain } from './domain.ts';
import type { Init } from './main.ts';

/** Domains, and names of programs, that a listing shows. */
const MAX_LISTED = 256;
/** Characters of the reason why a core does not run; all of them are ASCII. */
const MAX_WHY = 256;

const KILLED: DomainEnd = { how: 'killed', value: 0, report: '' };

type SystemHandlers = Handlers<(typeof System)['methods']>;

/** The handlers for `self`. */
export function systemHandlers(init: Init, self: Domain): SystemHandlers {
  return {
    ...memoryHandlers(init, self),
    ...lifeHandlers(init, self),
    ...domainHandlers(init, self),
    ...introductionHandlers(init, self),
    ...machineHandlers(init),
  };
}

function memoryHandlers(
  { memory }: Init,
  { account }: Domain,
): Pick<SystemHandlers, 'allocRam' | 'freeRam' | 'memory'> {
  return {
    allocRam({ bytes, alignBytes }) {
      return unwrap(account.grant(bytes, alignBytes));
    },
    freeRam({ base }) {
      check(account.takeBack(base));
      return {};
    },
    memory: () => ({
      totalBytes: memory.mm.totalBytes(),
      freeBytes: memory.mm.freeBytes(),
      usedBytes: account.usedBytes,
      quotaBytes: account.quotaBytes,
    }),
  };
}

/** The life of the caller, and of those whom it starts. */
function lifeHandlers(
  { domains, programs, os }: Init,
  self: Domain,
): Pick<SystemHandlers, 'spawn' | 'exit' | 'fail' | 'programs'> {
  return {
    spawn({ program: name, args, environment, quotaBytes, caps }) {
      try {
        const program = programs.get(name);
        if (program === undefined) throw new OsError(Err.SPAWN_ERR_NO_PROGRAM);
        const given = caps as readonly Capref[] as readonly Capref<CopyableTypeName>[];
        const all = [name, ...(args.length === 0 ? program.args : args)];
        const request = { program, args: all, environment, caps: given, quotaBytes };
        const started = unwrap(domains.start(self, request));
        try {
          return { domain: lend(os, started.cap), id: started.id };
        } catch (error) {
          domains.end(started, KILLED);
          throw error;
        }
      } finally {
        for (const cap of caps) os.drop(cap);
      }
    },
    exit({ value }) {
      domains.end(self, { how: 'exited', value, report: '' });
      return {};
    },
    fail({ report }) {
      domains.end(self, { how: 'faulted', value: 0, report });
      return {};
    },
    programs: () => ({ names: [...programs.keys()].slice(0, MAX_LISTED) }),
  };
}

/** Domains by their capabilities. */
function domainHandlers(
  { domains, os }: Init,
  self: Domain,
): Pick<
  SystemHandlers,
  'kill' | 'suspend' | 'resume' | 'wait' | 'list' | 'domainOf' | 'awaitDeath' | 'inspectorOf'
> {
  /** The domain that `cap`, which is dropped, names. It may have ended. */
  const find = (cap: Capref): Domain => {
    const found = domains.find(cap);
    os.drop(cap);
    return unwrap(found);
  };
  const setSuspended = (cap: Capref, isSuspended: boolean): void => {
    const domain = find(cap);
    if (domain === domains.root) throw new OsError(Err.INIT_ERR_NOT_YOURS);
    if (domain.spawned === undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
    const change = isSuspended ? dispatcherStop : dispatcherResume;
    check(change(os.sys, domain.spawned.dispatcher));
    domain.isSuspended = isSuspended;
  };
  return {
    kill({ domain: cap }) {
      const domain = find(cap);
      if (domain === domains.root) throw new OsError(Err.INIT_ERR_NOT_YOURS);
      domains.end(domain, KILLED);
      return {};
    },
    suspend({ domain }) {
      setSuspended(domain, true);
      return {};
    },
    resume({ domain }) {
      setSuspended(domain, false);
      return {};
    },
    *wait({ domain }) {
      return { end: unwrap(yield* domains.awaitEnd(find(domain), self)) };
    },
    list: () => ({ domains: [...domains.all()].slice(0, MAX_LISTED).map(({ info }) => info) }),
    domainOf({ id, authority }) {
      const identity = capIdentify(os.sys, authority);
      os.drop(authority);
      if (!identity.ok || identity.value.type !== 'ProcessManager') {
        throw new OsError(Err.INIT_ERR_NOT_YOURS);
      }
      const domain = domains.get(id);
      if (domain === undefined) throw new OsError(Err.SPAWN_ERR_NO_DOMAIN);
      return { domain: lend(os, domain.cap) };
    },
    *awaitDeath({ seen }) {
      return { seen: yield* domains.awaitDeath(seen, self) };
    },
    inspectorOf({ domain: cap }) {
      const { inspector, end } = find(cap);
      if (end !== undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
      if (inspector === undefined || !isEndpoint(os, inspector)) {
        throw new OsError(Err.SPAWN_ERR_NO_INSPECTOR);
      }
      return { endpoint: lend(os, inspector) };
    },
  };
}

function introductionHandlers(
  { os, nameService }: Init,
  self: Domain,
): Pick<SystemHandlers, 'nameService' | 'offerNameService' | 'offerInspector'> {
  return {
    *nameService() {
      return { endpoint: lend(os, yield* nameService.get(self)) };
    },
    offerNameService({ endpoint }) {
      if (nameService.offer(self, endpoint)) return {};
      os.drop(endpoint);
      throw new OsError(Err.INIT_ERR_NOT_YOURS);
    },
    offerInspector({ endpoint }) {
      if (self.inspector !== undefined) os.drop(self.inspector);
      self.inspector = endpoint;
      return {};
    },
  };
}

function machineHandlers({
  os,
  boot,
  cores,
}: Init): Pick<SystemHandlers, 'machine' | 'cores' | 'counters'> {
  const { coreCount, frequency, ramBytes } = boot;
  const kernel = new KernelCap(os.sys, TASK_KERNEL);
  return {
    machine: () => {
      const scheduler = SCHEDULER_NAMES[unwrap(kernel.scheduler())];
      const runningCount = cores.all().filter(({ state }) => state === 'running').length;
      return { coreCount, runningCount, frequency, ramBytes, scheduler };
    },
    cores: () => ({
      cores: cores.all().map(({ core, state, err }) => {
        return { core, state, why: state === 'failed' ? describeError(err).slice(0, MAX_WHY) : '' };
      }),
    }),
    counters: () => ({ values: COUNTERS.map((_, i) => unwrap(kernel.counter(i))) }),
  };
}

/** A copy to be given away, which lasts whatever becomes of `cap` here. */
function lend<T extends CopyableTypeName>(os: Os, cap: Capref<T>): Capref<T> {
  const slot = os.allocSlot();
  const lent = capLend(os.sys, slot, cap);
  if (!lent.ok) os.check(os.slots.free(slot));
  return unwrap(lent);
}

/** A domain may have sent something else, or ended the endpoint. */
function isEndpoint(os: Os, cap: Capref): boolean {
  const identity = capIdentify(os.sys, cap);
  return identity.ok && identity.value.type === 'EndPointLMP';
}

function check(err: Errval): void {
  if (err !== 0) throw new OsError(err);
}

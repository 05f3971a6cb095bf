/**
 * init, the first domain: owns all memory, makes and ends domains, starts the services that make a
 * system of it. This file is its chapter list.
 */

import { alignDown, BASE_PAGE_BITS } from '@barreleye/core';
import { type Os, program, type Wait } from '@barreleye/libos';
import { channelPair, type Invitation } from '@barreleye/lmp';
import { type BootView, Monitor, readBootInfo } from '@barreleye/monitor';
import {
  Connections,
  Console,
  type DomainEnd,
  Inspector,
  Names,
  type Platform,
  Services,
  type Surroundings,
  System,
  selfInspection,
} from '@barreleye/program';
import { bindClient, serve } from '@barreleye/rpc';
import type { Program } from '@barreleye/spec';
import { Account } from './account.ts';
import { watchDeaths } from './death-watch.ts';
import type { Domain } from './domain.ts';
import { Domains } from './domains.ts';
import { systemHandlers } from './handlers/index.ts';
import { LocalControl } from './local-domains.ts';
import { createMemory, type Memory } from './memory.ts';
import { NameServicePoint } from './name-service-point.ts';
import { type BootProgram, readPrograms } from './programs.ts';
import { RemoteDomains } from './remote-domains.ts';
import { planServices, ServiceKeeper } from './services.ts';

/** What all parts of init work with. */
export interface Init {
  readonly os: Os;
  readonly boot: BootView;
  readonly memory: Memory;
  readonly domains: Domains;
  readonly programs: ReadonlyMap<string, BootProgram>;
  readonly nameService: NameServicePoint;
  readonly monitor: Monitor<Domain>;
  readonly local: LocalControl;
  readonly remote: RemoteDomains;
}

/**
 * Calls of one domain that may wait at once: as many as its library can make. A shell waits for the
 * ends of all its jobs, and wants to kill them meanwhile.
 */
const MAX_WAITING_CALLS = 256;
/** Memory that init keeps for itself: an eighth, at most so much. */
const MAX_OWN_BYTES = 4 * 2 ** 20;

/** Is shown all parts of init before anything else starts: for tests. */
export type Observer = (init: Init) => void;

/** The program `init` for a platform. */
export function createInit(platform: Platform, observer?: Observer): Program {
  return program('init', (os, argPage) => main(os, argPage, platform, observer));
}

function* main(os: Os, bootInfoAt: number, { paging }: Platform, observer?: Observer): Wait<void> {
  const boot = readBootInfo(os.sys.cpu, bootInfoAt); //     the kernel mapped it
  const memory = createMemory(os, boot, paging); //         needs the RAM capabilities
  const keeping: { keeper: ServiceKeeper | undefined } = { keeper: undefined };
  const host = {
    os,
    memory,
    paging,
    serve: (domain: Domain, invitation: Invitation) => serveDomain(init, domain, invitation),
    isSpanning: (domain: Domain) => monitor.spans.isSpanning(domain),
    leaveCores: (domain: Domain) => monitor.spans.closeAll(domain),
    setFarStopped: (domain: Domain, isStopped: boolean) =>
      monitor.spans.setStopped(domain, isStopped),
    domainEnded: (domain: Domain) => {
      monitor.partyEnded(domain);
      nameService.domainEnded();
    },
    childEnded: (domain: Domain, end: DomainEnd) => keeping.keeper?.childEnded(domain, end),
  };
  const domains = new Domains(host, rootAccount(os, memory));
  const nameService = new NameServicePoint(os);
  const { account } = domains.root;
  const programs = readPrograms(boot);
  const requestRam = (bytes: number) => monitor.requestRam(bytes);
  const local = new LocalControl({ os, boot, domains, programs, memory, requestRam });
  const monitor = new Monitor<Domain>({
    os,
    boot,
    vspace: memory.vspace,
    account,
    domains: local,
    nameService: () => nameService.iref,
    nameServiceAt: (iref) => nameService.learn(iref),
  });
  const remote = new RemoteDomains(os, monitor);
  const init: Init = { os, boot, memory, domains, programs, nameService, monitor, local, remote };
  observer?.(init);
  os.spawnThread('buries the dead', watchDeaths(init));
  if (boot.coreId !== boot.startedBy) {
    monitor.peers.answerStarter();
    yield* ownClient(init); //                              to be looked into, like all
    return; //                                              services run on the first core
  }
  monitor.control.startAll(); //                              before the shell gets what is left
  const services = planServices(os, boot); //               needs the interrupt table
  const { names, console } = yield* ownClient(init); //     init uses what it serves, like all
  keeping.keeper = new ServiceKeeper(init, names, console);
  keeping.keeper.startAll(services);
}

/** All memory is init's, but for what it keeps for itself. */
function rootAccount(os: Os, memory: Memory): Account {
  const freeBytes = memory.mm.freeBytes();
  const ownBytes = Math.min(Math.floor(freeBytes / 8), MAX_OWN_BYTES);
  // Quotas are whole pages; all that is left must be one.
  const quotaBytes = alignDown(freeBytes - ownBytes, BASE_PAGE_BITS);
  return new Account(os, memory.mm, quotaBytes);
}

/** Serve a domain from the moment at which it connects. */
function* serveDomain(init: Init, domain: Domain, invitation: Invitation): Wait<void> {
  const { os } = init;
  const channel = yield* invitation.accept();
  if (channel === undefined) return;
  domain.channel = channel;
  domain.invitation = undefined;
  const options = { maxActive: MAX_WAITING_CALLS };
  yield* serve(os.scheduler, channel, System, systemHandlers(init, domain), options);
}

/** init as its own client, for what it wants of the services. */
function* ownClient(init: Init): Wait<{ names: Names; console: Console }> {
  const { os, domains } = init;
  const [here, there] = channelPair(os);
  const handlers = systemHandlers(init, domains.root);
  os.spawnThread('serves init', serve(os.scheduler, there, System, handlers));
  const system = yield* bindClient(os.scheduler, here, System);
  const connections = new Connections(os, system);
  const around = { os, memory: ownMemory(init), connections, system };
  const services = new Services(around);
  const listener = services.listen();
  const inspection = selfInspection(os, init.memory.vspace);
  os.spawnThread('answers questions', services.acceptAll(listener, Inspector, inspection));
  yield* system.offerInspector({ endpoint: listener.cap });
  const names = new Names(os, services);
  return { names, console: new Console(os, names, true) };
}

/** init's slots and memory grow without a wait. */
function ownMemory({ memory: { vspace } }: Init): Surroundings['memory'] {
  return {
    vspace,
    *spare(): Wait<void> {},
    *reserve(): Wait<void> {},
  };
}

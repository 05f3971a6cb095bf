/** What init does with its domains for other cores, and for whoever names them by number. */

import {
  dispatcherResume,
  dispatcherStop,
  type Os,
  OsError,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import type { LocalDomains, RemoteSpawn } from '@barreleye/monitor';
import type { DomainEnd, DomainInfo } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import type { Domain } from './domain.ts';
import { type Domains, KILLED } from './domains.ts';
import type { BootProgram } from './programs.ts';

export class LocalControl implements LocalDomains {
  private readonly os: Os;
  private readonly core: number;
  private readonly domains: Domains;
  private readonly programs: ReadonlyMap<string, BootProgram>;

  constructor(os: Os, core: number, domains: Domains, programs: ReadonlyMap<string, BootProgram>) {
    this.os = os;
    this.core = core;
    this.domains = domains;
    this.programs = programs;
  }

  spawn(request: RemoteSpawn, tell: (id: number, end: DomainEnd) => void): number {
    const { domains } = this;
    const program = this.programs.get(request.program);
    if (program === undefined) throw new OsError(Err.SPAWN_ERR_NO_PROGRAM);
    const args = [program.name, ...(request.args.length === 0 ? program.args : request.args)];
    const started = unwrap(domains.start(domains.root, { ...request, program, args, caps: [] }));
    started.watchers.push((end) => tell(started.id, end));
    return started.id;
  }

  kill(id: number): void {
    this.domains.end(this.changeable(id), KILLED);
  }

  setSuspended(id: number, isSuspended: boolean): void {
    const domain = this.changeable(id);
    if (domain.spawned === undefined || domain.isEnding) throw new OsError(Err.SPAWN_ERR_ENDED);
    const change = isSuspended ? dispatcherStop : dispatcherResume;
    this.os.check(change(this.os.sys, domain.spawned.dispatcher));
    domain.isSuspended = isSuspended;
  }

  list(): DomainInfo[] {
    return [...this.domains.all()].map((domain) => domain.infoOn(this.core));
  }

  inspectorOf(id: number): number {
    const { inspector, end } = unwrap(this.domains.find(id));
    if (end !== undefined) throw new OsError(Err.SPAWN_ERR_ENDED);
    if (inspector === undefined) throw new OsError(Err.SPAWN_ERR_NO_INSPECTOR);
    return inspector;
  }

  watch(id: number, tell: (end: DomainEnd) => void): void {
    const domain = unwrap(this.domains.find(id));
    if (domain.end === undefined) domain.watchers.push(tell);
    else tell(domain.end);
  }

  farDied(id: number, report: string): void {
    const found = this.domains.find(id);
    if (found.ok) this.domains.end(found.value, { how: 'faulted', value: 0, report });
  }

  *endAll(): Wait<void> {
    const { domains } = this;
    domains.isClosed = true;
    for (const domain of [...domains.all()]) {
      if (domain !== domains.root) domains.end(domain, KILLED);
    }
    yield* domains.awaitEmpty();
  }

  /** Everybody but init itself. */
  private changeable(id: number): Domain {
    const domain = unwrap(this.domains.find(id));
    if (domain === this.domains.root) throw new OsError(Err.INIT_ERR_NOT_YOURS);
    return domain;
  }
}

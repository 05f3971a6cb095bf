/** What init does with its domains for other cores, and for whoever names them by number. */

import { type Os, OsError, unwrap, type Wait } from '@barreleye/libos';
import type { LocalDomains, RemoteSpawn } from '@barreleye/monitor';
import type { DomainEnd, DomainInfo } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import type { Domain } from './domain.ts';
import { type Domains, KILLED } from './domains.ts';
import type { Init } from './main.ts';
import type { Memory } from './memory.ts';
import type { BootProgram } from './programs.ts';

/** The least that is asked of another core at once. */
const MIN_GROWTH_BYTES = 2 ** 20;

/** Asks another core for RAM. @errors INIT_ERR_QUOTA it has none either */
type RamRequest = (bytes: number) => Wait<{ readonly base: number; readonly bytes: number }>;

/** What `LocalControl` works with. */
export interface LocalParts extends Pick<Init, 'os' | 'boot' | 'domains' | 'programs' | 'memory'> {
  readonly requestRam: RamRequest;
}

export class LocalControl implements LocalDomains {
  private readonly os: Os;
  private readonly core: number;
  private readonly domains: Domains;
  private readonly programs: ReadonlyMap<string, BootProgram>;
  private readonly memory: Memory;
  private readonly requestRam: RamRequest;

  constructor(parts: LocalParts) {
    this.os = parts.os;
    this.core = parts.boot.coreId;
    this.domains = parts.domains;
    this.programs = parts.programs;
    this.memory = parts.memory;
    this.requestRam = parts.requestRam;
  }

  *spawn(request: RemoteSpawn, tell: (id: number, end: DomainEnd) => void): Wait<number> {
    const { domains } = this;
    const missingBytes = request.quotaBytes - domains.root.account.leftBytes;
    if (missingBytes > 0) yield* this.growBy(missingBytes);
    const program = this.programs.get(request.program);
    if (program === undefined) throw new OsError(Err.SPAWN_ERR_NO_PROGRAM);
    const args = [program.name, ...(request.args.length === 0 ? program.args : request.args)];
    const started = unwrap(domains.start(domains.root, { ...request, program, args, caps: [] }));
    started.watchers.push((end) => tell(started.id, end));
    return started.id;
  }

  /** Have more RAM from the core that has started this one. @errors INIT_ERR_QUOTA */
  private *growBy(bytes: number): Wait<void> {
    const { requestRam, memory, domains, os } = this;
    const ram = yield* requestRam(Math.max(bytes, MIN_GROWTH_BYTES));
    os.check(memory.add(ram.base, ram.bytes));
    domains.root.account.grow(ram.bytes);
  }

  kill(id: number): void {
    this.domains.end(this.changeable(id), KILLED);
  }

  setSuspended(id: number, isSuspended: boolean): void {
    this.os.check(this.domains.setSuspended(this.changeable(id), isSuspended));
  }

  list(): DomainInfo[] {
    return [...this.domains.all()].map((domain) => domain.infoOn(this.core));
  }

  ram(): { readonly totalBytes: number; readonly freeBytes: number } {
    const { mm } = this.memory;
    return { totalBytes: mm.totalBytes(), freeBytes: mm.freeBytes() };
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

  *endAll(): Wait<number> {
    const { domains } = this;
    domains.isClosed = true;
    for (const domain of [...domains.all()]) {
      if (domain !== domains.root) domains.end(domain, KILLED);
    }
    yield* domains.awaitEmpty();
    return domains.lastId;
  }

  /** Everybody but init itself. */
  private changeable(id: number): Domain {
    const domain = unwrap(this.domains.find(id));
    if (domain === this.domains.root) throw new OsError(Err.INIT_ERR_NOT_YOURS);
    return domain;
  }
}

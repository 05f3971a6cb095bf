/**
 * All domains: started, found by their capabilities, ended. A domain that has ended has nothing any
 * more; only how it ended is kept, until whoever started it has asked or has ended, too.
 */

import { assert, type Errval, fail, isOk, OK, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  capIdentify,
  capRetype,
  capRevoke,
  dispatcherResume,
  dispatcherStop,
  type Os,
  OsError,
  TASK_PROCESS_MANAGER,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { Invitation } from '@barreleye/lmp';
import { createMemorySource, type TableShape } from '@barreleye/paging';
import type { DomainEnd } from '@barreleye/program';
import { Bell } from '@barreleye/rpc';
import { spawnProgram } from '@barreleye/spawn';
import { type CopyableTypeName, Err, TaskSlot } from '@barreleye/spec';
import type { Account } from './account.ts';
import { Domain } from './domain.ts';
import type { Memory } from './memory.ts';
import type { BootProgram } from './programs.ts';

/** Ends of children that are kept for a domain that does not ask. */
const MAX_UNREAD_ENDS = 32;
/**
 * What a domain gets that is started without a word about it: half of what there is, but no more
 * than the one, and no less than the other if there is as much.
 */
const MAX_DEFAULT_QUOTA_BYTES = 16 * 2 ** 20;
const MIN_DEFAULT_QUOTA_BYTES = 2 * 2 ** 20;

export const KILLED: DomainEnd = { how: 'killed', value: 0, report: '' };

/** What a new domain is to be. */
export interface StartRequest {
  readonly program: BootProgram;
  readonly args: readonly string[];
  readonly environment: readonly string[];
  readonly caps: readonly Capref<CopyableTypeName>[];
  readonly quotaBytes?: number | undefined;
}

/** What `Domains` needs of init. */
export interface DomainsHost {
  readonly os: Os;
  readonly memory: Memory;
  readonly paging: TableShape;
  /** Serve a new domain as long as it lives. */
  readonly serve: (domain: Domain, invitation: Invitation) => Wait<void>;
  /**
   * Whether other cores know of the memory of the domain. If so, it has to be waited until they do
   * no more, by `leaveCores`, before that comes back.
   */
  readonly isSpanning: (domain: Domain) => boolean;
  readonly leaveCores: (domain: Domain) => Wait<void>;
  /** Have its dispatchers on other cores not run, or run on. */
  readonly setFarStopped: (domain: Domain, isStopped: boolean) => void;
  /** A domain has ended; its account is still open. */
  readonly domainEnded: (domain: Domain) => void;
  /** A child of init has ended. */
  readonly childEnded: (domain: Domain, end: DomainEnd) => void;
}

export class Domains {
  /** init. */
  readonly root: Domain;
  /** The number of the last identity that was made. */
  lastId: number;
  /** No further domain can be started. */
  isClosed: boolean;
  private readonly host: DomainsHost;
  private readonly byId: Map<number, Domain>;
  /** Rings whenever a domain has ended. */
  private readonly deaths: Bell;
  private deathTotal: number;

  constructor(host: DomainsHost, rootAccount: Account) {
    const identity = unwrap(createIdentity(host.os));
    const root = new Domain({ ...identity, name: 'init' }, rootAccount, undefined);
    this.root = root;
    this.isClosed = false;
    this.lastId = root.id;
    this.host = host;
    this.byId = new Map([[root.id, root]]);
    this.deaths = new Bell(host.os.scheduler, 'the end of a domain');
    this.deathTotal = 0;
  }

  /** Wait until nobody but init is left. */
  *awaitEmpty(): Wait<void> {
    const isAlive = (domain: Domain): boolean => domain !== this.root && domain.end === undefined;
    yield* this.deaths.until(() => ![...this.byId.values()].some(isAlive));
  }

  /** Domains that have ended so far. */
  get deathCount(): number {
    return this.deathTotal;
  }

  all(): Iterable<Domain> {
    return this.byId.values();
  }

  /** The domain of this core with number `id`. @errors SPAWN_ERR_NO_DOMAIN */
  find(id: number): Result<Domain> {
    const domain = this.byId.get(id);
    return domain === undefined ? fail(Err.SPAWN_ERR_NO_DOMAIN) : succeed(domain);
  }

  /**
   * Start a program.
   * @errors INIT_ERR_QUOTA; LIB_ERR_SPAWN over the reason; no slot for its identity
   * @post on failure nothing is left
   */
  start(parent: Domain, request: StartRequest): Result<Domain> {
    if (this.isClosed) return fail(Err.MON_ERR_CORE_STATE);
    const quota = quotaOf(parent, request);
    const account = parent.account.open(quota);
    if (!account.ok) return account;
    const made = this.build(parent, request, account.value);
    if (!made.ok) account.value.close();
    return made;
  }

  private build(parent: Domain, request: StartRequest, account: Account): Result<Domain> {
    const { os } = this.host;
    const { name } = request.program;
    const identity = createIdentity(os);
    if (!identity.ok) return identity;
    const { cap, id } = identity.value;
    this.lastId = id;
    const invited = resultOf(() => new Invitation(os));
    if (!invited.ok) {
      os.drop(cap);
      return invited;
    }
    const invitation = invited.value;
    const from = parent === this.root ? undefined : parent;
    const domain = new Domain({ cap, id, name }, account, from);
    const err = this.spawn(domain, invitation, request);
    if (!isOk(err)) {
      invitation.withdraw();
      os.drop(cap);
      return fail(err);
    }
    domain.invitation = invitation;
    this.byId.set(domain.id, domain);
    os.spawnThread(`serves ${name}`, this.host.serve(domain, invitation));
    return succeed(domain);
  }

  private spawn(domain: Domain, invitation: Invitation, request: StartRequest): Errval {
    const { os, memory, paging } = this.host;
    const { sys } = os;
    const source = createMemorySource(sys, domain.account, os.slots);
    const spawned = spawnProgram(
      { sys, source, vspace: memory.vspace, paging },
      {
        name: domain.name,
        image: request.program.image,
        args: request.args,
        environment: request.environment,
        caps: request.caps,
        domain: domain.cap,
        taskCaps: [[TaskSlot.InitEp, invitation.cap]],
      },
    );
    if (!spawned.ok) return spawned.err;
    domain.spawned = spawned.value;
    return OK;
  }

  /** Have a domain not run, or run on. @errors SPAWN_ERR_ENDED, also: it is about to */
  setSuspended(domain: Domain, isSuspended: boolean): Errval {
    const { os, setFarStopped } = this.host;
    if (domain.spawned === undefined || domain.isEnding) return Err.SPAWN_ERR_ENDED;
    const change = isSuspended ? dispatcherStop : dispatcherResume;
    const err = change(os.sys, domain.spawned.dispatcher);
    if (!isOk(err)) return err;
    domain.isSuspended = isSuspended;
    setFarStopped(domain, isSuspended);
    return OK;
  }

  /**
   * End a domain, whatever it is doing. Everything that it had comes back: at once, or when the
   * other cores that it was on have let go of it.
   */
  end(domain: Domain, end: DomainEnd): void {
    if (domain.end !== undefined || domain.isEnding) return;
    assert(domain !== this.root, 'init does not end');
    const { os, isSpanning } = this.host;
    if (!isSpanning(domain)) {
      this.bury(domain, end);
      return;
    }
    domain.isEnding = true;
    const { dispatcher } = domain.spawned ?? {};
    if (dispatcher !== undefined) dispatcherStop(os.sys, dispatcher); // it may be dead
    os.spawnThread(`ends ${domain.name}`, this.endFar(domain, end));
  }

  private *endFar(domain: Domain, end: DomainEnd): Wait<void> {
    yield* this.host.leaveCores(domain);
    this.bury(domain, end);
  }

  private bury(domain: Domain, end: DomainEnd): void {
    const { memory } = this.host;
    const err = domain.spawned?.kill() ?? OK;
    assert(isOk(err), 'a domain can be taken apart');
    domain.end = end;
    domain.invitation?.withdraw();
    domain.channel?.close();
    domain.spawned = undefined;
    domain.invitation = undefined;
    domain.channel = undefined;
    domain.inspector = undefined;
    this.host.domainEnded(domain);
    domain.account.close();
    memory.collect();
    this.orphan(domain);
    this.deathTotal += 1;
    this.deaths.ring();
    for (const tell of domain.watchers.splice(0)) tell(end);
    if (domain.parent !== undefined) this.limitUnread(domain.parent);
    else {
      this.forget(domain);
      this.host.childEnded(domain, end);
    }
  }

  /** Wait until `domain` has ended, or `asker` has. */
  *awaitEnd(domain: Domain, asker: Domain): Wait<Result<DomainEnd>> {
    yield* this.deaths.until(() => domain.end !== undefined || asker.end !== undefined);
    if (domain.end === undefined) return fail(Err.SPAWN_ERR_ENDED);
    if (domain.parent === asker) this.forget(domain);
    return succeed(domain.end);
  }

  /** Wait until more than `seen` domains have ended, or `asker` has. */
  *awaitDeath(seen: number, asker: Domain): Wait<number> {
    yield* this.deaths.until(() => this.deathTotal > seen || asker.end !== undefined);
    return this.deathTotal;
  }

  /** init takes over the children of a domain that has ended. */
  private orphan(parent: Domain): void {
    for (const child of [...this.byId.values()]) {
      if (child.parent !== parent) continue;
      if (child.end !== undefined) this.forget(child);
      else child.parent = undefined;
    }
  }

  /** Keep the newest of the ends that `parent` has not asked for. */
  private limitUnread(parent: Domain): void {
    const ended = [...this.byId.values()].filter((d) => d.parent === parent && d.end !== undefined);
    for (const domain of ended.slice(0, -MAX_UNREAD_ENDS)) this.forget(domain);
  }

  /** Nothing names the domain any more. */
  private forget(domain: Domain): void {
    if (!this.byId.delete(domain.id)) return;
    this.host.os.check(capRevoke(this.host.os.sys, domain.cap)); // nobody else could
    this.host.os.drop(domain.cap);
  }
}

interface Identity {
  readonly cap: Capref<'Domain'>;
  readonly id: number;
}

/** A new identity of a domain. @errors no slot for it; the kernel has no more */
function createIdentity({ sys, slots }: Os): Result<Identity> {
  const range = { offset: 0, objectBytes: 0, count: 1 };
  const cap = slots.fill((slot) => capRetype(sys, slot, TASK_PROCESS_MANAGER, 'Domain', range));
  if (!cap.ok) return cap;
  return succeed({ cap: cap.value, id: unwrap(capIdentify(sys, cap.value)).arg1 });
}

/** What `make` returns, or the error that it throws. */
function resultOf<T>(make: () => T): Result<T> {
  try {
    return succeed(make());
  } catch (error) {
    if (error instanceof OsError) return fail(error.errval);
    throw error;
  }
}

/** The quota that a domain gets which `parent` starts. */
export function quotaOf(parent: Domain, { quotaBytes }: Pick<StartRequest, 'quotaBytes'>): number {
  if (quotaBytes !== undefined) return quotaBytes;
  const { leftBytes } = parent.account;
  const half = Math.min(leftBytes / 2, MAX_DEFAULT_QUOTA_BYTES);
  return Math.floor(Math.min(Math.max(half, MIN_DEFAULT_QUOTA_BYTES), leftBytes));
}

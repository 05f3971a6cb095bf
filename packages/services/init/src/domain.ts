/** What init knows of one domain. */

import type { Result } from '@barreleye/core';
import type { Capref } from '@barreleye/libos';
import type { Invitation, LmpChannel } from '@barreleye/lmp';
import type { Held, Party } from '@barreleye/monitor';
import type { DomainEnd, DomainInfo } from '@barreleye/program';
import type { SpawnedDomain } from '@barreleye/spawn';
import type { Account } from './account.ts';

export class Domain implements Party {
  /** Never used again. */
  readonly id: number;
  readonly name: string;
  /** Copies of it name the domain. */
  readonly cap: Capref<'Domain'>;
  /** Where its memory comes from. */
  readonly account: Account;
  /** Who started it; init is left out, and inherits the children of those who end. */
  parent: Domain | undefined;
  /** Its parts; init has none. */
  spawned: SpawnedDomain | undefined;
  /** How it reaches init: first the invitation, then the channel. */
  invitation: Invitation | undefined;
  channel: LmpChannel | undefined;
  /** The service reference at which it answers questions about itself. */
  inspector: number | undefined;
  isSuspended: boolean;
  /** It is ending, and waits for other cores that it was on. */
  isEnding: boolean;
  /** Are told how it ends. */
  readonly watchers: ((end: DomainEnd) => void)[];
  /** How it has ended, undefined as long as it lives. */
  end: DomainEnd | undefined;

  constructor(
    identity: { readonly id: number; readonly name: string; readonly cap: Capref<'Domain'> },
    account: Account,
    parent: Domain | undefined,
  ) {
    this.id = identity.id;
    this.name = identity.name;
    this.cap = identity.cap;
    this.account = account;
    this.parent = parent;
    this.spawned = undefined;
    this.invitation = undefined;
    this.channel = undefined;
    this.inspector = undefined;
    this.isSuspended = false;
    this.isEnding = false;
    this.watchers = [];
    this.end = undefined;
  }

  hold(bytes: number): Result<Held> {
    return this.account.hold(bytes);
  }

  /** What a listing on core `core` shows. */
  infoOn(core: number): DomainInfo {
    const alive = this.isSuspended ? 'suspended' : 'running';
    return {
      core,
      id: this.id,
      parent: this.parent?.id ?? 0,
      name: this.name,
      state: this.end === undefined ? alive : 'ended',
      usedBytes: this.account.usedBytes,
      quotaBytes: this.account.quotaBytes,
    };
  }
}

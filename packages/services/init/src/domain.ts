/** What init knows of one domain. */

import type { Capref } from '@barreleye/libos';
import type { Invitation, LmpChannel } from '@barreleye/lmp';
import type { DomainEnd, DomainInfo } from '@barreleye/program';
import type { SpawnedDomain } from '@barreleye/spawn';
import type { Account } from './account.ts';

export class Domain {
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
  /** Where it answers questions about itself. */
  inspector: Capref<'EndPointLMP'> | undefined;
  isSuspended: boolean;
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
    this.end = undefined;
  }

  get info(): DomainInfo {
    const alive = this.isSuspended ? 'suspended' : 'running';
    return {
      id: this.id,
      parent: this.parent?.id ?? 0,
      name: this.name,
      state: this.end === undefined ? alive : 'ended',
      usedBytes: this.account.usedBytes,
      quotaBytes: this.account.quotaBytes,
    };
  }
}

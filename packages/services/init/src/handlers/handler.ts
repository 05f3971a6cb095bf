/** What all handlers of `System` work with. */

import type { Errval } from '@barreleye/core';
import { type Capref, capIdentify, capLend, type Os, OsError, unwrap } from '@barreleye/libos';
import type { System } from '@barreleye/program';
import type { Handlers } from '@barreleye/rpc';
import { type CopyableTypeName, Err } from '@barreleye/spec';

export type SystemHandlers = Handlers<(typeof System)['methods']>;

/** Throw unless `err` is OK. */
export function check(err: Errval): void {
  if (err !== 0) throw new OsError(err);
}

/** A copy to be given away, which lasts whatever becomes of `cap` here. */
export function lend<T extends CopyableTypeName>(os: Os, cap: Capref<T>): Capref<T> {
  return unwrap(os.slots.fill((slot) => capLend(os.sys, slot, cap)));
}

/** A domain may have sent something else, or ended the endpoint. */
export function isEndpoint(os: Os, cap: Capref): boolean {
  const identity = capIdentify(os.sys, cap);
  return identity.ok && identity.value.type === 'EndPointLMP';
}

/** Which domain a capability, which is dropped, names. @errors SPAWN_ERR_NO_DOMAIN */
export function domainNamed(os: Os, cap: Capref): { readonly core: number; readonly id: number } {
  const identity = capIdentify(os.sys, cap);
  os.drop(cap);
  if (!identity.ok || identity.value.type !== 'Domain') throw new OsError(Err.SPAWN_ERR_NO_DOMAIN);
  return { core: identity.value.arg0, id: identity.value.arg1 };
}

/** Whoever sends the capability, which is dropped, may do anything to any domain; or it throws. */
export function checkAuthority(os: Os, authority: Capref): void {
  const identity = capIdentify(os.sys, authority);
  os.drop(authority);
  if (!identity.ok || identity.value.type !== 'ProcessManager') {
    throw new OsError(Err.INIT_ERR_NOT_YOURS);
  }
}

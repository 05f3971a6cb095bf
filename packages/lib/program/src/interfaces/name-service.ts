/** The name service: who serves what, under which reference. A name goes with its domain. */

import {
  array,
  call,
  defineInterface,
  optional,
  string,
  struct,
  u32,
  type ValueOf,
} from '@barreleye/rpc';

/** Longest name, bytes. */
export const MAX_SERVICE_NAME_BYTES = 64;
/** Most names that a listing shows. */
export const MAX_LISTED_NAMES = 256;

const name = string(MAX_SERVICE_NAME_BYTES);

/** A line of `list`. */
export const NAME_INFO = struct({ name, interfaceName: name, core: u32, domainId: u32 });
export type NameInfo = ValueOf<typeof NAME_INFO>;

export const NameService = defineInterface('nameService', {
  /**
   * The service `iref` speaks `interfaceName` from now on, as long as the binding lives over which
   * this is said. @errors NAME_ERR_INVALID; NAME_ERR_EXISTS; NAME_ERR_FULL; MON_ERR_NO_SERVICE
   */
  register: call({ name, interfaceName: name, iref: u32 }, {}),
  /** @errors NAME_ERR_UNKNOWN; NAME_ERR_NOT_OWNER */
  deregister: call({ name }, {}),
  /** @errors NAME_ERR_UNKNOWN */
  lookup: call({ name }, { iref: u32, interfaceName: name }),
  /**
   * The same, but waits until somebody registers the name.
   * @errors NAME_ERR_INVALID; RPC_ERR_TOO_MANY_CALLS so many of the caller's wait already
   */
  waitFor: call({ name }, { iref: u32, interfaceName: name }),
  /**
   * Names that begin with `prefix`, in order, from the first behind `after` on. As many as are
   * listed at once: there may be more behind the last.
   */
  list: call(
    { prefix: name, after: optional(name) },
    { names: array(NAME_INFO, MAX_LISTED_NAMES) },
  ),
});

/** The name service: who serves what, at which endpoint. A name goes with the domain it is of. */

import {
  array,
  call,
  cap,
  defineInterface,
  gift,
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
/** A copy that the name service has made for the caller. */
const endpoint = gift('EndPointLMP');

/** A line of `list`. */
export const NAME_INFO = struct({ name, interfaceName: name, domainId: u32 });
export type NameInfo = ValueOf<typeof NAME_INFO>;

export const NameService = defineInterface('nameService', {
  /**
   * Connections to `endpoint` are served as `interfaceName` from now on, as long as the binding
   * lives over which this is said. @errors NAME_ERR_INVALID; NAME_ERR_EXISTS; NAME_ERR_FULL
   */
  register: call(
    { name, interfaceName: name, endpoint: cap('EndPointLMP'), owner: cap('Domain') },
    {},
  ),
  /** @errors NAME_ERR_UNKNOWN; NAME_ERR_NOT_OWNER */
  deregister: call({ name }, {}),
  /** @errors NAME_ERR_UNKNOWN */
  lookup: call({ name }, { endpoint, interfaceName: name }),
  /**
   * The same, but waits until somebody registers the name.
   * @errors NAME_ERR_INVALID; RPC_ERR_TOO_MANY_CALLS so many of the caller's wait already
   */
  waitFor: call({ name }, { endpoint, interfaceName: name }),
  /**
   * Names that begin with `prefix`, in order, from the first behind `after` on. As many as are
   * listed at once: there may be more behind the last.
   */
  list: call(
    { prefix: name, after: optional(name) },
    { names: array(NAME_INFO, MAX_LISTED_NAMES) },
  ),
});

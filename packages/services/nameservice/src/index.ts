/** Names of services: a registry that works alone, and the service that serves it to domains. */

export { Connection, MAX_WAITS, type NameServer, serveClient } from './connection.ts';
export { createDirectory, type Directory, type Entry } from './directory.ts';
export { nameservice } from './main.ts';
export { isServiceName } from './name.ts';
export {
  type Found,
  type Listing,
  MAX_NAMES_PER_OWNER,
  type Registration,
  Registry,
} from './registry.ts';

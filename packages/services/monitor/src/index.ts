/** The monitor of a core, and how cores start. */

export {
  type BootView,
  deviceCap,
  findDevice,
  type Region,
  ramCap,
  readBootInfo,
} from './boot-info.ts';
export type { ChannelEnd } from './channel-ends.ts';
export { type Export, Exports, MAX_EXPORTS_PER_OWNER } from './exports.ts';
export type { LocalDomains, MonitorHost, RemoteSpawn } from './host.ts';
export { CoreLinks, LINK_BYTES, type Link } from './link.ts';
export { Monitor } from './monitor.ts';
export type { Held, Party } from './party.ts';
export type { CoreState } from './peers.ts';

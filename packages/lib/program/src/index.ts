/** What programs of a booted system are written with, and the interfaces of its services. */

export { type Allocators, createAllocators, deleteAndFree } from './allocators.ts';
export { type Arguments, readArguments } from './arguments.ts';
export { Connections, MAX_CHANNELS_PER_PEER } from './connections.ts';
export { BACKGROUND, Console, type LineInput } from './console.ts';
export { DomainMemory } from './domain-memory.ts';
export { CHANNEL_SLOTS, FarChannels } from './far-channels.ts';
export {
  CAP_INFO,
  type CapInfo,
  Inspector,
  REGION_INFO,
  type RegionInfo,
  THREAD_INFO,
  type ThreadInfo,
} from './interfaces/inspector.ts';
export {
  MAX_LISTED_NAMES,
  MAX_SERVICE_NAME_BYTES,
  NAME_INFO,
  type NameInfo,
  NameService,
} from './interfaces/name-service.ts';
export {
  CHANNEL_BYTES,
  CHANNEL_INFO,
  type ChannelInfo,
  CORE_INFO,
  CORE_STATUS,
  type CoreInfo,
  type CoreStatus,
  DOMAIN_END,
  DOMAIN_INFO,
  type DomainEnd,
  type DomainInfo,
  MAX_ARG_BYTES,
  MAX_LISTED_CHANNELS,
  MAX_NAME_BYTES,
  MAX_REPORT_BYTES,
  type ShootDownKind,
  System,
  type SystemClient,
} from './interfaces/system.ts';
export {
  MAX_LINE_BYTES,
  MAX_PROMPT_BYTES,
  MAX_WRITE_BYTES,
  Terminal,
} from './interfaces/terminal.ts';
export { irefCore, MAX_IREFS, makeIref } from './iref.ts';
export { Names } from './names.ts';
export { type AppOptions, type AppProgram, type ProgramMain, program } from './program.ts';
export { type Platform, ProgramOs } from './program-os.ts';
export { capPlace, capsFrom, regionsOf, selfInspection, threadsOf } from './self-inspection.ts';
export { type Connection, type ServiceHandlers, Services, type Surroundings } from './services.ts';
export type { FarFunction, FarFunctions } from './span/far.ts';
export {
  type FarThread,
  type SpanHost,
  Spanning,
  type SpanRequest,
} from './span/spanning.ts';

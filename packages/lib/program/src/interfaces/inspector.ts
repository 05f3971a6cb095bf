/** What every domain answers about itself. */

import {
  array,
  bool,
  call,
  defineInterface,
  oneOf,
  string,
  struct,
  u8,
  u32,
  u64,
  type ValueOf,
} from '@barreleye/rpc';

const text = string(128);

export const THREAD_INFO = struct({
  id: u32,
  name: text,
  state: oneOf('ready', 'running', 'blocked', 'done'),
  waitsFor: text, // empty when it does not wait
  isDaemon: bool,
});
export type ThreadInfo = ValueOf<typeof THREAD_INFO>;

export const REGION_INFO = struct({
  base: u64,
  bytes: u64,
  mappedBytes: u64,
  kind: oneOf('frame', 'lazy', 'guard'),
  flags: u32, // spec PageFlag
  name: text,
});
export type RegionInfo = ValueOf<typeof REGION_INFO>;

/** A capability: the slot it is in, and what the kernel says of it. */
export const CAP_INFO = struct({
  cptr: u32,
  level: u8,
  type: u8, // spec ObjType
  rights: u8,
  base: u64,
  bytes: u64,
});
export type CapInfo = ValueOf<typeof CAP_INFO>;

export const Inspector = defineInterface('inspector', {
  threads: call({}, { threads: array(THREAD_INFO, 128), report: string(4096) }),
  regions: call({ from: u64 }, { regions: array(REGION_INFO, 64), tableCount: u32 }),
  /** Capabilities from a place of its CSpace on (`capPlace`); none: there are no more. */
  caps: call({ from: u64 }, { caps: array(CAP_INFO, 128) }),
});

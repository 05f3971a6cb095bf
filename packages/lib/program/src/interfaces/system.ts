/**
 * What every domain can ask of init, over the channel that it was born with. init knows who asks:
 * each domain has a channel of its own.
 *
 * A domain is named by its Domain capability. Whoever holds one may wait for the domain, suspend,
 * resume and kill it.
 */

import {
  array,
  call,
  cap,
  defineInterface,
  gift,
  i32,
  oneOf,
  optional,
  string,
  struct,
  u32,
  u64,
  type ValueOf,
} from '@barreleye/rpc';

/** Longest name of a domain or program, argument, and report of a death; bytes of UTF-8. */
export const MAX_NAME_BYTES = 64;
export const MAX_ARG_BYTES = 1024;
export const MAX_REPORT_BYTES = 2048;

/** How a domain has ended. `value` counts if it exited, `report` if it died of a fault. */
export const DOMAIN_END = struct({
  how: oneOf('exited', 'killed', 'faulted'),
  value: i32,
  report: string(MAX_REPORT_BYTES),
});
export type DomainEnd = ValueOf<typeof DOMAIN_END>;

/** A line of `list`. `parent` is 0 for what init itself has started. */
export const DOMAIN_INFO = struct({
  id: u32,
  parent: u32,
  name: string(MAX_NAME_BYTES),
  state: oneOf('running', 'suspended', 'ended'),
  usedBytes: u64, //  RAM that is charged to it
  quotaBytes: u64, // and the most that may be
});
export type DomainInfo = ValueOf<typeof DOMAIN_INFO>;

/** Longest reason why a core does not run. */
const MAX_WHY_BYTES = 256;

export const CORE_INFO = struct({
  core: u32,
  state: oneOf('off', 'starting', 'running', 'failed'),
  why: string(MAX_WHY_BYTES),
});

const args = array(string(MAX_ARG_BYTES), 32);
const domain = cap('Domain');
/** Answers that carry copies made for them: what init has may be gone before they are sent. */
const lentDomain = gift('Domain');
const lentEndpoint = gift('EndPointLMP');

export const System = defineInterface('system', {
  // Memory.
  /** RAM of at least `bytes` bytes, charged to the caller. @errors INIT_ERR_QUOTA; those of mm */
  allocRam: call({ bytes: u64, alignBytes: u64 }, { ram: gift('RAM'), base: u64, bytes: u64 }),
  /** Give back what `allocRam` gave, with all that was made of it. @errors INIT_ERR_NOT_YOURS */
  freeRam: call({ base: u64 }, {}),
  memory: call({}, { totalBytes: u64, freeBytes: u64, usedBytes: u64, quotaBytes: u64 }),

  // Domains.
  /**
   * Start a program by name. `caps` become capabilities of its argument CNode, in order.
   * @errors SPAWN_ERR_NO_PROGRAM; INIT_ERR_QUOTA; LIB_ERR_SPAWN over the reason
   */
  spawn: call(
    {
      program: string(MAX_NAME_BYTES),
      args,
      environment: args,
      quotaBytes: optional(u64),
      caps: array(cap('Null'), 8),
    },
    { domain: lentDomain, id: u32 },
  ),
  /** End the caller. Not answered: it ends. */
  exit: call({ value: i32 }, {}),
  /** The same because of a fault, which is reported. */
  fail: call({ report: string(MAX_REPORT_BYTES) }, {}),
  kill: call({ domain }, {}),
  suspend: call({ domain }, {}),
  resume: call({ domain }, {}),
  /** Wait until the domain has ended. @errors SPAWN_ERR_NO_DOMAIN */
  wait: call({ domain }, { end: DOMAIN_END }),
  list: call({}, { domains: array(DOMAIN_INFO, 256) }),
  /** The capability of any domain, for those who hold the authority over all of them. */
  domainOf: call({ id: u32, authority: cap('ProcessManager') }, { domain: lentDomain }),
  /** Wait until more domains have ended than `seen`; how many have. */
  awaitDeath: call({ seen: u32 }, { seen: u32 }),
  /** Which programs there are to start. */
  programs: call({}, { names: array(string(MAX_NAME_BYTES), 256) }),

  // Introductions.
  /** An endpoint at which the name service listens. Waits until there is one. */
  nameService: call({}, { endpoint: lentEndpoint }),
  /** The caller listens there as the name service. @errors INIT_ERR_NOT_YOURS it is not */
  offerNameService: call({ endpoint: cap('EndPointLMP') }, {}),
  /** The caller answers questions about itself there: see `Inspector`. */
  offerInspector: call({ endpoint: cap('EndPointLMP') }, {}),
  inspectorOf: call({ domain }, { endpoint: lentEndpoint }),

  // The machine.
  machine: call(
    {},
    { coreCount: u32, runningCount: u32, frequency: u64, ramBytes: u64, scheduler: string(32) },
  ),
  /** What is known of each core; `why` one has failed. */
  cores: call({}, { cores: array(CORE_INFO, 64) }),
  /** The counters of the CPU driver, in the order of spec `COUNTERS`. */
  counters: call({}, { values: array(u64, 64) }),
});

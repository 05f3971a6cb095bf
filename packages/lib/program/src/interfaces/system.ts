/**
 * What every domain can ask of init, over the channel that it was born with. init knows who asks:
 * each domain has a channel of its own.
 *
 * A domain is named by its Domain capability. Whoever holds one may wait for the domain, suspend,
 * resume and kill it.
 */

import {
  array,
  type Client,
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
  core: u32,
  id: u32, //     of its core, never used again
  parent: u32, // on the same core
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
  state: oneOf('off', 'starting', 'running', 'stopping', 'failed'),
  why: string(MAX_WHY_BYTES),
});
export type CoreInfo = ValueOf<typeof CORE_INFO>;

/** What a core that runs says of itself. */
export const CORE_STATUS = struct({
  arch: string(MAX_NAME_BYTES),
  packageId: optional(u32), // of the topology, if one is known
  scheduler: string(32),
  domainCount: u32, // that have not ended
  totalBytes: u64, //  RAM of its own
  freeBytes: u64,
  links: array(u32, 64), // cores whose monitors it can ask
});
export type CoreStatus = ValueOf<typeof CORE_STATUS>;

/** A channel between cores, as one of them has it. */
export const CHANNEL_INFO = struct({
  channel: u32, // its number on that core
  domain: u32, //  whose end it is there
  peerCore: u32,
  side: oneOf('client', 'server'),
  /** `waiting` for the service; `closed` here, and not there yet; `left` by the other side. */
  state: oneOf('waiting', 'open', 'closed', 'left'),
});
export type ChannelInfo = ValueOf<typeof CHANNEL_INFO>;
/** Channels that a listing shows at once. */
export const MAX_LISTED_CHANNELS = 256;

const args = array(string(MAX_ARG_BYTES), 32);
const domain = cap('Domain');
/** Answers that carry copies made for them: what init has may be gone before they are sent. */
const lentDomain = gift('Domain');
const lentEndpoint = gift('EndPointLMP');

/** A channel between cores, as an end of it gets it. */
const CHANNEL = {
  channel: u32, //                  its number on this core
  frame: gift('Frame'), //          `CHANNEL_BYTES` that the other side has, too
  bell: gift('Notify_IPI'), //      notifies the other side
} as const;
/** Bytes of the frame of a channel between cores. */
export const CHANNEL_BYTES = 4096;

/** How the word of a shoot-down is spread: the plans of `@barreleye/multicast`. */
const SHOOT_DOWN_KINDS = ['broadcast', 'unicast', 'multicast', 'numa', 'tree'] as const;
export type ShootDownKind = (typeof SHOOT_DOWN_KINDS)[number];

const CORE_ORDER = { core: u32, authority: cap('ProcessManager') } as const;

export const System = defineInterface('system', {
  // Memory.
  /** RAM of at least `bytes` bytes, charged to the caller. @errors INIT_ERR_QUOTA; those of mm */
  allocRam: call({ bytes: u64, alignBytes: u64 }, { ram: gift('RAM'), base: u64, bytes: u64 }),
  /** Give back what `allocRam` gave, with all that was made of it. @errors INIT_ERR_NOT_YOURS */
  freeRam: call({ base: u64 }, {}),
  memory: call({}, { totalBytes: u64, freeBytes: u64, usedBytes: u64, quotaBytes: u64 }),

  // Domains.
  /**
   * Start a program by name, on this core or another. `caps` become capabilities of its argument
   * CNode, in order; they cannot go to another core.
   * @errors SPAWN_ERR_NO_PROGRAM; INIT_ERR_QUOTA; LIB_ERR_SPAWN over the reason; MON_ERR_NO_CORE
   */
  spawn: call(
    {
      core: optional(u32),
      program: string(MAX_NAME_BYTES),
      args,
      environment: args,
      quotaBytes: optional(u64),
      caps: array(cap('Null'), 8),
    },
    { domain: lentDomain, core: u32, id: u32 },
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
  /** The domains of this core, or another. @errors MON_ERR_NO_CORE */
  list: call({ core: optional(u32) }, { domains: array(DOMAIN_INFO, 256) }),
  /** The capability of any domain, for those who hold the authority over all of them. */
  domainOf: call(
    { core: optional(u32), id: u32, authority: cap('ProcessManager') },
    { domain: lentDomain },
  ),
  /** Wait until more domains have ended than `seen`; how many have. */
  awaitDeath: call({ seen: u32 }, { seen: u32 }),
  /** Which programs there are to start. */
  programs: call({}, { names: array(string(MAX_NAME_BYTES), 256) }),

  // Services and channels.
  /**
   * Whoever connects to `endpoint` is served from now on, as long as the caller lives: the service
   * reference by which others, on any core, can ask to be bound. @errors MON_ERR_TOO_MANY
   */
  export: call({ endpoint: cap('EndPointLMP') }, { iref: u32 }),
  /** Export no more. @errors MON_ERR_NO_SERVICE the caller has no such service */
  withdraw: call({ iref: u32 }, {}),
  /** Whose service it is. @errors MON_ERR_NO_SERVICE; MON_ERR_NO_CORE */
  serviceOwner: call({ iref: u32 }, { core: u32, id: u32 }),
  /** An endpoint to connect to. @errors MON_ERR_NO_SERVICE; MON_ERR_OTHER_CORE */
  bind: call({ iref: u32 }, { endpoint: lentEndpoint }),
  /**
   * A channel to a service of another core. Waits until the service has accepted.
   * @errors MON_ERR_NO_SERVICE, also: it refuses; MON_ERR_SAME_CORE; MON_ERR_NO_CORE;
   *   MON_ERR_NO_BELL; MON_ERR_TOO_MANY; INIT_ERR_QUOTA its memory is charged to the caller
   */
  bindAcross: call({ iref: u32 }, CHANNEL),
  /** Accept a channel that was announced to a listener. @errors MON_ERR_NO_CHANNEL, _NO_BELL */
  acceptAcross: call({ channel: u32 }, CHANNEL),
  /**
   * Send a capability that stands for no memory along with message `number` of a channel.
   * @errors MON_ERR_NO_CHANNEL; MON_ERR_CAPS it cannot go, which the other side hears, too
   */
  sendCap: call({ channel: u32, number: u32, cap: cap('Null') }, {}),
  /** Wait for the capability of message `number`. @errors MON_ERR_NO_CHANNEL; MON_ERR_CAPS */
  takeCap: call({ channel: u32, number: u32 }, { cap: gift('Null') }),
  /** The caller has closed its end, and unmapped the frame. @errors MON_ERR_NO_CHANNEL */
  closeAcross: call({ channel: u32 }, {}),
  /** Other cores notify the caller at `endpoint`. Once. @errors MON_ERR_NO_LINE */
  offerBell: call({ endpoint: cap('EndPointLMP') }, {}),
  /** The name service. Waits until there is one. */
  nameService: call({}, { iref: u32 }),
  /** The caller is the name service. @errors INIT_ERR_NOT_YOURS it is not */
  offerNameService: call({ iref: u32 }, {}),
  /** The caller answers questions about itself there: see `Inspector`. */
  offerInspector: call({ endpoint: cap('EndPointLMP') }, {}),
  inspectorOf: call({ domain }, { iref: u32 }),

  // Being on other cores.
  /**
   * Run a dispatcher of the caller on another core, in the caller's VSpace. `frame` is its
   * dispatcher frame, filled in. The caller is notified at its bell, and notifies the other
   * dispatcher by the one that it gets.
   * @errors MON_ERR_NO_CORE; MON_ERR_SAME_CORE; MON_ERR_NO_BELL; LIB_ERR_SPANNED; others of the
   *   core there, under RPC_ERR_REMOTE
   */
  span: call({ core: u32, frame: cap('Frame'), frameVaddr: u64 }, { bell: gift('Notify_IPI') }),
  /** End it. @errors LIB_ERR_NOT_SPANNED */
  unspan: call({ core: u32 }, {}),
  /** Wait until the caller is not on that core: it has left, or the core is no more. */
  awaitLeft: call({ core: u32 }, {}),
  /**
   * Have the pages from `va` on invalidated on all other cores of the caller; answered when all
   * have. `how` the word is spread: as the topology of the machine suggests, if left out.
   * @errors SYS_ERR_INVARGS_SYSCALL there are no such pages
   */
  shootDown: call(
    {
      va: u64,
      pageCount: u32,
      how: optional(oneOf(...SHOOT_DOWN_KINDS)),
    },
    {},
  ),

  // The machine.
  machine: call(
    {},
    {
      coreId: u32,
      coreCount: u32,
      runningCount: u32,
      frequency: u64,
      ramBytes: u64,
      scheduler: string(32),
    },
  ),
  /** What is known of each core; `why` one has failed. */
  cores: call({}, { cores: array(CORE_INFO, 64) }),
  /**
   * Start a core that is off, stop one with all its domains, or put another CPU driver on one while
   * it runs: for those who hold the authority over all domains. Waits until that is done.
   * @errors INIT_ERR_NOT_YOURS; MON_ERR_NO_CORE; MON_ERR_NOT_STARTER; MON_ERR_CORE_STATE;
   *   INIT_ERR_CORE over the reason
   */
  startCore: call(CORE_ORDER, {}),
  stopCore: call(CORE_ORDER, {}),
  /** `generation`: how often its driver has been replaced. */
  replaceCore: call(CORE_ORDER, { generation: u64 }),
  /** Wait until no core is being started any more: all run, are off or have failed. */
  awaitCores: call({}, {}),
  /** What this core, or another, says of itself. @errors MON_ERR_NO_CORE */
  coreStatus: call({ core: optional(u32) }, { status: CORE_STATUS }),
  /**
   * The ends, on this core or another, of channels between cores, from number `from` on. As many as
   * are listed at once: there may be more. @errors MON_ERR_NO_CORE
   */
  channels: call(
    { core: optional(u32), from: u32 },
    { channels: array(CHANNEL_INFO, MAX_LISTED_CHANNELS) },
  ),
  /** The counters of the CPU driver, in the order of spec `COUNTERS`. */
  counters: call({}, { values: array(u64, 64) }),
});

/** init, as a domain calls it. */
export type SystemClient = Client<(typeof System)['methods']>;

/**
 * Kernel-private structures: the kernel control block, which is everything a CPU driver knows, and
 * the dispatcher control block. A new CPU driver over the same KCB goes on where the old one was.
 */

import {
  asPtr,
  i64,
  inner,
  layout,
  type Paddr,
  type Ptr,
  u8,
  u32,
  u64,
  words,
} from '@barreleye/core';
import { Cte } from './cte.ts';
import type { DeathReason } from './death-report.ts';

export const KCB_BYTES = 131072;
export const DCB_BYTES = 1024;
/** Interrupt vectors of a core that can be connected to an endpoint. */
export const IRQ_VECTOR_COUNT = 224;
/** Marks a KCB that a CPU driver may adopt: "KCB1". */
export const KCB_MAGIC = 0x3142434b;

/**
 * The first bytes of a region of RAM that no capability covers. The first word is zero: to whoever
 * still has the address of a slot that was here, the slot is empty.
 */
export const FreeRam = layout('FreeRam', 24, {
  next: u64<Paddr>(8), // 0 for none
  bytes: u64(16), // of the region; whole pages
});

/** How a core shares its time. Chosen at boot. */
export const Scheduler = { RoundRobin: 0, Rbed: 1 } as const;
export type Scheduler = (typeof Scheduler)[keyof typeof Scheduler];

/** Schedulers by number, as menus and people name them. */
export const SCHEDULER_NAMES = ['rr', 'rbed'] as const;

/** What a dispatcher is to RBED. Source: Barrelfish `enum task_type`. */
export const TaskType = { BestEffort: 0, Soft: 1, Hard: 2 } as const;
export type TaskType = (typeof TaskType)[keyof typeof TaskType];

/** The queue of RBED that a real-time dispatcher is in. */
export const RtQueue = { None: 0, Ready: 1, Release: 2 } as const;
export type RtQueue = (typeof RtQueue)[keyof typeof RtQueue];

/** The whole of a processor, where shares of it are added: parts in a billion. */
export const FULL_SHARE = 1_000_000_000;
/** What real-time tasks can have of it together; the rest is best effort's. */
export const REAL_TIME_SHARE = 900_000_000;
/** Largest weight of a best-effort task; they all begin with 1. */
export const MAX_WEIGHT = 1000;

/** Kernel control block. Written by: the CPU driver of its core, nobody else. */
export const Kcb = layout('Kcb', KCB_BYTES, {
  magic: u32(0), // KCB_MAGIC
  coreId: u8(4),
  scheduler: u8<Scheduler>(5),
  // Mapping database: root of the tree, the two lists, counters that mint identities.
  mdbRoot: u32(8), // Cte / 64
  deleteHead: u32(12), // Cte / 64
  deleteTail: u32(16),
  clearHead: u32(20),
  nextId: u32(24), // of ID capabilities; the first is 1
  nextDomainId: u32(28),
  // Scheduling; `NO_DCB` for none.
  current: u64<Ptr<'Dcb'>>(32),
  ring: u64<Ptr<'Dcb'>>(40), // the run queue: its first, whose turn it is
  wakeup: u64<Ptr<'Dcb'>>(48), // head of the wake-up queue, sorted by time
  timeslice: u64(56), // cycles
  chargedUntil: u64(64), // the time up to which `payer` has paid, cycles
  // Counters, since the core started.
  kernelEntries: u64(72),
  systemCalls: u64(80),
  contextSwitches: u64(88),
  pageFaults: u64(96),
  interrupts: u64(104),
  lostMessages: u64(112), // notifications that found a full endpoint
  bootInfo: u64<Paddr>(120),
  freeRam: u64<Paddr>(128), // the first region that nobody has collected, 0 for none
  freeRamBytes: u64(136), // of all of them
  driverChanges: u64(144), // how often another CPU driver took over: the generation of this one
  invalidations: u64(152), // of translations, because another core has changed the tables
  // Address-space tags for the TLB: the last one given, and how often all were given anew.
  lastTag: u32(176),
  tagEpoch: u32(180),
  rootCn: inner(192, Cte), // root CNode of the first domain
  monitorEp: inner(256, Cte), // for reports of deaths
  scratch: inner(320, Cte), // a capability that is only asked about; empty between two entries
  // More of scheduling, up to the interrupts.
  payer: u64<Ptr<'Dcb'>>(384), // whose budget pays for the time that passes; perhaps not `current`
  waiting: u64<Ptr<'Dcb'>>(392), // the first in the ring who did not come back to a turn
  ringCount: u32(400), // how many are in the ring
  ringWeight: u32(404), // the sum of their weights
  // RBED. The ring as a whole is one of the tasks that deadlines are compared of.
  ready: u64<Ptr<'Dcb'>>(408), // jobs that can run, the earliest deadline first
  releases: u64<Ptr<'Dcb'>>(416), // tasks whose job is over, the earliest release first
  realTimeShare: u32(424), // of all tasks that were admitted; at most REAL_TIME_SHARE
  ringShare: u32(428), // of the ring
  ringBudget: i64(432), // what the ring has left until its deadline, cycles
  ringDeadline: u64(440), // cycles
  departure: u64(448), // the last deadline of the tasks that were admitted and are no more, cycles
  // Dispatchers that have died, and nobody knows yet; the earliest death first.
  deaths: u64<Ptr<'Dcb'>>(456),
  lastDeath: u64<Ptr<'Dcb'>>(464),
  irqEndpoint: inner(1024, Cte, IRQ_VECTOR_COUNT),
});

/** No dispatcher: the end of a list of DCBs, and who has the core while it is idle. */
export const NO_DCB = asPtr<'Dcb'>(0);

/**
 * What a dispatcher would do if it could. Only who is runnable, and not stopped (`Dcb.isStopped`),
 * is in the queues of the scheduler.
 */
export const DcbState = { New: 0, Runnable: 1, Blocked: 2, Dead: 3 } as const;
export type DcbState = (typeof DcbState)[keyof typeof DcbState];

/** Dispatcher control block. Written by: the CPU driver of its core. */
export const Dcb = layout('Dcb', DCB_BYTES, {
  // Where the dispatcher frame is; `frame` is the capability for it.
  frameBase: u64<Ptr<'DispatcherFrame'>>(0),
  frameVaddr: u64(8), // where user mode sees it
  vspaceRoot: u64<Paddr>(16),
  disabled: u8(24), // as of the last save: 1 resumes the disabled area, 0 takes an upcall
  state: u8<DcbState>(25),
  isQueued: u8(26), // in the ring
  isWaiting: u8(27), // in the wake-up queue
  faultsTaken: u32(28), // while disabled, since the last progress
  domainId: u32(32),
  taskType: u8<TaskType>(36),
  rtQueue: u8<RtQueue>(37),
  domainCore: u8(38), // the core that `domainId` is a number of
  isStopped: u8(39), // by `DispatcherCmd.Stop`: never runs, whatever its state
  // Run queue, a ring; wake-up queue, a list. `NO_DCB` for none.
  next: u64<Ptr<'Dcb'>>(40),
  prev: u64<Ptr<'Dcb'>>(48),
  wakeupTime: u64(56), // cycles
  wakeupNext: u64<Ptr<'Dcb'>>(64),
  wakeupPrev: u64<Ptr<'Dcb'>>(72),
  tag: u32(80), // address-space tag for the TLB, given in the epoch `tagEpoch`
  weight: u32(84), // 0 counts as 1
  budget: i64(88), // what is left of its turn or job, cycles; overdrawn until the time is charged
  tagEpoch: u32(120), // 0: it never had the core
  cspace: inner(128, Cte),
  vspace: inner(192, Cte),
  frame: inner(256, Cte),
  // Real-time tasks; cycles.
  wcet: u64(320), // of a job
  period: u64(328),
  relativeDeadline: u64(336), // of a job, after its release
  release: u64(344), // of the next job
  deadline: u64(352), // of the present job
  rtNext: u64<Ptr<'Dcb'>>(360),
  rtPrev: u64<Ptr<'Dcb'>>(368),
  // How it died, until that is reported. The list of the KCB; `NO_DCB` for none.
  deathNext: u64<Ptr<'Dcb'>>(376),
  deathPrev: u64<Ptr<'Dcb'>>(384),
  isDeathDue: u8(392), // in the list
  deathReason: u8<DeathReason>(393),
  deathAccess: u8(394), // `Access` of the fault
  deathCode: u32(396),
  deathAddress: words(400, 2), // of the fault; any number of 64 bits, low and high
  deathPc: words(408, 2),
});

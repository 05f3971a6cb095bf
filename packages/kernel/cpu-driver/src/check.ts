/**
 * The invariants of a core as code, for tests and `explore`: it walks everything. Every line that
 * comes back starts with the number of the invariant that is broken and says where.
 *
 * Here: I11 endpoint buffers, I48 what dispatchers stand on, I65 the queues, I67 shares.
 * Capabilities are checked by `checkCaps`, page tables in check-tables.ts, steps by `EntryChecker`.
 */

import {
  checkCaps,
  checkFreeRam,
  eachCap,
  isEmpty,
  MDB_INVARIANTS,
  type Slot,
} from '@barreleye/caps';
import { asPtr, hex, type Ptr } from '@barreleye/core';
import {
  Cte,
  Dcb,
  DcbState,
  isEndpointBuffer,
  Kcb,
  NO_DCB,
  ObjType,
  REAL_TIME_SHARE,
  RtQueue,
} from '@barreleye/spec';
import { checkTables } from './check-tables.ts';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { admittedShare } from './task.ts';

/** Invariants that `checkInvariants` looks at. */
export const KERNEL_INVARIANTS: readonly string[] = [
  ...MDB_INVARIANTS,
  ...['I11', 'I48', 'I65', 'I67'], // here
  ...['I19', 'I21'], // caps/check-free-ram.ts
  ...['I44', 'I45', 'I49', 'I51'], // check-tables.ts
  ...['I16', 'I18', 'I46'], // check-pages.ts
];

/** Violated invariants of this core; empty when all is well. For the time between two entries. */
export function checkInvariants(k: Kernel): string[] {
  const problems = checkCaps(k.caps);
  // With a broken database the rest would only repeat it.
  if (problems.length > 0) return problems;
  const dispatchers = new Set<Ptr<'Dcb'>>();
  for (const slot of eachCap(k.caps)) {
    const type = Cte.type.get(k.mem, slot);
    if (type === ObjType.Dispatcher) dispatchers.add(asPtr<'Dcb'>(Cte.base.get(k.mem, slot)));
    if (type === ObjType.EndPointLMP) checkEndpoint(k, slot, problems);
  }
  for (const dcb of dispatchers) checkDispatcher(k, dcb, problems);
  checkRunQueue(k, dispatchers, problems);
  checkWakeups(k, dispatchers, problems);
  checkRealTime(k, dispatchers, problems);
  checkDeaths(k, dispatchers, problems);
  checkTables(k, problems);
  checkFreeRam(k.caps, problems);
  return problems;
}

/** A buffer lies behind the shared part of its dispatcher's present frame, if there is one. */
function checkEndpoint(k: Kernel, slot: Slot, problems: string[]): void {
  const { mem } = k;
  const ringWords = Cte.arg1.get(mem, slot);
  const frame = Dcb.frame.at(Cte.base.get(mem, slot));
  if (ringWords === 0 || Cte.type.get(mem, frame) === ObjType.Null) return;
  if (isEndpointBuffer(Cte.bytes.get(mem, frame), Cte.arg0.get(mem, slot), ringWords)) return;
  problems.push(`I11 the buffer of the endpoint in ${hex(slot)} lies outside its frame`);
}

/** Whoever could run holds capabilities for what it stands on (T14, T15). */
function checkDispatcher(k: Kernel, dcb: Ptr<'Dcb'>, problems: string[]): void {
  const { mem } = k;
  const state = Dcb.state.get(mem, dcb);
  const isStarted = state === DcbState.Runnable || state === DcbState.Blocked;
  const holds = (slot: Slot, base: number): boolean =>
    !isEmpty(mem, slot) && Cte.base.get(mem, slot) === base;
  if (isStarted && isEmpty(mem, Dcb.cspace.at(dcb))) {
    problems.push(`I48 dispatcher ${hex(dcb)} has no CSpace, but could run`);
  }
  if (isStarted && !holds(Dcb.vspace.at(dcb), Dcb.vspaceRoot.get(mem, dcb))) {
    problems.push(`I48 dispatcher ${hex(dcb)} does not hold the page tables that it would use`);
  }
  if (isStarted && !holds(Dcb.frame.at(dcb), Dcb.frameBase.get(mem, dcb))) {
    problems.push(`I48 dispatcher ${hex(dcb)} does not hold the frame that it would use`);
  }
  const isQueued = Dcb.isQueued.get(mem, dcb) === 1 || Dcb.rtQueue.get(mem, dcb) !== RtQueue.None;
  const isStopped = Dcb.isStopped.get(mem, dcb) === 1;
  if (isQueued && isStopped) problems.push(`I65 dispatcher ${hex(dcb)} is stopped, but queued`);
  if (!isStopped && isQueued !== (state === DcbState.Runnable)) {
    problems.push(`I65 dispatcher ${hex(dcb)} is runnable but not queued, or the reverse`);
  }
  if (Dcb.isWaiting.get(mem, dcb) === 1 && state !== DcbState.Blocked) {
    problems.push(`I65 dispatcher ${hex(dcb)} waits for a time, but is not blocked`);
  }
}

/** The ring is closed both ways, holds exactly those that say so, and who has the core is in it. */
function checkRunQueue(k: Kernel, all: ReadonlySet<Ptr<'Dcb'>>, problems: string[]): void {
  const { mem } = k;
  const queued = new Set<Ptr<'Dcb'>>();
  const first = Kcb.ring.get(mem, k.kcb);
  const waiting = Kcb.waiting.get(mem, k.kcb);
  for (let dcb = first; dcb !== NO_DCB && !queued.has(dcb); ) {
    queued.add(dcb);
    const isBehind = queued.has(waiting) && dcb !== waiting;
    if (isBehind && Dcb.budget.get(mem, dcb) > 0) {
      problems.push(`I65 dispatcher ${hex(dcb)} waits, but has a turn already`);
    }
    const next = Dcb.next.get(mem, dcb);
    if (!all.has(next) || Dcb.prev.get(mem, next) !== dcb) {
      problems.push(`I65 the run queue is broken behind ${hex(dcb)}`);
      return;
    }
    if (queued.has(next) && next !== first) {
      problems.push(`I65 the run queue does not come back to ${hex(first)}`);
      return;
    }
    dcb = next;
  }
  for (const dcb of all) {
    if (queued.has(dcb) === (Dcb.isQueued.get(mem, dcb) === 1)) continue;
    problems.push(`I65 dispatcher ${hex(dcb)} is not where it says it is`);
  }
  const current = currentDcb(k);
  if (current !== NO_DCB && Dcb.state.get(mem, current) !== DcbState.Runnable) {
    problems.push(`I65 dispatcher ${hex(current)} has the core, but is not in the run queue`);
  }
  if (current !== NO_DCB && Dcb.isStopped.get(mem, current) === 1) {
    problems.push(`I65 dispatcher ${hex(current)} has the core, but is stopped`);
  }
  const canRun = queued.size > 0 || Kcb.ready.get(mem, k.kcb) !== NO_DCB;
  if (current === NO_DCB && canRun) problems.push('I65 the core idles, but somebody can run');
}

/** The wake-up queue is sorted, linked both ways, and holds exactly those that say so. */
function checkWakeups(k: Kernel, all: ReadonlySet<Ptr<'Dcb'>>, problems: string[]): void {
  const { mem } = k;
  const waiting = new Set<Ptr<'Dcb'>>();
  let prev = NO_DCB;
  for (let dcb = Kcb.wakeup.get(mem, k.kcb); dcb !== NO_DCB; ) {
    const isEarly = prev !== NO_DCB && Dcb.wakeupTime.get(mem, dcb) < Dcb.wakeupTime.get(mem, prev);
    const isLinked = all.has(dcb) && !waiting.has(dcb) && Dcb.wakeupPrev.get(mem, dcb) === prev;
    if (isEarly || !isLinked) {
      problems.push(`I65 the wake-up queue is broken at ${hex(dcb)}`);
      return;
    }
    waiting.add(dcb);
    prev = dcb;
    dcb = Dcb.wakeupNext.get(mem, dcb);
  }
  for (const dcb of all) {
    if (waiting.has(dcb) === (Dcb.isWaiting.get(mem, dcb) === 1)) continue;
    problems.push(`I65 dispatcher ${hex(dcb)} does not sleep where it says it does`);
  }
}

/** The list of deaths is linked both ways and holds exactly those that say so, all of them dead. */
function checkDeaths(k: Kernel, all: ReadonlySet<Ptr<'Dcb'>>, problems: string[]): void {
  const { mem, kcb } = k;
  const due = new Set<Ptr<'Dcb'>>();
  let prev = NO_DCB;
  for (let dcb = Kcb.deaths.get(mem, kcb); dcb !== NO_DCB; dcb = Dcb.deathNext.get(mem, dcb)) {
    const isHere = all.has(dcb) && !due.has(dcb) && Dcb.deathPrev.get(mem, dcb) === prev;
    if (!isHere || Dcb.state.get(mem, dcb) !== DcbState.Dead) {
      problems.push(`I65 the list of deaths is broken at ${hex(dcb)}`);
      return;
    }
    due.add(dcb);
    prev = dcb;
  }
  if (Kcb.lastDeath.get(mem, kcb) !== prev) {
    problems.push(`I65 the list of deaths does not end with ${hex(prev)}`);
  }
  for (const dcb of all) {
    if (due.has(dcb) === (Dcb.isDeathDue.get(mem, dcb) === 1)) continue;
    problems.push(`I65 the death of dispatcher ${hex(dcb)} is not in the list that it names`);
  }
}

/** The queues of RBED are sorted and hold exactly those that say so; shares add up. */
function checkRealTime(k: Kernel, all: ReadonlySet<Ptr<'Dcb'>>, problems: string[]): void {
  const { mem, kcb } = k;
  const queued = new Set<Ptr<'Dcb'>>();
  const queues = [
    [RtQueue.Ready, Kcb.ready, Dcb.deadline],
    [RtQueue.Release, Kcb.releases, Dcb.release],
  ] as const;
  for (const [queue, head, time] of queues) {
    let prev: Ptr<'Dcb'> = NO_DCB;
    for (let dcb = head.get(mem, kcb); dcb !== NO_DCB; dcb = Dcb.rtNext.get(mem, dcb)) {
      const isEarly = prev !== NO_DCB && time.get(mem, dcb) < time.get(mem, prev);
      const isHere = all.has(dcb) && !queued.has(dcb) && Dcb.rtQueue.get(mem, dcb) === queue;
      if (isEarly || !isHere || Dcb.rtPrev.get(mem, dcb) !== prev) {
        problems.push(`I65 a queue of real-time tasks is broken at ${hex(dcb)}`);
        return;
      }
      queued.add(dcb);
      prev = dcb;
    }
  }
  let share = 0;
  for (const dcb of all) {
    share += admittedShare(k, dcb);
    if (queued.has(dcb) === (Dcb.rtQueue.get(mem, dcb) !== RtQueue.None)) continue;
    problems.push(`I65 dispatcher ${hex(dcb)} is not in the real-time queue that it names`);
  }
  const admitted = Kcb.realTimeShare.get(mem, kcb);
  if (share !== admitted || share > REAL_TIME_SHARE) {
    problems.push(`I67 real-time tasks have ${share} of the core, admitted are ${admitted}`);
  }
}

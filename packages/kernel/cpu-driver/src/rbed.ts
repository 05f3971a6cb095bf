/**
 * Rate-based earliest deadline first. Real-time dispatchers have jobs with a budget and a deadline;
 * the ring of all the others is one more task, whose jobs are one time slice long. Of all that have
 * budget left, the earliest deadline runs; when none has, the ring runs in what is left over.
 *
 * Nobody gets more than its budget while others want the processor, and no demand for it is
 * greater than its share: who blocks and comes back has at most its share of the time to its
 * deadline, who overruns a job waits for its next release. So deadlines hold as long as the shares
 * are at most the whole, whatever others do. A soft task that overruns goes on in the ring.
 *
 * Source: Barrelfish kernel/schedule_rbed.c; Brandt et al., Dynamic Integrated Scheduling of Hard
 * Real-Time, Soft Real-Time and Non-Real-Time Processes, RTSS 2003; Abeni and Buttazzo, Integrating
 * Multimedia Applications in Hard Real-Time Systems, RTSS 1998. @differs best effort shares one
 * budget, soft tasks exist, an overrun is no panic (T37)
 */

import type { Ptr } from '@barreleye/core';
import { Dcb, DcbState, FULL_SHARE, Kcb, NO_DCB, RtQueue, TaskType } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { endRingTurn, enterRing, leaveRing, takeTurn } from './ring.ts';
import { scale } from './share.ts';
import { insertSorted, removeSorted, type SortedList } from './sorted-list.ts';

const links = { next: Dcb.rtNext, prev: Dcb.rtPrev };
/** Jobs that can run; all of them have budget left. */
const READY: SortedList = { ...links, head: Kcb.ready, time: Dcb.deadline };
/** Runnable tasks whose job is over. */
const RELEASES: SortedList = { ...links, head: Kcb.releases, time: Dcb.release };

/** A dispatcher becomes runnable. */
export function enterRbed(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  const now = k.hal.now();
  // Who runs may have to make room for it.
  const isFirst = Kcb.ring.get(mem, kcb) === NO_DCB;
  if (isFirst || Dcb.taskType.get(mem, dcb) !== TaskType.BestEffort) k.hal.setTimer(now);
  if (Dcb.taskType.get(mem, dcb) === TaskType.BestEffort) {
    joinRing(k, dcb, now);
    return;
  }
  const deadline = Dcb.deadline.get(mem, dcb);
  if (Dcb.release.get(mem, dcb) <= now) {
    startJob(k, dcb, now);
  } else if (now >= deadline) {
    drop(k, dcb);
  } else if (Kcb.payer.get(mem, kcb) !== dcb) {
    // It has not paid for the time that it was away.
    const relative = Dcb.relativeDeadline.get(mem, dcb);
    const most = scale(Math.min(deadline - now, relative), Dcb.wcet.get(mem, dcb), relative);
    Dcb.budget.set(mem, dcb, Math.min(most, Dcb.budget.get(mem, dcb)));
  }
  enqueueJob(k, dcb, now);
}

/** A dispatcher is no longer runnable. */
export function leaveRbed(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  if (Dcb.isQueued.get(mem, dcb) === 1) leaveRing(k, dcb);
  if (Dcb.taskType.get(mem, dcb) === TaskType.BestEffort) return;
  if (Dcb.rtQueue.get(mem, dcb) === RtQueue.Release) drop(k, dcb);
  dequeueJob(k, dcb);
}

/** Who runs; it, or who gave it the core, is made the payer. */
export function scheduleRbed(k: Kernel): Ptr<'Dcb'> {
  const { mem, kcb } = k;
  const now = k.hal.now();
  endOverrun(k, now);
  releaseJobs(k, now);
  refillRing(k, now);
  const first = Kcb.ready.get(mem, kcb);
  const donor = donorOf(k, first);
  const job = donor === NO_DCB ? first : donor;
  if (isTurnOfRing(k, job)) {
    const next = takeTurn(k);
    Kcb.payer.set(mem, kcb, next);
    return next;
  }
  Kcb.payer.set(mem, kcb, job);
  return donor === NO_DCB ? job : currentDcb(k);
}

/** Charge the ring for `used` cycles of its payer. */
export function chargeRing(k: Kernel, payer: Ptr<'Dcb'>, used: number): void {
  const { mem, kcb } = k;
  const budget = Kcb.ringBudget.get(mem, kcb);
  if (budget <= 0 || !isPaidByRing(k, payer)) return;
  // Where nobody waits, it takes what is left over.
  const isAlone = Kcb.ready.get(mem, kcb) === NO_DCB;
  Kcb.ringBudget.set(mem, kcb, isAlone ? Math.max(0, budget - used) : budget - used);
}

/** When to schedule again though nothing happens, `turnEnd` being the end of the payer's budget. */
export function preemptionTimeRbed(k: Kernel, turnEnd: number): number {
  const { mem, kcb } = k;
  const payer = Kcb.payer.get(mem, kcb);
  const sleeper = Kcb.releases.get(mem, kcb);
  let time = sleeper === NO_DCB ? turnEnd : Math.min(turnEnd, Dcb.release.get(mem, sleeper));
  const isShared = Kcb.realTimeShare.get(mem, kcb) > 0 && Kcb.ring.get(mem, kcb) !== NO_DCB;
  if (!isShared || payer === NO_DCB) return time;
  time = Math.min(time, Kcb.ringDeadline.get(mem, kcb));
  if (!isPaidByRing(k, payer) || Kcb.ready.get(mem, kcb) === NO_DCB) return time;
  return Math.min(time, Kcb.chargedUntil.get(mem, kcb) + Kcb.ringBudget.get(mem, kcb));
}

/** `dcb` gives up the rest of its turn, or has finished its job. */
export function endTurnRbed(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  if (Kcb.payer.get(mem, kcb) !== dcb) Kcb.payer.set(mem, kcb, NO_DCB); // a gift is over
  if (Dcb.isQueued.get(mem, dcb) === 1) {
    endRingTurn(k, dcb);
  } else if (Dcb.rtQueue.get(mem, dcb) === RtQueue.Ready) {
    dequeueJob(k, dcb);
    drop(k, dcb);
    enqueue(k, dcb, RtQueue.Release);
  }
}

/** The share of the ring is what real-time tasks leave, once those that are gone do leave it. */
export function shareRing(k: Kernel, now: number): void {
  const { mem, kcb } = k;
  const left = FULL_SHARE - Kcb.realTimeShare.get(mem, kcb);
  const share = Kcb.ringShare.get(mem, kcb);
  const isFree = now >= Kcb.departure.get(mem, kcb);
  Kcb.ringShare.set(mem, kcb, isFree ? left : Math.min(left, share));
  const rest = Math.max(0, Kcb.ringDeadline.get(mem, kcb) - now);
  const most = scale(rest, Kcb.ringShare.get(mem, kcb), FULL_SHARE);
  Kcb.ringBudget.set(mem, kcb, Math.min(most, Kcb.ringBudget.get(mem, kcb)));
}

function joinRing(k: Kernel, dcb: Ptr<'Dcb'>, now: number): void {
  if (Kcb.ring.get(k.mem, k.kcb) === NO_DCB) shareRing(k, now);
  enterRing(k, dcb);
}

/** The ring gets a budget of one slice of its share when the last one's deadline is over. */
function refillRing(k: Kernel, now: number): void {
  const { mem, kcb } = k;
  if (now < Kcb.ringDeadline.get(mem, kcb) || Kcb.ring.get(mem, kcb) === NO_DCB) return;
  const slice = Kcb.timeslice.get(mem, kcb);
  const owed = Math.min(0, Kcb.ringBudget.get(mem, kcb));
  shareRing(k, now);
  Kcb.ringBudget.set(mem, kcb, owed + scale(slice, Kcb.ringShare.get(mem, kcb), FULL_SHARE));
  Kcb.ringDeadline.set(mem, kcb, now + slice);
}

/** Whether the ring runs before `job`, which may be nobody. */
function isTurnOfRing(k: Kernel, job: Ptr<'Dcb'>): boolean {
  const { mem, kcb } = k;
  if (Kcb.ring.get(mem, kcb) === NO_DCB) return false;
  if (job === NO_DCB) return true;
  const isEarlier = Kcb.ringDeadline.get(mem, kcb) < Dcb.deadline.get(mem, job);
  return isEarlier && Kcb.ringBudget.get(mem, kcb) > 0;
}

/** Whether the time of `payer` is the ring's as well. */
function isPaidByRing(k: Kernel, payer: Ptr<'Dcb'>): boolean {
  const isBestEffort = Dcb.taskType.get(k.mem, payer) === TaskType.BestEffort;
  return isBestEffort || Dcb.isQueued.get(k.mem, payer) === 1;
}

/** The payer, if its job has given the core to somebody who is still to have it; else nobody. */
function donorOf(k: Kernel, first: Ptr<'Dcb'>): Ptr<'Dcb'> {
  const { mem, kcb } = k;
  const payer = Kcb.payer.get(mem, kcb);
  const current = currentDcb(k);
  if (payer === NO_DCB || current === NO_DCB || payer === current) return NO_DCB;
  if (isPaidByRing(k, payer) || Dcb.state.get(mem, current) !== DcbState.Runnable) return NO_DCB;
  if (Dcb.rtQueue.get(mem, payer) === RtQueue.Release) return NO_DCB;
  if (first === NO_DCB || first === payer) return Dcb.budget.get(mem, payer) > 0 ? payer : NO_DCB;
  const isEarlier = Dcb.deadline.get(mem, payer) <= Dcb.deadline.get(mem, first);
  return isEarlier && Dcb.budget.get(mem, payer) > 0 ? payer : NO_DCB;
}

/** If the payer has used up its turn or its job, that is over. */
function endOverrun(k: Kernel, now: number): void {
  const { mem, kcb } = k;
  const payer = Kcb.payer.get(mem, kcb);
  if (payer === NO_DCB || Dcb.budget.get(mem, payer) > 0) return;
  if (Dcb.isQueued.get(mem, payer) === 1) {
    endRingTurn(k, payer);
  } else if (Dcb.rtQueue.get(mem, payer) === RtQueue.Ready) {
    dequeueJob(k, payer);
    enqueueJob(k, payer, now);
  }
}

/** Start the jobs whose time has come. */
function releaseJobs(k: Kernel, now: number): void {
  const { mem, kcb } = k;
  for (;;) {
    const dcb = Kcb.releases.get(mem, kcb);
    if (dcb === NO_DCB) return;
    const release = Dcb.release.get(mem, dcb);
    if (release > now) return;
    dequeueJob(k, dcb);
    if (Dcb.isQueued.get(mem, dcb) === 1) {
      leaveRing(k, dcb);
      Dcb.budget.set(mem, dcb, 0);
    }
    startJob(k, dcb, now < release + Dcb.period.get(mem, dcb) ? release : now);
    enqueueJob(k, dcb, now);
  }
}

/** A new job; what the last one took too much is missing in it. */
function startJob(k: Kernel, dcb: Ptr<'Dcb'>, release: number): void {
  const { mem } = k;
  Dcb.deadline.set(mem, dcb, release + Dcb.relativeDeadline.get(mem, dcb));
  Dcb.release.set(mem, dcb, release + Dcb.period.get(mem, dcb));
  const owed = Math.min(0, Dcb.budget.get(mem, dcb));
  Dcb.budget.set(mem, dcb, owed + Dcb.wcet.get(mem, dcb));
}

/** The job of `dcb` can run, or if it has no budget, must wait for the next one. */
function enqueueJob(k: Kernel, dcb: Ptr<'Dcb'>, now: number): void {
  const { mem } = k;
  if (Dcb.budget.get(mem, dcb) > 0) {
    enqueue(k, dcb, RtQueue.Ready);
    return;
  }
  enqueue(k, dcb, RtQueue.Release);
  if (Dcb.taskType.get(mem, dcb) === TaskType.Soft) joinRing(k, dcb, now);
}

function enqueue(k: Kernel, dcb: Ptr<'Dcb'>, queue: RtQueue): void {
  Dcb.rtQueue.set(k.mem, dcb, queue);
  insertSorted(k, queue === RtQueue.Ready ? READY : RELEASES, dcb);
}

function dequeueJob(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const queue = Dcb.rtQueue.get(k.mem, dcb);
  if (queue === RtQueue.None) return;
  removeSorted(k, queue === RtQueue.Ready ? READY : RELEASES, dcb);
  Dcb.rtQueue.set(k.mem, dcb, RtQueue.None);
}

/** Nothing is left of the budget of `dcb`; what it owes stays. */
function drop(k: Kernel, dcb: Ptr<'Dcb'>): void {
  Dcb.budget.set(k.mem, dcb, Math.min(0, Dcb.budget.get(k.mem, dcb)));
}

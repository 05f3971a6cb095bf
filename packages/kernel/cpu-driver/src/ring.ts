/**
 * The ring of dispatchers that take turns, linked through their DCBs; `Kcb.ring` is the first,
 * whose turn it is. A turn is a budget of processor time; it is granted to whoever has waited until
 * it is the first, and whoever has used it up goes behind all the others. Whoever blocks keeps the
 * rest, and comes back with it before those that wait (`Kcb.waiting` and behind), in the order of
 * coming back. So between two turns of anybody each of the others has at most one: nobody starves.
 */

import type { Ptr } from '@barreleye/core';
import { Dcb, FULL_SHARE, Kcb, NO_DCB } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** The dispatcher whose turn it is, with a budget for it; `NO_DCB` when there is none. */
export function takeTurn(k: Kernel): Ptr<'Dcb'> {
  const { mem } = k;
  const first = firstOfRing(k);
  if (first === NO_DCB) return first;
  const owed = Dcb.budget.get(mem, first);
  // What was used beyond the last turn is missing in this one.
  if (owed <= 0) Dcb.budget.set(mem, first, Math.max(1, owed + turnOf(k, first)));
  return first;
}

/**
 * Cycles of a turn: turns are proportional to weights, and a round takes as many time slices as
 * there are dispatchers in the ring, the time of real-time tasks included.
 * @source Barrelfish kernel/schedule_rbed.c: the `wcet` of best-effort tasks
 */
function turnOf(k: Kernel, dcb: Ptr<'Dcb'>): number {
  const { mem, kcb } = k;
  const round = Kcb.ringCount.get(mem, kcb) * Kcb.timeslice.get(mem, kcb);
  const own = Math.floor((round * weightOf(k, dcb)) / Kcb.ringWeight.get(mem, kcb));
  return Math.floor(own * (1 - Kcb.realTimeShare.get(mem, kcb) / FULL_SHARE));
}

/**
 * Let `dcb`, which is not in the ring, take turns: before the others if it has something left of
 * its last turn, else behind them.
 */
export function enterRing(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  const first = firstOfRing(k);
  const waiting = Kcb.waiting.get(mem, kcb);
  const returns = Dcb.budget.get(mem, dcb) > 0;
  const next = returns && waiting !== NO_DCB ? waiting : first;
  if (next === NO_DCB) {
    Dcb.next.set(mem, dcb, dcb);
    Dcb.prev.set(mem, dcb, dcb);
  } else {
    insertBefore(k, dcb, next);
  }
  Dcb.isQueued.set(mem, dcb, 1);
  countMember(k, 1, weightOf(k, dcb));
  if (first === NO_DCB || (returns && waiting === first)) Kcb.ring.set(mem, kcb, dcb);
  if (!returns && waiting === NO_DCB) Kcb.waiting.set(mem, kcb, dcb);
}

/** Take `dcb` out of the ring. It keeps what is left of its turn. */
export function leaveRing(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  const next = Dcb.next.get(mem, dcb);
  const prev = Dcb.prev.get(mem, dcb);
  const first = firstOfRing(k);
  Dcb.next.set(mem, prev, next);
  Dcb.prev.set(mem, next, prev);
  if (Kcb.waiting.get(mem, kcb) === dcb) {
    Kcb.waiting.set(mem, kcb, next === first ? NO_DCB : next);
  }
  if (first === dcb) Kcb.ring.set(mem, kcb, next === dcb ? NO_DCB : next);
  Dcb.next.set(mem, dcb, NO_DCB);
  Dcb.prev.set(mem, dcb, NO_DCB);
  Dcb.isQueued.set(mem, dcb, 0);
  countMember(k, -1, -weightOf(k, dcb));
}

/** The turn of `dcb`, which is in the ring, is over: it goes behind all the others. */
export function endRingTurn(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  leaveRing(k, dcb);
  if (Dcb.budget.get(mem, dcb) > 0) Dcb.budget.set(mem, dcb, 0);
  enterRing(k, dcb);
}

function weightOf(k: Kernel, dcb: Ptr<'Dcb'>): number {
  return Math.max(1, Dcb.weight.get(k.mem, dcb));
}

function countMember(k: Kernel, count: number, weight: number): void {
  const { mem, kcb } = k;
  Kcb.ringCount.set(mem, kcb, Kcb.ringCount.get(mem, kcb) + count);
  Kcb.ringWeight.set(mem, kcb, Kcb.ringWeight.get(mem, kcb) + weight);
}

function firstOfRing(k: Kernel): Ptr<'Dcb'> {
  return Kcb.ring.get(k.mem, k.kcb);
}

function insertBefore(k: Kernel, dcb: Ptr<'Dcb'>, next: Ptr<'Dcb'>): void {
  const { mem } = k;
  const prev = Dcb.prev.get(mem, next);
  Dcb.next.set(mem, dcb, next);
  Dcb.prev.set(mem, dcb, prev);
  Dcb.next.set(mem, prev, dcb);
  Dcb.prev.set(mem, next, dcb);
}

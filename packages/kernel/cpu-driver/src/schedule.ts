/**
 * The scheduler: who gets the core, for how long, and who pays. All of it is memory; these are
 * functions over it. `Kcb.scheduler` says which one: round robin is the ring alone.
 *
 * The dispatcher that `schedule` chooses pays for all the time until the next choice, also when it
 * hands the core on: what it gives away is its own.
 */

import { assert, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb, NO_DCB, Scheduler } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import {
  chargeRing,
  endTurnRbed,
  enterRbed,
  leaveRbed,
  preemptionTimeRbed,
  scheduleRbed,
} from './rbed.ts';
import { endRingTurn, enterRing, leaveRing, takeTurn } from './ring.ts';

/** Let the scheduler consider a dispatcher, if stopped once it is resumed; nothing if it does. */
export function makeRunnable(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  const state = Dcb.state.get(mem, dcb);
  assert(state !== DcbState.Dead, 'a dead dispatcher cannot run');
  if (state === DcbState.Runnable) return;
  Dcb.state.set(mem, dcb, DcbState.Runnable);
  if (Dcb.isStopped.get(mem, dcb) === 0) enterQueue(k, dcb);
}

/** Let the scheduler pass over a dispatcher; nothing if it does. */
export function removeFromQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  if (Dcb.state.get(mem, dcb) !== DcbState.Runnable) return;
  Dcb.state.set(mem, dcb, DcbState.Blocked);
  if (Dcb.isStopped.get(mem, dcb) === 0) leaveQueue(k, dcb);
}

/**
 * Let the scheduler pass over a dispatcher until `resumeRunning`, whatever makes it runnable;
 * nothing if it does. It is as one that blocks: it keeps what is left of its turn, and a real-time
 * task keeps the share that it was admitted with, so that it needs no second admission.
 */
export function stopRunning(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  if (Dcb.isStopped.get(mem, dcb) === 1) return;
  Dcb.isStopped.set(mem, dcb, 1);
  if (Dcb.state.get(mem, dcb) !== DcbState.Runnable) return;
  charge(k); // while it is still in the queues that pay
  leaveQueue(k, dcb);
}

/** The opposite of `stopRunning`; nothing if that was not called. */
export function resumeRunning(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  if (Dcb.isStopped.get(mem, dcb) === 0) return;
  Dcb.isStopped.set(mem, dcb, 0);
  if (Dcb.state.get(mem, dcb) === DcbState.Runnable) enterQueue(k, dcb);
}

/** Who runs now, `NO_DCB` when nobody can. */
export function schedule(k: Kernel): Ptr<'Dcb'> {
  const { mem, kcb } = k;
  charge(k);
  if (isRbed(k)) return scheduleRbed(k);
  const payer = Kcb.payer.get(mem, kcb);
  const isOver = payer !== NO_DCB && Dcb.budget.get(mem, payer) <= 0;
  if (isOver && Dcb.isQueued.get(mem, payer) === 1) endRingTurn(k, payer);
  const next = takeTurn(k);
  Kcb.payer.set(mem, kcb, next);
  return next;
}

/** When `schedule` wants to be asked again if nothing happens before; cycles. */
export function preemptionTime(k: Kernel): number {
  const { mem, kcb } = k;
  const payer = Kcb.payer.get(mem, kcb);
  let left = Number.POSITIVE_INFINITY;
  if (payer !== NO_DCB) left = Dcb.budget.get(mem, payer);
  // Who was given the core by one that is no more has it at nobody's cost: at once, then.
  else if (currentDcb(k) !== NO_DCB) left = 0;
  const turnEnd = Kcb.chargedUntil.get(mem, kcb) + left;
  return isRbed(k) ? preemptionTimeRbed(k, turnEnd) : turnEnd;
}

/** `dcb`, which has the core and is runnable, gives up the rest of its turn. */
export function endTurn(k: Kernel, dcb: Ptr<'Dcb'>): void {
  charge(k);
  if (isRbed(k)) endTurnRbed(k, dcb);
  else endRingTurn(k, dcb);
}

/** Let the payer pay for the time since it last did. */
export function charge(k: Kernel): void {
  const { mem, kcb } = k;
  const now = k.hal.now();
  const payer = Kcb.payer.get(mem, kcb);
  if (payer !== NO_DCB) {
    const used = now - Kcb.chargedUntil.get(mem, kcb);
    Dcb.budget.set(mem, payer, Dcb.budget.get(mem, payer) - used);
    if (isRbed(k)) chargeRing(k, payer, used);
  }
  Kcb.chargedUntil.set(mem, kcb, now);
}

function enterQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  charge(k); // what anybody has left depends on who could have run
  if (isRbed(k)) enterRbed(k, dcb);
  else enterRing(k, dcb);
}

function leaveQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  if (isRbed(k)) leaveRbed(k, dcb);
  else leaveRing(k, dcb);
}

function isRbed({ mem, kcb }: Kernel): boolean {
  return Kcb.scheduler.get(mem, kcb) === Scheduler.Rbed;
}

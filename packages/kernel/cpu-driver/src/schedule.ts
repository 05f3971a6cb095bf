/**
 * The scheduler: who gets the core, for how long, and who pays. All of it is memory; these are
 * functions over it. `Kcb.scheduler` says which one: round robin is the ring alone.
 *
 * The dispatcher that `schedule` chooses pays for all the time until the next choice, also when it
 * hands the core on: what it gives away is its own.
 */

import { assert, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb, NO_DCB, Scheduler } from '@barreleye/spec';
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

/** Let the scheduler consider a dispatcher; nothing if it does. */
export function makeRunnable(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  const state = Dcb.state.get(mem, dcb);
  assert(state !== DcbState.Dead, 'a dead dispatcher cannot run');
  if (state === DcbState.Runnable) return;
  Dcb.state.set(mem, dcb, DcbState.Runnable);
  charge(k); // what anybody has left depends on who could have run
  if (isRbed(k)) enterRbed(k, dcb);
  else enterRing(k, dcb);
}

/** Let the scheduler pass over a dispatcher; nothing if it does. */
export function removeFromQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  if (Dcb.state.get(k.mem, dcb) !== DcbState.Runnable) return;
  Dcb.state.set(k.mem, dcb, DcbState.Blocked);
  if (isRbed(k)) leaveRbed(k, dcb);
  else leaveRing(k, dcb);
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
  const turnEnd =
    payer === NO_DCB
      ? Number.POSITIVE_INFINITY
      : Kcb.chargedUntil.get(mem, kcb) + Dcb.budget.get(mem, payer);
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

function isRbed({ mem, kcb }: Kernel): boolean {
  return Kcb.scheduler.get(mem, kcb) === Scheduler.Rbed;
}

/**
 * The scheduler: who gets the core, for how long, and who pays. All of it is memory; these are
 * functions over it.
 *
 * The dispatcher that `schedule` chooses pays for all the time until the next choice, also when it
 * hands the core on: what it gives away is its own.
 */

import { assert, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb, NO_DCB } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';
import { endRingTurn, enterRing, leaveRing, takeTurn } from './ring.ts';

/** Put a dispatcher into the run queue; nothing if it is queued. */
export function makeRunnable(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  assert(Dcb.state.get(mem, dcb) !== DcbState.Dead, 'a dead dispatcher cannot run');
  if (Dcb.isQueued.get(mem, dcb) === 1) return;
  if (dcb === Kcb.payer.get(mem, k.kcb)) charge(k); // what it has left depends on it
  enterRing(k, dcb);
  Dcb.state.set(mem, dcb, DcbState.Runnable);
}

/** Take a dispatcher out of the run queue; nothing if it is not in it. */
export function removeFromQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  if (Dcb.isQueued.get(k.mem, dcb) === 0) return;
  leaveRing(k, dcb);
  Dcb.state.set(k.mem, dcb, DcbState.Blocked);
}

/** `dcb` is going to be dead: the scheduler keeps nothing of it. */
export function forget(k: Kernel, dcb: Ptr<'Dcb'>): void {
  removeFromQueue(k, dcb);
  if (Kcb.payer.get(k.mem, k.kcb) === dcb) Kcb.payer.set(k.mem, k.kcb, NO_DCB);
}

/** The dispatcher whose turn it is, `NO_DCB` when none is runnable. It pays from now on. */
export function schedule(k: Kernel): Ptr<'Dcb'> {
  const { mem, kcb } = k;
  charge(k);
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
  if (payer === NO_DCB) return Number.POSITIVE_INFINITY;
  return Kcb.chargedUntil.get(mem, kcb) + Dcb.budget.get(mem, payer);
}

/** `dcb`, which has the core and is runnable, gives up the rest of its turn. */
export function endTurn(k: Kernel, dcb: Ptr<'Dcb'>): void {
  charge(k);
  endRingTurn(k, dcb);
}

/** Let the payer pay for the time since it last did. */
function charge(k: Kernel): void {
  const { mem, kcb } = k;
  const now = k.hal.now();
  const payer = Kcb.payer.get(mem, kcb);
  if (payer !== NO_DCB) {
    const used = now - Kcb.chargedUntil.get(mem, kcb);
    Dcb.budget.set(mem, payer, Dcb.budget.get(mem, payer) - used);
  }
  Kcb.chargedUntil.set(mem, kcb, now);
}

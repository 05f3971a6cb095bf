/**
 * Round robin: the runnable dispatchers form a ring through their DCBs. `Kcb.ring` is the last of
 * them, the one behind it is the next to run. All of it is memory; these are functions over it.
 *
 * Nobody who waits in the ring is ever overtaken: that is what rules out starvation.
 */

import { assert, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb, NO_DCB } from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Kernel } from './kernel.ts';

/**
 * Put a dispatcher into the run queue: behind everyone who waits, but before the one who has the
 * core if that one is last. Nothing if it is queued.
 */
export function makeRunnable(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  assert(Dcb.state.get(mem, dcb) !== DcbState.Dead, 'a dead dispatcher cannot run');
  if (Dcb.isQueued.get(mem, dcb) === 1) return;
  const last = Kcb.ring.get(mem, kcb);
  if (last === NO_DCB) {
    Dcb.next.set(mem, dcb, dcb);
    Dcb.prev.set(mem, dcb, dcb);
    Kcb.ring.set(mem, kcb, dcb);
  } else if (last === currentDcb(k)) {
    insertBefore(k, dcb, last);
  } else {
    insertBefore(k, dcb, Dcb.next.get(mem, last));
    Kcb.ring.set(mem, kcb, dcb);
  }
  Dcb.isQueued.set(mem, dcb, 1);
  Dcb.state.set(mem, dcb, DcbState.Runnable);
}

/** Take a dispatcher out of the run queue; nothing if it is not in it. */
export function removeFromQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  if (Dcb.isQueued.get(mem, dcb) === 0) return;
  const next = Dcb.next.get(mem, dcb);
  const prev = Dcb.prev.get(mem, dcb);
  const isAlone = next === dcb;
  Dcb.next.set(mem, prev, next);
  Dcb.prev.set(mem, next, prev);
  if (Kcb.ring.get(mem, kcb) === dcb) Kcb.ring.set(mem, kcb, isAlone ? NO_DCB : prev);
  Dcb.next.set(mem, dcb, NO_DCB);
  Dcb.prev.set(mem, dcb, NO_DCB);
  Dcb.isQueued.set(mem, dcb, 0);
  Dcb.state.set(mem, dcb, DcbState.Blocked);
}

/** The dispatcher whose turn it is, or `NO_DCB`. It becomes the last of the ring. */
export function schedule(k: Kernel): Ptr<'Dcb'> {
  const { mem, kcb } = k;
  const last = Kcb.ring.get(mem, kcb);
  if (last === NO_DCB) return NO_DCB;
  const next = Dcb.next.get(mem, last);
  Kcb.ring.set(mem, kcb, next);
  return next;
}

function insertBefore(k: Kernel, dcb: Ptr<'Dcb'>, next: Ptr<'Dcb'>): void {
  const { mem } = k;
  const prev = Dcb.prev.get(mem, next);
  Dcb.next.set(mem, dcb, next);
  Dcb.prev.set(mem, dcb, prev);
  Dcb.next.set(mem, prev, dcb);
  Dcb.prev.set(mem, next, dcb);
}

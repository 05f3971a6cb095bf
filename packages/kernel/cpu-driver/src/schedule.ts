/**
 * Round robin: the runnable dispatchers form a ring through their DCBs; `Kcb.ring` is the one that
 * had the core last. All of it is memory; these are functions over it.
 */

import { asPtr, assert, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** Put a dispatcher into the run queue, behind the one that runs; nothing if it is queued. */
export function makeRunnable(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  assert(Dcb.state.get(mem, dcb) !== DcbState.Dead, 'a dead dispatcher cannot run');
  if (Dcb.isQueued.get(mem, dcb) === 1) return;
  const ring = asPtr<'Dcb'>(Kcb.ring.get(mem, kcb));
  if (ring === 0) {
    Dcb.next.set(mem, dcb, dcb);
    Dcb.prev.set(mem, dcb, dcb);
    Kcb.ring.set(mem, kcb, dcb);
  } else {
    insertAfter(k, dcb, ring);
  }
  Dcb.isQueued.set(mem, dcb, 1);
  Dcb.state.set(mem, dcb, DcbState.Runnable);
}

/** Take a dispatcher out of the run queue; nothing if it is not in it. */
export function removeFromQueue(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  if (Dcb.isQueued.get(mem, dcb) === 0) return;
  const next = asPtr<'Dcb'>(Dcb.next.get(mem, dcb));
  const prev = asPtr<'Dcb'>(Dcb.prev.get(mem, dcb));
  const isAlone = next === dcb;
  Dcb.next.set(mem, prev, next);
  Dcb.prev.set(mem, next, prev);
  if (Kcb.ring.get(mem, kcb) === dcb) Kcb.ring.set(mem, kcb, isAlone ? asPtr(0) : prev);
  Dcb.next.set(mem, dcb, asPtr(0));
  Dcb.prev.set(mem, dcb, asPtr(0));
  Dcb.isQueued.set(mem, dcb, 0);
  Dcb.state.set(mem, dcb, DcbState.Blocked);
}

/** The dispatcher whose turn it is, 0 when none is runnable. It becomes the last of the ring. */
export function schedule(k: Kernel): Ptr<'Dcb'> {
  const { mem, kcb } = k;
  const ring = asPtr<'Dcb'>(Kcb.ring.get(mem, kcb));
  if (ring === 0) return ring;
  const next = asPtr<'Dcb'>(Dcb.next.get(mem, ring));
  Kcb.ring.set(mem, kcb, next);
  return next;
}

function insertAfter(k: Kernel, dcb: Ptr<'Dcb'>, prev: Ptr<'Dcb'>): void {
  const { mem } = k;
  const next = asPtr<'Dcb'>(Dcb.next.get(mem, prev));
  Dcb.next.set(mem, dcb, next);
  Dcb.prev.set(mem, dcb, prev);
  Dcb.next.set(mem, prev, dcb);
  Dcb.prev.set(mem, next, dcb);
}

/**
 * The wake-up queue: dispatchers that sleep until a time, sorted by it, linked through their DCBs.
 */

import { assert, type Ptr } from '@barreleye/core';
import { Dcb, DcbState, Kcb, NO_DCB } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';
import { makeRunnable } from './schedule.ts';
import { insertSorted, removeSorted, type SortedList } from './sorted-list.ts';

const WAKEUPS: SortedList = {
  head: Kcb.wakeup,
  next: Dcb.wakeupNext,
  prev: Dcb.wakeupPrev,
  time: Dcb.wakeupTime,
};

/** Wake `dcb`, which is blocked, at `time`, cycles. Equal times keep their order. */
export function setWakeup(k: Kernel, dcb: Ptr<'Dcb'>, time: number): void {
  const { mem } = k;
  assert(Dcb.state.get(mem, dcb) === DcbState.Blocked, 'only who is blocked waits for a time');
  assert(Dcb.isWaiting.get(mem, dcb) === 0, 'a dispatcher waits for one time');
  Dcb.wakeupTime.set(mem, dcb, time);
  insertSorted(k, WAKEUPS, dcb);
  Dcb.isWaiting.set(mem, dcb, 1);
}

/** Forget the wake-up of `dcb`, its stored time included (T35); nothing if it has none. */
export function cancelWakeup(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem } = k;
  if (Dcb.isWaiting.get(mem, dcb) === 0) return;
  removeSorted(k, WAKEUPS, dcb);
  Dcb.wakeupTime.set(mem, dcb, 0);
  Dcb.isWaiting.set(mem, dcb, 0);
}

/**
 * Make `dcb` runnable if it is blocked, whatever it waits for: its wake-up time is void then. One
 * that has never run or never will is left alone.
 */
export function wake(k: Kernel, dcb: Ptr<'Dcb'>): void {
  if (Dcb.state.get(k.mem, dcb) !== DcbState.Blocked) return;
  cancelWakeup(k, dcb);
  makeRunnable(k, dcb);
}

/** Wake everyone whose time has come. */
export function expireWakeups(k: Kernel, now: number): void {
  const { mem, kcb } = k;
  for (;;) {
    const head = Kcb.wakeup.get(mem, kcb);
    if (head === NO_DCB || Dcb.wakeupTime.get(mem, head) > now) return;
    assert(Dcb.state.get(mem, head) === DcbState.Blocked, 'only who is blocked waits for a time');
    wake(k, head);
  }
}

/** The time of the next wake-up, infinite when there is none. */
export function nextWakeup(k: Kernel): number {
  const { mem, kcb } = k;
  const head = Kcb.wakeup.get(mem, kcb);
  return head === NO_DCB ? Number.POSITIVE_INFINITY : Dcb.wakeupTime.get(mem, head);
}

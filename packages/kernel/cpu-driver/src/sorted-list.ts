/**
 * Lists of dispatchers that are sorted by a time, linked through their DCBs. Entering one costs as
 * many steps as there are earlier times in it; leaving it, and asking for the first, costs one.
 */

import type { Field, Ptr } from '@barreleye/core';
import { NO_DCB } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** Where a list keeps its head, its links and the times. */
export interface SortedList {
  readonly head: Field<Ptr<'Dcb'>, Ptr<'Kcb'>>;
  readonly next: Field<Ptr<'Dcb'>, Ptr<'Dcb'>>;
  readonly prev: Field<Ptr<'Dcb'>, Ptr<'Dcb'>>;
  readonly time: Field<number, Ptr<'Dcb'>>;
}

/** Put `dcb` behind all that are not later than it: equal times keep their order. */
export function insertSorted(k: Kernel, list: SortedList, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  const { head, next, prev, time } = list;
  const at = time.get(mem, dcb);
  let before: Ptr<'Dcb'> = NO_DCB;
  let behind = head.get(mem, kcb);
  while (behind !== NO_DCB && time.get(mem, behind) <= at) {
    before = behind;
    behind = next.get(mem, behind);
  }
  prev.set(mem, dcb, before);
  next.set(mem, dcb, behind);
  if (before === NO_DCB) head.set(mem, kcb, dcb);
  else next.set(mem, before, dcb);
  if (behind !== NO_DCB) prev.set(mem, behind, dcb);
}

/** Take `dcb` out of the list that it is in. */
export function removeSorted(k: Kernel, list: SortedList, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  const { head, next, prev } = list;
  const before = prev.get(mem, dcb);
  const behind = next.get(mem, dcb);
  if (before === NO_DCB) head.set(mem, kcb, behind);
  else next.set(mem, before, behind);
  if (behind !== NO_DCB) prev.set(mem, behind, before);
  next.set(mem, dcb, NO_DCB);
  prev.set(mem, dcb, NO_DCB);
}

/**
 * Tags that tell the address spaces of dispatchers apart in the TLB. There are fewer tags than
 * dispatchers in the life of a core: when all are given, the TLB is emptied and an epoch begins, in
 * which every dispatcher gets a new tag when it next gets the core.
 */

import type { Ptr } from '@barreleye/core';
import { TAG_LIMIT } from '@barreleye/machine';
import { Dcb, Kcb } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** The tag of `dcb`, which gets the core now; no other dispatcher has it in this epoch. */
export function tagOf(k: Kernel, dcb: Ptr<'Dcb'>): number {
  const { mem, kcb } = k;
  if (Dcb.tagEpoch.get(mem, dcb) !== Kcb.tagEpoch.get(mem, kcb)) giveTag(k, dcb);
  return Dcb.tag.get(mem, dcb);
}

function giveTag(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  let tag = Kcb.lastTag.get(mem, kcb) + 1;
  if (tag === TAG_LIMIT) {
    Kcb.tagEpoch.set(mem, kcb, Kcb.tagEpoch.get(mem, kcb) + 1);
    k.hal.invalidateAll();
    tag = 1;
  }
  Kcb.lastTag.set(mem, kcb, tag);
  Dcb.tag.set(mem, dcb, tag);
  Dcb.tagEpoch.set(mem, dcb, Kcb.tagEpoch.get(mem, kcb));
}

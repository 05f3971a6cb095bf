/**
 * I50: what a core has kept of an address space shows no page and allows no access that its tables
 * do not. For the time when nobody waits for a shoot-down; the tables may be another core's.
 */

import { eachCap } from '@barreleye/caps';
import { asPtr, BASE_PAGE_SIZE, hex, type Paddr } from '@barreleye/core';
import type { Translation } from '@barreleye/machine';
import { Access, Cte, Dcb, DcbState, Kcb, ObjType } from '@barreleye/spec';
import type { Kernel } from './kernel.ts';

/** Invariants that `checkTranslations` looks at. */
export const MACHINE_INVARIANTS: readonly string[] = ['I50'];

/** Violations by what the TLB of this core holds; empty when all is well. */
export function checkTranslations(k: Kernel, kept: Iterable<Translation>): string[] {
  const { mem, hal } = k;
  const problems: string[] = [];
  const roots = rootsByTag(k);
  const walker = hal.paging.createWalker(mem);
  for (const { tag, va, base, accesses } of kept) {
    const root = roots.get(tag);
    if (root === undefined) continue; // of a dispatcher that never runs again
    for (const access of accesses) {
      const pa = walker.walk(root, va, access | Access.User);
      if (pa >= 0 && pa - (pa % BASE_PAGE_SIZE) === base) continue;
      const what = `${hex(va)} at ${hex(base)} for access ${access}`;
      problems.push(`I50 core ${hal.coreId} has kept ${what} of the tables at ${hex(root)}`);
    }
  }
  return problems;
}

/** The tables of dispatchers that can run and have a tag, by that. */
function rootsByTag({ mem, kcb, caps }: Kernel): Map<number, Paddr> {
  const roots = new Map<number, Paddr>();
  const epoch = Kcb.tagEpoch.get(mem, kcb);
  for (const slot of eachCap(caps)) {
    if (Cte.type.get(mem, slot) !== ObjType.Dispatcher) continue;
    const dcb = asPtr<'Dcb'>(Cte.base.get(mem, slot));
    const state = Dcb.state.get(mem, dcb);
    const isStarted = state === DcbState.Runnable || state === DcbState.Blocked;
    if (!isStarted || Dcb.tagEpoch.get(mem, dcb) !== epoch) continue;
    roots.set(Dcb.tag.get(mem, dcb), Dcb.vspaceRoot.get(mem, dcb));
  }
  return roots;
}

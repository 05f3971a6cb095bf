/** What a domain answers about itself: see `Inspector`. */

import {
  type Capref,
  capIdentify,
  capref,
  formatWaits,
  type Os,
  rootCapref,
  TASK_ROOT_CN,
} from '@barreleye/libos';
import type { Region, Vspace } from '@barreleye/paging';
import type { Handlers } from '@barreleye/rpc';
import { CTE_BYTES, L2_CNODE_SLOTS, ObjType } from '@barreleye/spec';
import { pieces } from './console.ts';
import type { CapInfo, Inspector, RegionInfo, ThreadInfo } from './interfaces/inspector.ts';

const MAX_CAPS = 128;
const MAX_TEXT_BYTES = 128;
const MAX_REGIONS = 64;
const MAX_THREADS = 128;

/** The handlers of `Inspector` for the domain of `os`. */
export function selfInspection(os: Os, vspace: Vspace): Handlers<(typeof Inspector)['methods']> {
  return {
    threads: () => ({
      threads: threadsOf(os).slice(0, MAX_THREADS),
      report: cut(formatWaits(os.reportWaits()), 4096),
    }),
    regions({ from }) {
      const regions = regionsOf(vspace).filter(({ base }) => base >= from);
      return { regions: regions.slice(0, MAX_REGIONS), tableCount: vspace.tableCount };
    },
    caps: ({ from }) => ({ caps: capsFrom(os, from, MAX_CAPS) }),
  };
}

/** The threads of the domain. */
export function threadsOf(os: Os): ThreadInfo[] {
  return [...os.scheduler.threads.values()].map(({ id, name, state, waitsFor, isDaemon }) => ({
    id,
    name: cut(name),
    state,
    waitsFor: cut(waitsFor?.label ?? ''),
    isDaemon,
  }));
}

/** The regions of an address space, in order. */
export function regionsOf(vspace: Vspace): RegionInfo[] {
  const mapped = new Map<Region, number>();
  for (const run of vspace.mapped()) {
    const region = vspace.lookup(run.va)?.region;
    if (region !== undefined) mapped.set(region, (mapped.get(region) ?? 0) + run.bytes);
  }
  return vspace.regions().map((region) => {
    const { base, bytes, kind, flags, name } = region;
    return { base, bytes, mappedBytes: mapped.get(region) ?? 0, kind, flags, name: cut(name) };
  });
}

/** At most `limit` capabilities of the domain, from place `from` of its CSpace on, in order. */
export function capsFrom(os: Os, from: number, limit: number): CapInfo[] {
  const root = capIdentify(os.sys, TASK_ROOT_CN);
  const caps: CapInfo[] = [];
  const take = (cap: Capref, level: 1 | 2): boolean => {
    if (capPlace(cap.cptr, level) < from) return true;
    const held = capIdentify(os.sys, cap);
    if (!held.ok) return true;
    const { type, rights, base, bytes } = held.value;
    caps.push({ cptr: cap.cptr, level, type: ObjType[type], rights, base, bytes });
    return caps.length < limit;
  };
  const rootSlots = root.ok ? root.value.bytes / CTE_BYTES : 0;
  const first = Math.floor(from / 2 / L2_CNODE_SLOTS);
  for (let l1 = first; l1 < rootSlots; l1++) {
    const cnode = capIdentify(os.sys, rootCapref(l1));
    if (!cnode.ok) continue;
    if (!take(rootCapref(l1), 1)) return caps;
    if (cnode.value.type !== 'L2CNode') continue;
    for (let slot = 0; slot < L2_CNODE_SLOTS; slot++) {
      if (!take(capref(l1, slot), 2)) return caps;
    }
  }
  return caps;
}

/** The place of a slot in the order of a CSpace: a slot of the root comes before what is in it. */
export function capPlace(cptr: number, level: number): number {
  return 2 * cptr + level - 1;
}

function cut(text: string, maxBytes = MAX_TEXT_BYTES): string {
  const [first = ''] = pieces(text, maxBytes);
  return first;
}

/** I19 to I21: the list of RAM that nobody holds. */

import { hex } from '@barreleye/core';
import { CAP_TYPE_INFO, CteFlag, Kcb, ObjType } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import type { Entry } from './check-entry.ts';
import { eachFreeRam, type RamRegion } from './free-ram.ts';

/** Check the list against `entries`, the whole database. */
export function checkFreeRam(caps: Caps, entries: readonly Entry[], problems: string[]): void {
  const regions: RamRegion[] = [];
  let byteCount = 0;
  for (const region of eachFreeRam(caps)) {
    const { base, bytes } = region;
    const isTwice = regions.some((other) => doOverlap(other, base, base + bytes));
    if (isTwice) problems.push(`I21 the free RAM at ${hex(base)} is listed twice`);
    if (isTwice) return; // the list may never end
    regions.push(region);
    byteCount += bytes;
  }
  if (byteCount !== Kcb.freeRamBytes.get(caps.mem, caps.kcb)) {
    problems.push(`I19 ${byteCount} bytes of free RAM are listed, but others were counted`);
  }
  const root = CAP_TYPE_INFO[ObjType.RAM]?.root;
  for (const { slot, info, isLeaf, flags, base, end } of entries) {
    if (info.root !== root || isLeaf || (flags & CteFlag.InDelete) !== 0) continue;
    const region = regions.find((other) => doOverlap(other, base, end));
    if (region === undefined) continue;
    problems.push(`I20 the ${info.name} in ${hex(slot)} covers free RAM at ${hex(region.base)}`);
  }
}

function doOverlap(region: RamRegion, base: number, end: number): boolean {
  return region.base < end && base < region.base + region.bytes;
}

/** I19, I21: the list of RAM that nobody holds. That nobody does is for check-frees.ts (I20). */

import { hex } from '@barreleye/core';
import { Kcb } from '@barreleye/spec';
import type { Caps } from './caps.ts';
import { eachFreeRam, type RamRegion } from './free-ram.ts';

/** Check the list against itself and its count, where nobody makes capabilities of such RAM. */
export function checkFreeRam(caps: Caps, problems: string[]): void {
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
}

function doOverlap(region: RamRegion, base: number, end: number): boolean {
  return region.base < end && base < region.base + region.bytes;
}

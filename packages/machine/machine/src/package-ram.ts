/** Which RAM belongs to which package: equal parts, in the order of addresses. */

import { alignDown, BASE_PAGE_BITS, type PhysRange } from '@barreleye/core';
import type { PackageRam } from '@barreleye/spec';

/** The RAM of each package. */
export function packageRam(packages: number, ram: readonly PhysRange[]): PackageRam[] {
  const total = ram.reduce((sum, range) => sum + range.bytes, 0);
  const parts: PackageRam[] = [];
  let base = addressOf(0, ram);
  for (let i = 1; i <= packages; i++) {
    const end = addressOf(alignDown((total * i) / packages, BASE_PAGE_BITS), ram);
    parts.push({ base, end });
    base = end;
  }
  return parts;
}

/** The address of byte `offset` of all RAM, or the end of the last region. */
function addressOf(offset: number, ram: readonly PhysRange[]): number {
  let left = offset;
  for (const [i, { base, bytes }] of ram.entries()) {
    if (left < bytes || i === ram.length - 1) return base + left;
    left -= bytes;
  }
  return 0;
}

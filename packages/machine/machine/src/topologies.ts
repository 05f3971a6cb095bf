/**
 * Named topologies. A machine that is built with one charges for the way between cores; without
 * one, all cores are equally near, and nothing is charged.
 */

import { assert } from '@barreleye/core';
import { MAX_TOPOLOGY_CORES, type Topology } from '@barreleye/spec';

/**
 * Links of the eight packages of `8x4`. Packages 0 and 7 have one less: theirs go to devices.
 * @source the distances that the firmware of a Sun Fire X4600 M2 reports (ACPI SLIT): 8 Opterons
 */
const LINKS_8X4: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [1, 3],
  [1, 6],
  [2, 4],
  [2, 5],
  [3, 4],
  [3, 5],
  [4, 6],
  [5, 7],
  [6, 7],
];

/** Topologies by the names that people type. */
export const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  flat: topologyOf(1, MAX_TOPOLOGY_CORES, []),
  '8x4': topologyOf(8, 4, LINKS_8X4),
};

/** `packages` packages of `coresEach` cores, which are numbered package by package. */
export function topologyOf(
  packages: number,
  coresEach: number,
  links: readonly (readonly [number, number])[],
): Topology {
  const packageOf = Array.from({ length: packages * coresEach }, (_, core) =>
    Math.floor(core / coresEach),
  );
  const hops = Array.from({ length: packages }, (_, from) => hopsFrom(from, packages, links));
  return { packageOf, hops };
}

/** Links on the shortest way to each package: those one link away, then those two away, ... */
function hopsFrom(
  from: number,
  packages: number,
  links: readonly (readonly [number, number])[],
): number[] {
  const hops = new Array<number>(packages).fill(Number.POSITIVE_INFINITY);
  hops[from] = 0;
  for (let distance = 0; distance < packages; distance++) {
    for (const [one, other] of links) {
      if (hops[one] === distance) hops[other] = Math.min(hops[other] ?? 0, distance + 1);
      if (hops[other] === distance) hops[one] = Math.min(hops[one] ?? 0, distance + 1);
    }
  }
  assert(hops.every(Number.isFinite), 'there is a way between all packages');
  return hops;
}

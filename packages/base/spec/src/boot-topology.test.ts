/** A topology that is put into the boot information is the one that is read. */

import { expect, it } from 'vitest';
import {
  BOOT_TOPOLOGY_BYTES,
  BOOT_TOPOLOGY_OFFSET,
  packBootTopology,
  unpackBootTopology,
} from './boot-topology.ts';
import { BOOTINFO_BYTES } from './bootinfo.ts';
import { MAX_PACKAGES, MAX_TOPOLOGY_CORES } from './topology.ts';

/** As many packages and cores as there may be. */
const LARGEST = {
  topology: {
    packageOf: Array.from({ length: MAX_TOPOLOGY_CORES }, (_, core) => core % MAX_PACKAGES),
    hops: Array.from({ length: MAX_PACKAGES }, (_, from) =>
      Array.from({ length: MAX_PACKAGES }, (_, to) => Math.abs(from - to)),
    ),
  },
  packageRam: Array.from({ length: MAX_PACKAGES }, (_, i) => ({
    base: i * (2 ** 33 + 4096),
    end: (i + 1) * (2 ** 33 + 4096),
  })),
};

it('the largest topology is unpacked as it was packed', () => {
  const bytes = packBootTopology(LARGEST);
  expect(unpackBootTopology(bytes, MAX_PACKAGES, MAX_TOPOLOGY_CORES)).toEqual(LARGEST);
});

it('tells of the packages and cores that there are', () => {
  const { topology, packageRam } = unpackBootTopology(packBootTopology(LARGEST), 2, 3);
  expect(topology).toEqual({
    packageOf: [0, 1, 2],
    hops: [
      [0, 1],
      [1, 0],
    ],
  });
  expect(packageRam).toEqual(LARGEST.packageRam.slice(0, 2));
});

it('fits into the boot information, behind all regions', () => {
  expect(BOOT_TOPOLOGY_OFFSET % 8).toBe(0);
  expect(BOOT_TOPOLOGY_OFFSET + BOOT_TOPOLOGY_BYTES).toBeLessThanOrEqual(BOOTINFO_BYTES);
});

it.each([
  ['too many packages', { hops: [...LARGEST.topology.hops, []] }],
  ['too many cores', { packageOf: [...LARGEST.topology.packageOf, 0] }],
])('refuses %s', (what, change) => {
  const topology = { ...LARGEST.topology, ...change };
  expect(() => packBootTopology({ ...LARGEST, topology })).toThrow(what);
});

it('refuses packages without RAM', () => {
  const places = { ...LARGEST, packageRam: [] };
  expect(() => packBootTopology(places)).toThrow('every package has its part of RAM');
});

/** The named topologies, and which RAM belongs to which package. */

import { paddr } from '@barreleye/core';
import { coreHops, packageCount } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { packageRam } from './package-ram.ts';
import { TOPOLOGIES, topologyOf } from './topologies.ts';

describe('a topology', () => {
  it.each(Object.entries(TOPOLOGIES))('%s is as far one way as the other', (_, topology) => {
    const packages = packageCount(topology);
    for (let from = 0; from < packages; from++) {
      for (let to = 0; to < packages; to++) {
        expect(topology.hops[from]?.[to]).toBe(topology.hops[to]?.[from]);
        expect(topology.hops[from]?.[to] === 0).toBe(from === to);
      }
    }
  });

  it('8x4 has the distances that such a machine reports', () => {
    // ACPI SLIT of a Sun Fire X4600 M2: 10 for itself, and 2 more for each hop.
    expect(TOPOLOGIES['8x4']?.hops.map((row) => row.map((n) => 10 + 2 * n))).toEqual([
      [10, 12, 12, 14, 14, 14, 14, 16],
      [12, 10, 14, 12, 14, 14, 12, 14],
      [12, 14, 10, 14, 12, 12, 14, 14],
      [14, 12, 14, 10, 12, 12, 14, 14],
      [14, 14, 12, 12, 10, 14, 12, 14],
      [14, 14, 12, 12, 14, 10, 14, 12],
      [14, 12, 14, 14, 12, 14, 10, 12],
      [16, 14, 14, 14, 14, 12, 12, 10],
    ]);
  });

  it('counts hops between cores by their packages', () => {
    const row = topologyOf(3, 2, [
      [0, 1],
      [1, 2],
    ]);
    expect([0, 1, 2, 3, 4, 5].map((core) => coreHops(row, 1, core))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(coreHops(row, 5, 99)).toBe(2); // unknown cores count to the first package
  });

  it('must hang together', () => {
    expect(() => topologyOf(2, 1, [])).toThrow('there is a way between all packages');
  });
});

describe('the RAM of packages', () => {
  it('is equal parts, in whole pages', () => {
    const parts = packageRam(3, [{ base: paddr(0x1000), bytes: 0x1_0000 }]);
    expect(parts).toEqual([
      { base: 0x1000, end: 0x6000 },
      { base: 0x6000, end: 0xb000 },
      { base: 0xb000, end: 0x1_1000 },
    ]);
  });

  it('may have a hole in it', () => {
    const parts = packageRam(2, [
      { base: paddr(0x1000), bytes: 0x4000 },
      { base: paddr(0x10_0000), bytes: 0x8000 },
    ]);
    expect(parts).toEqual([
      { base: 0x1000, end: 0x10_2000 },
      { base: 0x10_2000, end: 0x10_8000 },
    ]);
  });
});

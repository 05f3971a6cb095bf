/**
 * What messages between cores take on the model of a machine of 32 cores. All of it is virtual
 * time, the same in every run: so here figures may be asserted.
 */
import { DistanceCost, TOPOLOGIES } from '@barreleye/machine';
import type { PlanKind } from '@barreleye/multicast';
import { describe, expect, it } from 'vitest';
import { measureOneWay, measurePipelined } from '../src/core-pair.ts';
import { measureShootDown } from '../src/shoot-down.ts';
import { measureUnmaps } from '../src/spanning-unmap.ts';

const topology = TOPOLOGIES['8x4']!;
/** Cores in the package of core 0, one hop and two hops away; and what the real machine took. */
const PEERS = [
  { peer: 1, paper: 538 },
  { peer: 4, paper: 613 },
  { peer: 12, paper: 618 },
];

describe('a message', () => {
  it('takes longer the farther it goes, within a twentieth of what it took in 2009', () => {
    const took = PEERS.map(({ peer }) => measureOneWay({ topology, peer }));
    expect(took).toEqual(took.toSorted((a, b) => a - b));
    expect(new Set(took).size).toBe(3);
    for (const [i, { paper }] of PEERS.entries()) {
      expect(Math.abs((took[i] ?? 0) / paper - 1)).toBeLessThan(0.05);
    }
    const spread = (took[2] ?? 0) / (took[0] ?? 0);
    expect(spread).toBeGreaterThanOrEqual(1.15);
    expect(spread).toBeLessThanOrEqual(1.25);
  });

  it('costs less than two thirds of that where nobody waits for answers', () => {
    for (const { peer } of PEERS) {
      const pair = { topology, peer };
      expect(measurePipelined(pair)).toBeLessThan(0.67 * measureOneWay(pair));
    }
  });

  it('takes the same in every run', () => {
    const pair = { topology, peer: 4 };
    expect(measureOneWay(pair)).toBe(measureOneWay(pair));
  });
});

describe('telling 31 cores and hearing from all', () => {
  const measure = (kind: PlanKind, coreCount = 32): number =>
    measureShootDown({ topology, kind, coreCount });

  it('by a tree that knows the machine takes less than a third of telling each', () => {
    const [unicast, multicast, numa] = [measure('unicast'), measure('multicast'), measure('numa')];
    expect(unicast / numa).toBeGreaterThanOrEqual(3);
    expect(numa).toBeLessThan(multicast);
    expect(multicast).toBeLessThan(unicast);
  });

  it('by one line that all watch takes as long as the line takes to go to each', () => {
    const broadcast = measure('broadcast');
    expect(broadcast).toBeGreaterThan(31 * DistanceCost.Transfer);
    expect(broadcast).toBeGreaterThan(measure('multicast'));
  });

  it('takes a step for another package, not for another core in one', () => {
    const [four, five, six, eight] = [21, 22, 23, 24].map((count) => measure('numa', count));
    const nextPackage = measure('numa', 25);
    for (const count of [five, six, eight]) expect(Math.abs(count! - four!)).toBeLessThan(100);
    expect(nextPackage - eight!).toBeGreaterThan(DistanceCost.Transfer);
  });
});

it('an unmap in a whole system takes two thirds at most by a tree', () => {
  const took = measureUnmaps({ topology, coreCount: 16 }, ['unicast', 'numa']);
  expect(took.get('numa')).toBeLessThan((took.get('unicast') ?? 0) / 1.5);
});

/**
 * Messages between cores of the topology `8x4`, in cycles of the model: the same in every run, and
 * on every machine.
 */

import { panic } from '@barreleye/core';
import { TOPOLOGIES } from '@barreleye/machine';
import { PLAN_KINDS, type PlanKind } from '@barreleye/multicast';
import type { Bench, Gauge, Trial } from '../bench.ts';
import { type CorePair, measureOneWay, measurePipelined } from '../core-pair.ts';
import { measureShootDown } from '../shoot-down.ts';
import { measureUnmaps } from '../spanning-unmap.ts';

const topology = TOPOLOGIES['8x4'] ?? panic('there is no topology 8x4');
/** Cores as far from core 0 as the names say. */
const PEERS = { 'in a package': 1, 'one hop': 4, 'two hops': 12 } as const;
const NEAR: CorePair = { topology, peer: PEERS['in a package'] };
const CORE_COUNTS = [2, 4, 8, 16, 32];
/** Monitors have no line that all watch. */
const UNMAP_KINDS = ['unicast', 'multicast', 'numa'] as const;

export const benches: readonly Bench[] = [
  ...Object.entries(PEERS).flatMap(([where, peer]): Bench[] => {
    const pair = { topology, peer };
    return [
      {
        name: `8x4 UMP one way, ${where}`,
        unit: 'cycles/op',
        baselineName: 'in a package',
        setup: () =>
          counted(
            () => measureOneWay(pair),
            () => measureOneWay(NEAR),
          ),
      },
      {
        name: `8x4 UMP pipelined, ${where}`,
        unit: 'cycles/op',
        baselineName: 'one way',
        setup: () =>
          counted(
            () => measurePipelined(pair),
            () => measureOneWay(pair),
          ),
      },
    ];
  }),
  ...UNMAP_KINDS.flatMap((kind) => CORE_COUNTS.map((coreCount) => unmap(kind, coreCount))),
  ...PLAN_KINDS.flatMap((kind) => CORE_COUNTS.map((coreCount) => shootDown(kind, coreCount))),
];

function shootDown(kind: PlanKind, coreCount: number): Bench {
  const baseline = 'unicast';
  return {
    name: `8x4 shoot-down messages, ${kind}, ${coreCount} cores`,
    unit: 'cycles/op',
    baselineName: baseline,
    family: `8x4 shoot-down ${kind}`,
    size: coreCount,
    setup: () =>
      counted(
        () => measureShootDown({ topology, kind, coreCount }),
        () => measureShootDown({ topology, kind: baseline, coreCount }),
      ),
  };
}

function unmap(kind: PlanKind, coreCount: number): Bench {
  const measure = (how: PlanKind) => (): number =>
    measureUnmaps({ topology, coreCount }, [how]).get(how) ?? 0;
  return {
    name: `8x4 unmap, ${kind}, ${coreCount} cores`,
    unit: 'cycles/op',
    baselineName: 'unicast',
    family: `8x4 unmap ${kind}`,
    size: coreCount,
    setup: () => counted(measure(kind), measure('unicast')),
  };
}

/** Both sides count for themselves; once is enough, as they never differ. */
function counted(subject: () => number, baseline: () => number): Trial {
  const gauge = (count: () => number): Gauge => ({ round: count, warmUp: () => undefined });
  return { operations: 1, rounds: 1, subject: gauge(subject), baseline: gauge(baseline) };
}

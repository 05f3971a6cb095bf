/** The messages of a shoot-down against the number of cores, as a chart. */
import { TOPOLOGIES } from '@barreleye/machine';
import { PLAN_KINDS, type PlanKind } from '@barreleye/multicast';
import { drawLineChart, type Series } from './line-chart.ts';
import { measureShootDown } from './shoot-down.ts';

const MOST_CORES = 32;

const NAMES: Readonly<Record<PlanKind, string>> = {
  broadcast: 'broadcast: one line that all watch',
  unicast: 'unicast',
  multicast: 'multicast: one core of each package tells the others',
  numa: 'the same, farthest first, memory of the receiver (numa)',
};

/** Measure and draw. */
export function drawShootDowns(): string {
  const topology = TOPOLOGIES['8x4'];
  if (topology === undefined) throw new Error('there is no such topology');
  const counts = Array.from({ length: MOST_CORES - 1 }, (_, i) => i + 2);
  return drawLineChart({
    title: 'Telling all cores, and hearing from all: topology 8x4',
    xLabel: 'cores',
    yLabel: 'cycles of virtual time',
    xTicks: [2, 4, 8, 12, 16, 20, 24, 28, 32],
    series: PLAN_KINDS.map(
      (kind): Series => ({
        name: NAMES[kind],
        points: counts.map((coreCount) => [
          coreCount,
          measureShootDown({ topology, kind, coreCount }),
        ]),
      }),
    ),
  });
}

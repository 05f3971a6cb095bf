/** The charts in `docs`: all of virtual time, so nobody's differs from anybody else's. */
import { TOPOLOGIES } from '@barreleye/machine';
import { PLAN_KINDS, type PlanKind } from '@barreleye/multicast';
import { drawLineChart, type LineChart } from './line-chart.ts';
import { measureShootDown } from './shoot-down.ts';
import { measureUnmaps } from './spanning-unmap.ts';

const MOST_CORES = 32;
const AXES = {
  xLabel: 'cores',
  yLabel: 'cycles of virtual time',
  xTicks: [2, 4, 8, 12, 16, 20, 24, 28, 32],
} satisfies Partial<LineChart>;

const NAMES: Readonly<Record<PlanKind, string>> = {
  broadcast: 'broadcast: one line that all watch',
  unicast: 'unicast',
  multicast: 'multicast: one core of each package tells the others',
  numa: 'the same, farthest first, memory of the receiver (numa)',
  tree: 'the same, each of these tells one of another package (tree)',
};

/** Charts by file name. */
export const CHARTS: ReadonlyMap<string, () => string> = new Map([
  ['shoot-down.svg', drawShootDowns],
  ['unmap.svg', drawUnmaps],
]);

/** The messages of a shoot-down against the number of cores. */
function drawShootDowns(): string {
  const topology = eightByFour();
  const measure = (kind: PlanKind, coreCount: number): number =>
    measureShootDown({ topology, kind, coreCount });
  return drawLineChart({
    ...AXES,
    title: 'Telling all cores, and hearing from all: topology 8x4',
    series: PLAN_KINDS.map((kind) => ({
      name: NAMES[kind],
      points: coreCounts(1).map((count) => [count, measure(kind, count)]),
    })),
  });
}

/** The unmap of a page in a whole system, likewise. Monitors have no line that all watch. */
function drawUnmaps(): string {
  const topology = eightByFour();
  const kinds = ['unicast', 'multicast', 'numa', 'tree'] as const;
  const rows = coreCounts(2).map(
    (coreCount) => [coreCount, measureUnmaps({ topology, coreCount }, kinds)] as const,
  );
  return drawLineChart({
    ...AXES,
    title: 'Unmapping a page that cores share, in a whole system: topology 8x4',
    series: kinds.map((kind) => ({
      name: kind === 'numa' ? 'the same, farthest first (numa)' : NAMES[kind],
      points: rows.map(([count, took]) => [count, took.get(kind) ?? 0]),
    })),
  });
}

function coreCounts(step: number): number[] {
  const counts: number[] = [];
  for (let count = 2; count <= MOST_CORES; count += step) counts.push(count);
  return counts;
}

function eightByFour() {
  const topology = TOPOLOGIES['8x4'];
  if (topology === undefined) throw new Error('there is no such topology');
  return topology;
}

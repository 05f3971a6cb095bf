import { expect, it } from 'vitest';
import { drawLineChart, type LineChart } from './line-chart.ts';

const CHART: LineChart = {
  title: 'A < B',
  xLabel: 'cores',
  yLabel: 'cycles',
  xTicks: [2, 4],
  series: [
    {
      name: 'fast & slow',
      points: [
        [2, 0],
        [4, 1800],
      ],
    },
    { name: 'even', points: [[2, 900]] },
  ],
};

it('a chart has its title, axes, ticks and a legend', () => {
  const svg = drawLineChart(CHART);
  for (const text of ['A &lt; B', 'cores', 'cycles', 'fast &amp; slow', 'even', '2', '4']) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox=/);
});

it('the grid has round numbers and ends above the highest point', () => {
  const labels = [...drawLineChart(CHART).matchAll(/text-anchor="end">([^<]*)</g)].map(
    ([, label]) => label,
  );
  expect(labels).toEqual(['0', '500', '1,000', '1,500', '2,000']);
});

it('points are where their values say', () => {
  const svg = drawLineChart(CHART);
  expect(svg).toContain('d="M84,388L736,85.6"'); // 1800 of 2000
  expect(svg).toContain('<g class="m1" transform="translate(84 236.8)">'); // 900 of 2000
});

it('is readable in light and in dark, and without colours', () => {
  const svg = drawLineChart(CHART);
  expect(svg).toContain('prefers-color-scheme: dark');
  const dashes = [...svg.matchAll(/stroke-dasharray="([^"]*)"/g)].map(([, dash]) => dash);
  expect(new Set(dashes).size).toBe(2);
});

it('has a style for each of five lines and no more', () => {
  const series = Array.from({ length: 6 }, () => CHART.series[0]!);
  expect(() => drawLineChart({ ...CHART, series: series.slice(1) })).not.toThrow();
  expect(() => drawLineChart({ ...CHART, series })).toThrow('more lines than there are styles');
});

import { expect, it } from 'vitest';
import type { Bench, Trial, Unit } from './bench.ts';
import { lowerQuartile, measure } from './measure.ts';

it('the lower quartile is a value that a quarter of the others are not above', () => {
  expect(lowerQuartile([5, 3, 1, 2, 4])).toBe(2);
  expect(lowerQuartile([3, 1, 2])).toBe(1);
  expect(lowerQuartile([7])).toBe(7);
  expect(() => lowerQuartile([])).toThrow(RangeError);
});

/** A bench on a clock of its own: a call advances it by what the function returns. */
async function simulated(unit: Unit, subjectMs: () => number, baselineMs: () => number) {
  let time = 0;
  let teardowns = 0;
  const taking = (milliseconds: () => number) => () => {
    time += milliseconds();
  };
  const bench: Bench = {
    name: 's',
    unit,
    baselineName: 'b',
    setup: () => ({
      operations: 1000,
      subject: taking(subjectMs),
      baseline: taking(baselineMs),
      teardown: () => {
        teardowns += 1;
      },
    }),
  };
  const row = await measure(bench, () => time);
  if (typeof row === 'string') throw new Error(row);
  return { row, teardowns, elapsedMs: time };
}

it.each([
  ['ns/op', 2000, 500],
  ['us/op', 2, 0.5],
  ['ms/op', 0.002, 0.0005],
  ['Mop/s', 0.5, 2],
] as const)('states results in %s', async (unit, value, baseline) => {
  const { row, teardowns } = await simulated(
    unit,
    () => 2,
    () => 0.5,
  );
  expect(row.value).toBeCloseTo(value);
  expect(row.baseline.value).toBeCloseTo(baseline);
  expect(row.ratio).toBeCloseTo(value / baseline);
  expect(row).toMatchObject({ name: 's', unit, baseline: { name: 'b' } });
  expect(teardowns).toBe(1);
});

it('is not moved by slow rounds, be they the most', async () => {
  let call = 0;
  const { row } = await simulated(
    'us/op',
    () => (call++ % 3 === 0 ? 2 : 500),
    () => 2,
  );
  expect(row.ratio).toBeCloseTo(1);
});

it('runs slow subjects fewer times', async () => {
  const { row, elapsedMs } = await simulated(
    'ms/op',
    () => 30_000,
    () => 1,
  );
  expect(row.value).toBeCloseTo(30);
  expect(elapsedMs).toBeLessThan(200_000);
});

/** A bench of sides that measure themselves. */
function gauged(trial: Omit<Trial, 'operations'>): Bench {
  const family = { family: 'f', size: 10 };
  const setup = () => ({ operations: 1, ...trial });
  return { name: 'g', unit: 'B/op', baselineName: 'b', ...family, setup };
}

it('takes the word of a side that measures itself, in turn with the other', async () => {
  let time = 0;
  const order: string[] = [];
  const side = (name: string, value: number) => ({
    round: async () => {
      await Promise.resolve();
      order.push(name);
      return value;
    },
    warmUp: () => {
      time += 60;
      order.push(`warm ${name}`);
    },
  });
  const bench = gauged({ subject: side('s', 6), baseline: side('b', 4), rounds: 3 });
  const row = await measure(bench, () => time);
  const baseline = { name: 'b', value: 4 };
  expect(row).toEqual({
    name: 'g',
    value: 6,
    unit: 'B/op',
    baseline,
    ratio: 1.5,
    family: 'f',
    size: 10,
  });
  expect(order).toEqual(['warm s', 'warm s', 'warm b', 'warm b', 'b', 's', 'b', 's', 'b', 's']);
});

it('ends a trial that fails', async () => {
  let isOver = false;
  const round = (): number => {
    throw new Error('gone');
  };
  const teardown = (): void => {
    isOver = true;
  };
  const bench = gauged({ subject: { round }, baseline: { round }, teardown });
  await expect(measure(bench, () => 0)).rejects.toThrow('gone');
  expect(isOver).toBe(true);
});

it('passes on why a bench cannot run', async () => {
  const bench: Bench = { name: 'x', unit: 'ns/op', baselineName: 'b', setup: () => 'no compiler' };
  expect(await measure(bench, () => 0)).toBe('no compiler');
});

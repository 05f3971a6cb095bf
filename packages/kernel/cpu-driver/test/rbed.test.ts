import { Prng, type Ptr } from '@barreleye/core';
import { Dcb, FULL_SHARE, Kcb, REAL_TIME_SHARE, Scheduler, TaskType } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRunnable, removeFromQueue, resumeRunning, stopRunning } from '../src/schedule.ts';
import { scale, shareOf } from '../src/share.ts';
import { setTask, type Task } from '../src/task.ts';
import { SchedulerWorld } from './scheduler-world.ts';

const SLICE = 10_000;

interface TaskSpec {
  readonly wcet: number;
  readonly period: number;
}

function createWorld(dispatchers: number): SchedulerWorld {
  return new SchedulerWorld({ scheduler: Scheduler.Rbed, timeslice: SLICE, dispatchers });
}

/** The error of letting `dcb` be a real-time task whose deadline is its period. */
function admit(
  world: SchedulerWorld,
  dcb: Ptr<'Dcb'>,
  { wcet, period }: TaskSpec,
  taskType: TaskType = TaskType.Hard,
): number {
  const task: Task = { taskType, weight: 0, wcet, period, relativeDeadline: period, release: 0 };
  return setTask(world.kernel, dcb, task);
}

/** Tasks that together use nearly, and not more than, `parts` of the processor. */
function randomTasks(prng: Prng, count: number, parts: number): TaskSpec[] {
  const weights = Array.from({ length: count }, () => 1 + prng.below(100));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => {
    const period = 2000 + prng.below(60_000);
    return { period, wcet: Math.max(1, Math.floor((period * parts * weight) / total) - 1) };
  });
}

/** Periodic jobs of exactly their budget, and when they were done. */
class Periodic {
  readonly late: string[];
  jobCount: number;
  private readonly tasks: Map<Ptr<'Dcb'>, { spec: TaskSpec; left: number; job: number }>;

  constructor() {
    this.late = [];
    this.jobCount = 0;
    this.tasks = new Map();
  }

  add(dcb: Ptr<'Dcb'>, spec: TaskSpec): void {
    this.tasks.set(dcb, { spec, left: spec.wcet, job: 0 });
  }

  /** Cycles until the job of `dcb` is over; others never have enough. */
  wantOf(dcb: Ptr<'Dcb'>): number {
    return this.tasks.get(dcb)?.left ?? Number.POSITIVE_INFINITY;
  }

  ran(dcb: Ptr<'Dcb'>, from: number, to: number): void {
    const task = this.tasks.get(dcb);
    if (task === undefined) return;
    const { spec } = task;
    const release = task.job * spec.period;
    if (from < release) this.late.push(`${dcb} runs before job ${task.job}`);
    task.left -= to - from;
    if (task.left > 0) return;
    if (to > release + spec.period) this.late.push(`${dcb} misses the deadline of job ${task.job}`);
    task.job += 1;
    task.left = spec.wcet;
    this.jobCount += 1;
  }
}

/** Cycles that each dispatcher had. */
function timesOf(world: SchedulerWorld, end: number): Map<Ptr<'Dcb'>, number> {
  const times = new Map<Ptr<'Dcb'>, number>();
  world.run(
    end,
    () => Number.POSITIVE_INFINITY,
    (dcb, from, to) => times.set(dcb, (times.get(dcb) ?? 0) + to - from),
  );
  return times;
}

describe('hard real-time tasks', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'miss no deadline at nine tenths in 10,000 periods beside three hogs (seed %i, I67)',
    (seed) => {
      const prng = new Prng(seed);
      const tasks = randomTasks(prng, 2 + prng.below(7), 0.9);
      const world = createWorld(tasks.length + 3);
      const periodic = new Periodic();
      for (const [i, spec] of tasks.entries()) {
        const dcb = world.at(i);
        expect(admit(world, dcb, spec)).toBe(0);
        periodic.add(dcb, spec);
      }
      world.start(world.dcbs);
      const end = 10_000 * Math.max(...tasks.map(({ period }) => period));
      world.run(
        end,
        (dcb) => periodic.wantOf(dcb),
        (...args) => periodic.ran(...args),
      );
      expect(periodic.late).toEqual([]);
      expect(periodic.jobCount).toBeGreaterThanOrEqual(10_000 * tasks.length - tasks.length);
    },
    60_000,
  );

  test('that overrun are stopped, at nobody else’s cost, until their next release (T37)', () => {
    const world = createWorld(4);
    const [greedy, soft] = [world.at(0), world.at(1)];
    const [punctual, hog] = [world.at(2), world.at(3)];
    admit(world, greedy, { wcet: 300, period: 1000 });
    admit(world, soft, { wcet: 200, period: 700 }, TaskType.Soft);
    const spec = { wcet: 2000, period: 7000 };
    admit(world, punctual, spec);
    const periodic = new Periodic();
    periodic.add(punctual, spec);
    world.start(world.dcbs);
    const times = new Map<Ptr<'Dcb'>, number>();
    world.run(
      7_000_000,
      (dcb) => periodic.wantOf(dcb),
      (dcb, from, to) => {
        periodic.ran(dcb, from, to);
        times.set(dcb, (times.get(dcb) ?? 0) + to - from);
      },
    );
    expect(periodic.late).toEqual([]);
    expect(times.get(greedy), 'exactly its budget').toBe(300 * 7000);
    expect(times.get(punctual)).toBe(2000 * 1000);
    expect(times.get(soft), 'its budget, and a part of what is left').toBeGreaterThan(200 * 10_000);
    expect(times.get(hog)).toBeGreaterThan(7_000_000 * 0.05);
  });

  const restlessness = [
    ['blocks and wakes as it likes', removeFromQueue, makeRunnable],
    ['is stopped and resumed as others like', stopRunning, resumeRunning],
  ] as const;

  test.each(restlessness)('miss no deadline beside one that %s (I67)', (_, end, begin) => {
    for (const seed of [11, 12, 13, 14]) {
      const prng = new Prng(seed);
      const tasks = randomTasks(prng, 4, 0.6);
      const world = createWorld(6);
      const periodic = new Periodic();
      for (const [i, spec] of tasks.entries()) {
        const dcb = world.at(i);
        admit(world, dcb, spec);
        periodic.add(dcb, spec);
      }
      const [restless, hog] = [world.at(4), world.at(5)];
      expect(admit(world, restless, { wcet: 3000, period: 10_000 })).toBe(0);
      world.start(world.dcbs);
      for (let step = 0; step < 20_000; step++) {
        world.run(
          world.now + 1 + prng.below(3000),
          (dcb) => periodic.wantOf(dcb),
          (...args) => periodic.ran(...args),
        );
        if (step % 2 === 0) end(world.kernel, restless);
        else begin(world.kernel, restless);
      }
      expect(periodic.late, `seed ${seed}`).toEqual([]);
      expect(Dcb.isQueued.get(world.mem, hog)).toBe(1);
    }
  });

  test('that are stopped in the ring leave what they used paid for by the ring', () => {
    const world = createWorld(2);
    const [soft, hard] = [world.at(0), world.at(1)];
    expect(admit(world, soft, { wcet: 100, period: 40_000 }, TaskType.Soft)).toBe(0);
    expect(admit(world, hard, { wcet: 30_000, period: 50_000 })).toBe(0);
    world.start(world.dcbs);
    const { mem, kernel } = world;
    while (Kcb.payer.get(mem, kernel.kcb) !== soft || Dcb.isQueued.get(mem, soft) === 0) {
      world.run(
        world.now + 50,
        () => Number.POSITIVE_INFINITY,
        () => {},
      );
    }
    world.choose();
    const left = Kcb.ringBudget.get(mem, kernel.kcb);
    world.now += 20;
    stopRunning(kernel, soft);
    expect(Kcb.ringBudget.get(mem, kernel.kcb)).toBe(left - 20);
  });

  test('go on under a kernel that is replaced at any time (I70)', () => {
    const worlds = [createWorld(6), createWorld(6)];
    const traces = worlds.map((world, which) => {
      const trace: number[] = [];
      for (const [i, spec] of randomTasks(new Prng(21), 4, 0.9).entries()) {
        const type = i % 2 === 0 ? TaskType.Hard : TaskType.Soft;
        admit(world, world.at(i), spec, type);
      }
      world.start(world.dcbs);
      for (let i = 0; i < 300; i++) {
        if (which === 1) world.kernel = world.createKernel();
        world.run(
          world.now + 5000,
          () => Number.POSITIVE_INFINITY,
          (dcb, from, to) => trace.push(dcb, from, to),
        );
      }
      return trace;
    });
    expect(traces[0]).toEqual(traces[1]);
  });
});

describe('best effort under RBED', () => {
  test('is shared by weight, and nobody starves, beside tasks that take all they can', () => {
    const world = createWorld(5);
    const [hard, soft, others] = [world.at(0), world.at(1), world.dcbs.slice(2)];
    expect(admit(world, hard, { wcet: 500_000, period: 1_000_000 })).toBe(0);
    expect(admit(world, soft, { wcet: 40, period: 100 })).toBe(0);
    for (const [i, dcb] of others.entries()) {
      const task = { wcet: 0, period: 0, relativeDeadline: 0, release: 0 };
      const weight = i + 1;
      const err = setTask(world.kernel, dcb, { ...task, taskType: TaskType.BestEffort, weight });
      expect(err).toBe(0);
    }
    world.start(world.dcbs);
    const end = 50_000_000;
    const times = new Map<Ptr<'Dcb'>, number>();
    const lastRun = new Map<Ptr<'Dcb'>, number>();
    let longestWait = 0;
    world.run(
      end,
      () => Number.POSITIVE_INFINITY,
      (dcb, from, to) => {
        if (others.includes(dcb))
          longestWait = Math.max(longestWait, from - (lastRun.get(dcb) ?? 0));
        lastRun.set(dcb, to);
        times.set(dcb, (times.get(dcb) ?? 0) + to - from);
      },
    );
    const left = end * 0.1;
    for (const [i, dcb] of others.entries()) {
      const share = (times.get(dcb) ?? 0) / left;
      expect(Math.abs(share - (i + 1) / 6), `weight ${i + 1}`).toBeLessThan(0.005);
    }
    expect(longestWait, 'a round and a slice').toBeLessThan((others.length + 1) * SLICE);
  });

  test('has all of the processor when nobody else wants it, equally', () => {
    const world = createWorld(4);
    admit(world, world.at(0), { wcet: 90, period: 100 });
    world.start(world.dcbs.slice(1));
    const times = timesOf(world, 30_000_000);
    for (const dcb of world.dcbs.slice(1)) {
      expect(Math.abs((times.get(dcb) ?? 0) - 10_000_000)).toBeLessThanOrEqual(SLICE);
    }
  });
});

describe('admission', () => {
  const cycles = fc.integer({ min: 1, max: 2 ** 48 });
  const task = fc.tuple(cycles, cycles).map(([a, b]) => ({
    wcet: Math.min(a, b),
    period: Math.max(a, b),
  }));

  test('is exact: never beyond the limit, refused below it by rounding only (T37, seed 31)', () => {
    const small = task.map(({ wcet, period }) => ({ wcet: Math.ceil(wcet / 8), period }));
    const property = fc.property(fc.array(small, { minLength: 1, maxLength: 24 }), (tasks) => {
      const world = createWorld(tasks.length);
      const terms: { readonly wcet: bigint; readonly period: bigint }[] = [];
      for (const [i, spec] of tasks.entries()) {
        const next = { wcet: BigInt(spec.wcet), period: BigInt(spec.period) };
        const isAdmitted = admit(world, world.at(i), spec) === 0;
        const sum = sumOf([...terms, next]);
        const limit = BigInt(REAL_TIME_SHARE);
        if (isAdmitted) {
          terms.push(next);
          expect(sum.part <= limit * sum.whole).toBe(true);
        } else {
          expect(sum.part > (limit - BigInt(tasks.length)) * sum.whole).toBe(true);
        }
      }
    });
    fc.assert(property, { seed: 31, numRuns: 200 });
  });

  test('takes 90 % to the last billionth, and gives it back', () => {
    const world = createWorld(4);
    const [a, b, c, d] = [world.at(0), world.at(1), world.at(2), world.at(3)];
    for (const dcb of [a, b, c]) expect(admit(world, dcb, { wcet: 3, period: 10 })).toBe(0);
    const before = world.mem.words.slice();
    expect(admit(world, d, { wcet: 1, period: 2 ** 50 })).not.toBe(0);
    expect(world.mem.words).toEqual(before);
    expect(admit(world, c, { wcet: 2, period: 10 })).toBe(0);
    expect(admit(world, d, { wcet: 1, period: 10 })).toBe(0);
    expect(Kcb.realTimeShare.get(world.mem, world.kernel.kcb)).toBe(REAL_TIME_SHARE);
  });

  test('rounds a share up, whatever its terms (seed 32)', () => {
    const property = fc.property(task, ({ wcet, period }) => {
      const exact = BigInt(FULL_SHARE) * BigInt(wcet);
      const up = (exact + BigInt(period) - 1n) / BigInt(period);
      expect(BigInt(shareOf(wcet, period))).toBe(up);
      const down = (BigInt(period) * BigInt(wcet)) / BigInt(period);
      expect(BigInt(scale(period, wcet, period))).toBe(down);
    });
    fc.assert(property, { seed: 32, numRuns: 500 });
  });
});

/** The sum of fractions, times `FULL_SHARE`. */
function sumOf(terms: readonly { readonly wcet: bigint; readonly period: bigint }[]): {
  part: bigint;
  whole: bigint;
} {
  let part = 0n;
  let whole = 1n;
  for (const { wcet, period } of terms) {
    part = part * period + wcet * whole * BigInt(FULL_SHARE);
    whole *= period;
  }
  return { part, whole };
}

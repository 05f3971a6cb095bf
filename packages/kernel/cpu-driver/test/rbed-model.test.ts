import { Scheduler, TaskType } from '@barreleye/spec';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeRunnable, removeFromQueue, resumeRunning, stopRunning } from '../src/schedule.ts';
import { setTask } from '../src/task.ts';
import { RbedModel } from './rbed.model.ts';
import { SchedulerWorld } from './scheduler-world.ts';

const SLICE = 40;
const BEST_EFFORT = { wcet: 0, period: 0 };
/** Shares of 1/8 in all, so that products with them are exact in the model too. */
const HARD = [
  { wcet: 8, period: 32 },
  { wcet: 6, period: 48 },
  { wcet: 16, period: 64 },
];
const TERMS = [...HARD, BEST_EFFORT, BEST_EFFORT, BEST_EFFORT];

test('RBED decides every cycle as its model does (seed 41)', () => {
  const command = fc.record({
    cycles: fc.integer({ min: 1, max: 120 }),
    task: fc.integer({ min: 0, max: TERMS.length - 1 }),
    change: fc.constantFrom('wake', 'wake', 'block', 'block', 'stop', 'resume', 'resume'),
  });
  const property = fc.property(fc.array(command, { minLength: 20, maxLength: 120 }), (commands) => {
    const dispatchers = TERMS.length;
    const world = new SchedulerWorld({ scheduler: Scheduler.Rbed, timeslice: SLICE, dispatchers });
    const model = new RbedModel(TERMS, SLICE, 3 / 8);
    for (const [i, { wcet, period }] of HARD.entries()) {
      const terms = { wcet, period, relativeDeadline: period, weight: 1, release: 0 };
      expect(setTask(world.kernel, world.at(i), { ...terms, taskType: TaskType.Hard })).toBe(0);
    }
    const changes = {
      wake: (task: number) => {
        model.wish(task, true);
        makeRunnable(world.kernel, world.at(task));
      },
      block: (task: number) => {
        model.wish(task, false);
        removeFromQueue(world.kernel, world.at(task));
      },
      stop: (task: number) => {
        model.stop(task, true);
        stopRunning(world.kernel, world.at(task));
      },
      resume: (task: number) => {
        model.stop(task, false);
        resumeRunning(world.kernel, world.at(task));
      },
    };
    for (const { cycles, task, change } of commands) {
      changes[change](task);
      const end = world.now + cycles;
      const trace: (number | undefined)[] = Array.from({ length: cycles }, () => undefined);
      const start = world.now;
      world.run(
        end,
        () => Number.POSITIVE_INFINITY,
        (dcb, from, to) => trace.fill(world.dcbs.indexOf(dcb), from - start, to - start),
      );
      expect(trace).toEqual(Array.from({ length: cycles }, () => model.step()));
    }
  });
  fc.assert(property, { seed: 41, numRuns: 200 });
});

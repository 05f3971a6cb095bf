/** What share of its core a dispatcher gets: best effort by weight, or a real-time task. */

import type { Errval } from '@barreleye/core';
import { DispatcherCmd, Err, TaskType } from '@barreleye/spec';
import type { Capref } from './capref.ts';
import { pushed, type Sys } from './sys.ts';

/** What a dispatcher is to the scheduler. */
export type Task =
  /** Takes turns, as long as its weight beside the weights of others. */
  | { readonly kind: 'bestEffort'; readonly weight: number }
  /** Needs `wcet` cycles within `deadline` cycles of each release, one every `period` cycles. */
  | {
      readonly kind: 'soft' | 'hard';
      readonly wcet: number;
      readonly deadline: number;
      readonly period: number;
      /** Of the first job, cycles since power-on; now, if left out. */
      readonly release?: number;
    };

const TASK_TYPES = {
  bestEffort: TaskType.BestEffort,
  soft: TaskType.Soft,
  hard: TaskType.Hard,
} as const satisfies Record<Task['kind'], TaskType>;

/**
 * Let the dispatcher be `task` to the scheduler from now on.
 * @errors LIB_ERR_DISP_PROPERTIES over the kernel's reason: SYS_ERR_SCHED_PARAMETERS,
 *   SYS_ERR_SCHED_NO_REAL_TIME (round robin), SYS_ERR_SCHED_NOT_ADMITTED
 */
export function dispatcherProperties(
  sys: Sys,
  dispatcher: Capref<'Dispatcher'>,
  task: Task,
): Errval {
  sys.begin(dispatcher, DispatcherCmd.Properties);
  sys.arg(TASK_TYPES[task.kind]);
  const isBestEffort = task.kind === 'bestEffort';
  sys.arg(isBestEffort ? task.weight : 0);
  const times = isBestEffort
    ? [0, 0, 0, 0]
    : [task.deadline, task.wcet, task.period, task.release ?? 0];
  for (const cycles of times) sys.arg64(cycles);
  return pushed(sys.call(), Err.LIB_ERR_DISP_PROPERTIES);
}

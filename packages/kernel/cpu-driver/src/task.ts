/**
 * What a dispatcher is to the scheduler: best effort with a weight, or a real-time task. Real-time
 * tasks are admitted as long as their shares leave best effort its own; a share is the most that
 * a task can ask of the time to a deadline. Each is rounded up to a billionth and added as an
 * integer, so a sum never drifts.
 * @differs Barrelfish panics where the sum is too great, and counts blocked tasks out (T37)
 */

import type { Slot } from '@barreleye/caps';
import { type Errval, fromWords, isOk, OK, type Ptr } from '@barreleye/core';
import {
  Dcb,
  DcbState,
  Err,
  Kcb,
  MAX_WEIGHT,
  NO_DCB,
  REAL_TIME_SHARE,
  Scheduler,
  TaskType,
} from '@barreleye/spec';
import { dcbOf } from './dcb.ts';
import type { Kernel } from './kernel.ts';
import { shareRing } from './rbed.ts';
import { charge, makeRunnable, removeFromQueue } from './schedule.ts';
import { MAX_CYCLES, shareOf } from './share.ts';

/** A task as its caller describes it; cycles. */
export interface Task {
  taskType: TaskType;
  weight: number;
  relativeDeadline: number;
  wcet: number;
  period: number;
  /** Of the first job; 0 for now. */
  release: number;
}

/**
 * `DispatcherCmd.Properties`. A running job ends with the change.
 * @errors SYS_ERR_DISP_NOT_RUNNABLE the dispatcher is dead; those of `setTask`
 */
export function setProperties(k: Kernel, dispatcher: Slot): Errval {
  const [taskType = 0, weight = 0] = k.args;
  const cycles = (i: number): number => fromWords(k.args[2 + 2 * i] ?? 0, k.args[3 + 2 * i] ?? 0);
  const [relativeDeadline, wcet, period, release] = [cycles(0), cycles(1), cycles(2), cycles(3)];
  const dcb = dcbOf(k, dispatcher);
  if (Dcb.state.get(k.mem, dcb) === DcbState.Dead) return Err.SYS_ERR_DISP_NOT_RUNNABLE;
  return setTask(k, dcb, {
    taskType: taskType as TaskType,
    weight,
    relativeDeadline,
    wcet,
    period,
    release,
  });
}

/**
 * Let `dcb` be `task` from now on.
 * @errors SYS_ERR_SCHED_PARAMETERS no such type; a weight that is not 1 to `MAX_WEIGHT`; not
 *   `0 < wcet <= deadline <= period`, or beyond what is exact; SYS_ERR_SCHED_NO_REAL_TIME;
 *   SYS_ERR_SCHED_NOT_ADMITTED
 */
export function setTask(k: Kernel, dcb: Ptr<'Dcb'>, task: Task): Errval {
  const { mem, kcb } = k;
  const err = decodeTask(k, task);
  if (!isOk(err)) return err;
  const others = Kcb.realTimeShare.get(mem, kcb) - admittedShare(k, dcb);
  const share = others + shareOfTask(task);
  if (share > REAL_TIME_SHARE) return Err.SYS_ERR_SCHED_NOT_ADMITTED;
  applyTask(k, dcb, task, share);
  return OK;
}

/** `dcb` is dead: the scheduler keeps nothing of it. */
export function dropTask(k: Kernel, dcb: Ptr<'Dcb'>): void {
  depart(k, dcb);
  Kcb.realTimeShare.set(k.mem, k.kcb, Kcb.realTimeShare.get(k.mem, k.kcb) - admittedShare(k, dcb));
  Dcb.taskType.set(k.mem, dcb, TaskType.BestEffort);
}

/** The share that `dcb` has been promised. */
export function admittedShare({ mem }: Kernel, dcb: Ptr<'Dcb'>): number {
  return shareOfTask({
    taskType: Dcb.taskType.get(mem, dcb),
    wcet: Dcb.wcet.get(mem, dcb),
    relativeDeadline: Dcb.relativeDeadline.get(mem, dcb),
  });
}

function shareOfTask(task: Pick<Task, 'taskType' | 'wcet' | 'relativeDeadline'>): number {
  if (task.taskType === TaskType.BestEffort) return 0;
  return shareOf(task.wcet, task.relativeDeadline);
}

function decodeTask(k: Kernel, task: Task): Errval {
  const { taskType, weight, relativeDeadline, wcet, period, release } = task;
  const isRoundRobin = Kcb.scheduler.get(k.mem, k.kcb) === Scheduler.RoundRobin;
  switch (taskType) {
    case TaskType.BestEffort:
      if (weight < 1 || weight > MAX_WEIGHT) return Err.SYS_ERR_SCHED_PARAMETERS;
      return isRoundRobin && weight !== 1 ? Err.SYS_ERR_SCHED_NO_REAL_TIME : OK;
    case TaskType.Soft:
    case TaskType.Hard: {
      const isOrdered = wcet > 0 && wcet <= relativeDeadline && relativeDeadline <= period;
      // A number beyond 2^53 arrives as NaN, which no comparison holds for.
      const isExact = Math.max(period, release) <= MAX_CYCLES;
      if (!isOrdered || !isExact) return Err.SYS_ERR_SCHED_PARAMETERS;
      return isRoundRobin ? Err.SYS_ERR_SCHED_NO_REAL_TIME : OK;
    }
    default:
      return Err.SYS_ERR_SCHED_PARAMETERS;
  }
}

function applyTask(k: Kernel, dcb: Ptr<'Dcb'>, task: Task, share: number): void {
  const { mem, kcb } = k;
  const now = k.hal.now();
  const isRunnable = Dcb.state.get(mem, dcb) === DcbState.Runnable;
  const isRealTime = task.taskType !== TaskType.BestEffort;
  removeFromQueue(k, dcb);
  depart(k, dcb);
  Kcb.realTimeShare.set(mem, kcb, share);
  Dcb.taskType.set(mem, dcb, task.taskType);
  Dcb.weight.set(mem, dcb, isRealTime ? 1 : task.weight);
  Dcb.wcet.set(mem, dcb, isRealTime ? task.wcet : 0);
  Dcb.period.set(mem, dcb, isRealTime ? task.period : 0);
  Dcb.relativeDeadline.set(mem, dcb, isRealTime ? task.relativeDeadline : 0);
  // The share of a task that is gone is free when its last job would have been over.
  const release = Math.max(now, task.release, Kcb.departure.get(mem, kcb));
  Dcb.release.set(mem, dcb, isRealTime ? release : 0);
  Dcb.deadline.set(mem, dcb, 0);
  Dcb.budget.set(mem, dcb, 0);
  shareRing(k, now);
  if (!isRunnable) return;
  makeRunnable(k, dcb);
  k.hal.setTimer(now);
}

/** `dcb` is no longer the task that it was. */
function depart(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  charge(k);
  if (Kcb.payer.get(mem, kcb) === dcb) Kcb.payer.set(mem, kcb, NO_DCB);
  const last = Math.max(Kcb.departure.get(mem, kcb), Dcb.deadline.get(mem, dcb));
  Kcb.departure.set(mem, kcb, last);
}

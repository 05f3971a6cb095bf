import { errPush, OK } from '@barreleye/core';
import { archArmv7, archX86_64, DispatcherCmd, Err, invokeHeader, TaskType } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../test/recorder.ts';
import { type Capref, capref } from './capref.ts';
import { type DispatcherParts, dispatcherSetup } from './dispatcher-cap.ts';
import { dispatcherProperties, type Task } from './dispatcher-task.ts';

const DISPATCHER: Capref<'Dispatcher'> = capref(8, 1);
const DOMAIN: Capref<'Domain'> = capref(8, 2);
const ROOT: Capref<'L1CNode'> = capref(8, 3);

describe.each([archX86_64, archArmv7])('dispatcher commands on $name', (arch) => {
  const parts: DispatcherParts = {
    cspace: ROOT,
    vspaceRoot: 0x600,
    frame: 0x102,
    frameVaddr: 0x1_0080_0000,
    isRun: true,
  };
  const setupWords = [ROOT.cptr, 2, 0x600, 0x102, 1, 0x80_0000, 1];

  it.each([
    ['the domain that it names', { ...parts, domain: DOMAIN }, DOMAIN.cptr],
    ['that of another dispatcher', { ...parts, domain: DISPATCHER }, DISPATCHER.cptr],
    ['that of the caller', parts, 0],
  ])('a setup gives a dispatcher %s', (_, given, address) => {
    const kernel = new Recorder(arch);
    expect(dispatcherSetup(kernel.sys, DISPATCHER, given)).toBe(OK);
    const header = invokeHeader(DispatcherCmd.Setup, 2);
    expect(kernel.words(8)).toEqual([header, DISPATCHER.cptr, ...setupWords, address]);
  });

  const deadline = 0x1_0000_0002;
  const tasks: readonly (readonly [Task, readonly number[]])[] = [
    [{ kind: 'bestEffort', weight: 7 }, [TaskType.BestEffort, 7, 0, 0, 0, 0, 0, 0, 0, 0]],
    [{ kind: 'soft', wcet: 5, deadline: 6, period: 9 }, [TaskType.Soft, 0, 6, 0, 5, 0, 9, 0, 0, 0]],
    [
      { kind: 'hard', wcet: 5, deadline, period: 2 * deadline, release: 77 },
      [TaskType.Hard, 0, 2, 1, 5, 0, 4, 2, 77, 0],
    ],
  ];

  it.each(tasks)('a dispatcher becomes the task %j', (task, words) => {
    const kernel = new Recorder(arch);
    expect(dispatcherProperties(kernel.sys, DISPATCHER, task)).toBe(OK);
    const header = invokeHeader(DispatcherCmd.Properties, 2);
    expect(kernel.words(10)).toEqual([header, DISPATCHER.cptr, ...words]);
  });
});

it('errors say what was tried over why it was refused', () => {
  const { sys } = new Recorder(archX86_64, Err.SYS_ERR_SCHED_NOT_ADMITTED);
  expect(dispatcherProperties(sys, DISPATCHER, { kind: 'bestEffort', weight: 1 })).toBe(
    errPush(Err.SYS_ERR_SCHED_NOT_ADMITTED, Err.LIB_ERR_DISP_PROPERTIES),
  );
});

it('a task says all that its kind needs, or it does not compile', () => {
  const { sys } = new Recorder();
  // @ts-expect-error: best effort has a weight
  dispatcherProperties(sys, DISPATCHER, { kind: 'bestEffort' });
  // @ts-expect-error: a real-time task has a deadline
  const task: Task = { kind: 'hard', wcet: 1, period: 2 };
  expect(task.kind).toBe('hard');
});

/** Stopping and resuming: the words of the calls, and their errors. */

import { OK } from '@barreleye/core';
import { archArmv7, archX86_64, DispatcherCmd, Err, errNames, invokeHeader } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../test/recorder.ts';
import { capref } from './capref.ts';
import { dispatcherResume, dispatcherStop } from './dispatcher-cap.ts';

const DISPATCHER = capref<'Dispatcher'>(8, 4);
const PAIR = [
  ['stop', dispatcherStop, DispatcherCmd.Stop, 'LIB_ERR_DISP_STOP'],
  ['resume', dispatcherResume, DispatcherCmd.Resume, 'LIB_ERR_DISP_RESUME'],
] as const;

describe.each(PAIR)('to %s a dispatcher', (_, invoke, command, name) => {
  it.each([archX86_64, archArmv7])('takes nothing but its capability on $name', (arch) => {
    const kernel = new Recorder(arch);
    expect(invoke(kernel.sys, DISPATCHER)).toBe(OK);
    expect(kernel.words(0)).toEqual([invokeHeader(command, 2), 0x804]);
  });

  it("may fail, for the kernel's reason", () => {
    const { sys } = new Recorder(archX86_64, Err.SYS_ERR_DISP_NOT_RUNNABLE);
    expect(errNames(invoke(sys, DISPATCHER))).toEqual([name, 'SYS_ERR_DISP_NOT_RUNNABLE']);
  });

  it('does not compile for anything else', () => {
    const { sys } = new Recorder();
    // @ts-expect-error: an endpoint does not give that authority
    expect(invoke(sys, capref<'EndPointLMP'>(8, 4))).toBe(OK);
  });
});

it('who stops itself succeeds by losing the core', () => {
  const { sys, cpu } = new Recorder();
  cpu.onSyscall = () => cpu.leave();
  expect(dispatcherStop(sys, DISPATCHER)).toBe(OK);
});

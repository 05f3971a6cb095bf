/** What a core asks of others: to start, and to look. */

import { IrqLine } from '@barreleye/machine';
import { BOOTINFO_BYTES, Kcb, KernelCmd, NotifyCmd, ObjType, Rights } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { TARGETS } from './bench.ts';
import { KERNEL, must, placeOf, RAM, User } from './user.ts';

const PAGE = 4096;

/** A frame of `bytes` bytes. */
function frame(user: User, bytes: number): number {
  const slot = user.newSlot();
  must(user.retype(RAM, 0, ObjType.Frame, bytes, 1, slot));
  return slot;
}

/** A capability to raise `line` of `core`, as a monitor describes it. */
function notify(user: User, core: number, line: number): number {
  const slot = user.newSlot();
  const words = [ObjType.Notify_IPI + Rights.All * 0x100, 0, 0, 0, 0, 0, core, line];
  must(user.invoke(KERNEL, KernelCmd.CreateCap, ...words, ...placeOf(slot)));
  return slot;
}

describe.each(TARGETS)('on $name', (target) => {
  test('a core is started with boot information in a frame that has room for it', () => {
    const user = new User(target);
    const page = frame(user, BOOTINFO_BYTES);
    const start = (core: number, cap: number): readonly string[] =>
      user.invoke(KERNEL, KernelCmd.SpawnCore, core, cap, 2).names;
    // The machine has one core, so nobody can be started: but what is asked for is looked at first.
    expect(start(1, page)).toEqual(['SYS_ERR_CORE_START']);
    expect(start(0, page)).toEqual(['SYS_ERR_CORE_START']);
    expect(start(255, page)).toEqual(['SYS_ERR_CORE_START']);
    expect(start(0xffff_ffff, page)).toEqual(['SYS_ERR_CORE_START']);
    expect(start(1, RAM)).toEqual(['SYS_ERR_INVALID_SOURCE_TYPE']);
    expect(start(1, user.newSlot())).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('boot information does not fit a page', () => {
    const user = new User(target);
    const page = frame(user, PAGE);
    const { names } = user.invoke(KERNEL, KernelCmd.SpawnCore, 1, page, 2);
    expect(names).toEqual(['SYS_ERR_INVALID_SOURCE_TYPE']);
  });

  test('a notification raises a line of its core; of a core that is not there, none', () => {
    const user = new User(target);
    const { mem, kcb } = user.bench.kernel;
    const interrupts = (): number => Kcb.interrupts.get(mem, kcb);
    const before = interrupts();
    must(user.invoke(notify(user, 9, IrqLine.FirstNotify), NotifyCmd.Send));
    expect(interrupts()).toBe(before);
    must(user.invoke(notify(user, 0, IrqLine.FirstNotify + 3), NotifyCmd.Send));
    user.bench.run(1000);
    expect(interrupts()).toBe(before + 1);
  });

  test.each([0, 1, 2, 31, 96, 0xffff_ffff])('line %i is not for other cores to raise', (line) => {
    const user = new User(target);
    const { names } = user.invoke(notify(user, 0, line), NotifyCmd.Send);
    expect(names).toEqual(['SYS_ERR_IRQ_INVALID']);
  });
});

/** A core that is stopped for good, by itself, and started anew by another. */

import { eachCap } from '@barreleye/caps';
import { CoreMode, IrqLine } from '@barreleye/machine';
import {
  CPTR_ROOTCN,
  Cte,
  capTypeName,
  KernelCmd,
  NotifyCmd,
  ObjType,
  Rights,
  Syscall,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { TARGETS, type Target } from './bench.ts';
import { SecondCore, TWO_CORES } from './second-core.ts';
import { KERNEL, must, placeOf, User } from './user.ts';

function startTwo(target: Target): SecondCore {
  const second = new SecondCore(new User(target, TWO_CORES));
  must(second.start());
  return second;
}

/** Capabilities of the first core, by type, and RAM that nobody holds. */
function inventory({ bench }: User): Record<string, number> {
  const { kernel, mem } = bench;
  const counts: Record<string, number> = {};
  for (const slot of eachCap(kernel.caps)) {
    const name = capTypeName(Cte.type.get(mem, slot));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe.each(TARGETS)('a core on $name', (target) => {
  test('ends with the call that stops it, and the others go on', () => {
    const second = startTwo(target);
    const { first, user } = second;
    const { core } = user.bench;
    expect(must(user.invoke(KERNEL, KernelCmd.GetCoreId)).value).toBe(1);
    expect(second.isOff()).toBe(false);
    expect(user.invoke(KERNEL, KernelCmd.StopCore).names).toEqual(['left']);
    expect(core.mode).toBe(CoreMode.Off);
    expect(second.isOff()).toBe(true);
    const { cycles } = core;
    first.bench.run(1e6);
    expect(core.cycles, 'it takes no time').toBe(cycles);
    expect(
      user.bench.tryAct(() => 0),
      'nobody is entered',
    ).toBeUndefined();
    must(first.call(Syscall.Nop));
    expect(checkInvariants(first.bench.kernel)).toEqual([]);
  });

  test('keeps nothing for its next life: no timer, no interrupt, no translation', () => {
    const second = startTwo(target);
    const { first, user } = second;
    const { core, arch } = user.bench;
    expect(user.reads(arch.dispatcherBase)).toBeDefined();
    core.setTimer(core.now() + 1e6);
    core.raise(IrqLine.FirstNotify);
    user.invoke(KERNEL, KernelCmd.StopCore);
    const words = [ObjType.Notify_IPI + Rights.All * 0x100, 0, 0, 0, 0, 0, 1, 32];
    const notify = first.newSlot();
    must(first.invoke(KERNEL, KernelCmd.CreateCap, ...words, ...placeOf(notify)));
    must(first.invoke(notify, NotifyCmd.Send));
    expect(core.hasInterrupt()).toBe(false);
    expect(core.currentRoot()).toBe(0);
    expect(core.mmu.ramIndexAt(arch.dispatcherBase, 0)).toBe(-1);
    expect(core.timerDeadline).toBe(Number.POSITIVE_INFINITY);
    expect([...core.regs].every((word) => word === 0)).toBe(true);
    first.bench.run(1e7);
    expect(core.mode).toBe(CoreMode.Off);
  });

  test('is started and stopped 100 times, and leaves nothing', () => {
    const first = new User(target, TWO_CORES);
    const second = new SecondCore(first);
    const before = inventory(first);
    const freeBefore = must(first.invoke(KERNEL, KernelCmd.Counters, 6)).value;
    for (let i = 0; i < 100; i++) {
      must(second.start());
      const { user } = second;
      const frame = user.make(ObjType.Frame, 4096);
      expect(user.base(frame)).toBeGreaterThan(first.base(second.memory));
      if (i % 10 === 0) expect(checkInvariants(user.bench.kernel)).toEqual([]);
      expect(user.invoke(KERNEL, KernelCmd.StopCore).names).toEqual(['left']);
      expect(second.isOff()).toBe(true);
      second.takeBack();
      expect(inventory(first)).toEqual(before);
    }
    expect(must(first.invoke(KERNEL, KernelCmd.Counters, 6)).value).toBe(freeBefore);
    expect(checkInvariants(first.bench.kernel)).toEqual([]);
  });

  test('that runs is not started again, and goes on', () => {
    const second = startTwo(target);
    const { first, user } = second;
    const { names } = first.invoke(KERNEL, KernelCmd.SpawnCore, 1, second.page, 2);
    expect(names).toEqual(['SYS_ERR_CORE_START']);
    expect(must(user.invoke(KERNEL, KernelCmd.GetCoreId)).value).toBe(1);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('is not stopped by another domain than one that holds the Kernel capability', () => {
    const second = startTwo(target);
    const { user } = second;
    const weak = user.newSlot();
    must(user.mint(KERNEL, weak, Rights.Write));
    expect(user.invoke(weak, KernelCmd.StopCore).names).toEqual(['SYS_ERR_CAP_RIGHTS']);
    const { names } = user.invoke(CPTR_ROOTCN, KernelCmd.StopCore);
    expect(names).toEqual(['SYS_ERR_ILLEGAL_INVOCATION']);
    expect(second.isOff()).toBe(false);
  });

  test('is known to be off if there is no such core, and unknown if it has no number', () => {
    const user = new User(target);
    const isOff = (core: number) => user.invoke(KERNEL, KernelCmd.IsCoreOff, core);
    expect(must(isOff(0)).value).toBe(0);
    expect(must(isOff(1)).value).toBe(1);
    expect(must(isOff(254)).value).toBe(1);
    for (const nobody of [255, 256, 0xffff_ffff]) {
      expect(isOff(nobody).names).toEqual(['SYS_ERR_INVARGS_SYSCALL']);
    }
  });
});

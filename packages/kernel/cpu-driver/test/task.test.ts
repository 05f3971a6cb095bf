import { highWord, lowWord } from '@barreleye/core';
import {
  Dcb,
  DcbState,
  DispatcherCmd,
  DispatcherFrame,
  Kcb,
  MAX_WEIGHT,
  REAL_TIME_SHARE,
  Scheduler,
  TaskType,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { type Behaviour, TARGETS } from './bench.ts';
import { Spawner } from './spawn.ts';
import { type Answer, must, OWN_DISPATCHER, User } from './user.ts';

const SLICE = 20_000;

/** Ask for deadline, computing time, period, first release. */
function become(
  user: User,
  dispatcher: number,
  type: number,
  weight: number,
  ...cycles: number[]
): Answer {
  const words = cycles.flatMap((value) => [lowWord(value), highWord(value)]);
  return user.invoke(dispatcher, DispatcherCmd.Properties, type, weight, ...words);
}

const { BestEffort, Soft, Hard } = TaskType;

describe.each(TARGETS)('the properties of a dispatcher on $name', (target) => {
  test.each([
    ['an unknown type', [3, 1, 10, 1, 10, 0]],
    ['a weight of nothing', [BestEffort, 0, 0, 0, 0, 0]],
    ['too great a weight', [BestEffort, MAX_WEIGHT + 1, 0, 0, 0, 0]],
    ['no computing time', [Hard, 1, 10, 0, 10, 0]],
    ['more computing time than there is until the deadline', [Soft, 1, 10, 11, 20, 0]],
    ['a deadline after the next release', [Hard, 1, 21, 1, 20, 0]],
    ['a period that is not exact', [Hard, 1, 20, 1, 2 ** 51, 0]],
    ['numbers of all bits', [Hard, 1, 2 ** 64 - 2048, 1, 2 ** 64 - 2048, 2 ** 64 - 2048]],
    ['a release of all bits', [Hard, 1, 20, 1, 20, 2 ** 64 - 2048]],
    ['a release that is not exact', [Hard, 1, 20, 1, 20, 2 ** 52]],
  ] as const)('cannot have %s', (_, [type, weight, ...cycles]) => {
    const user = new User(target, { scheduler: Scheduler.Rbed });
    const { mem, plan } = user.bench;
    const taskOf = (): Uint8Array => mem.read(user.at(OWN_DISPATCHER, Dcb.wcet.offset), 56);
    const before = taskOf();
    const answer = become(user, OWN_DISPATCHER, type, weight, ...cycles);
    expect(answer.names).toEqual(['SYS_ERR_SCHED_PARAMETERS']);
    expect(taskOf()).toEqual(before);
    expect(Dcb.taskType.get(mem, user.dcb)).toBe(BestEffort);
    expect(Kcb.realTimeShare.get(mem, plan.kcb)).toBe(0);
  });

  test('are admitted up to the limit; the dead leave it', () => {
    const user = new User(target, { dispatchers: 2, scheduler: Scheduler.Rbed });
    const { mem, kernel } = user.bench;
    const spawner = new Spawner(user);
    const [one, other] = [spawner.create(), spawner.create()];
    must(become(user, one.dispatcher, Hard, 1, 1000, 500, 1000, 0));
    must(become(user, other.dispatcher, Soft, 1, 1000, 400, 1000, 0));
    expect(Kcb.realTimeShare.get(mem, kernel.kcb)).toBe(REAL_TIME_SHARE);
    const refused = become(user, OWN_DISPATCHER, Hard, 1, 2 ** 40, 1, 2 ** 40, 0);
    expect(refused.names).toEqual(['SYS_ERR_SCHED_NOT_ADMITTED']);
    expect(checkInvariants(kernel)).toEqual([]);
    must(user.revoke(one.dispatcher));
    must(user.delete(one.dispatcher));
    expect(Kcb.realTimeShare.get(mem, kernel.kcb)).toBe(REAL_TIME_SHARE * (4 / 9));
    must(become(user, other.dispatcher, BestEffort, 5, 0, 0, 0, 0));
    expect(Kcb.realTimeShare.get(mem, kernel.kcb)).toBe(0);
    expect(checkInvariants(kernel)).toEqual([]);
  });

  test('of the dead cannot be changed, nor under round robin', () => {
    const user = new User(target, { dispatchers: 1 });
    const other = new Spawner(user).create();
    const real = become(user, other.dispatcher, Hard, 1, 1000, 500, 1000, 0);
    expect(real.names).toEqual(['SYS_ERR_SCHED_NO_REAL_TIME']);
    const heavy = become(user, other.dispatcher, BestEffort, 2, 0, 0, 0, 0);
    expect(heavy.names).toEqual(['SYS_ERR_SCHED_NO_REAL_TIME']);
    must(become(user, other.dispatcher, BestEffort, 1, 0, 0, 0, 0));
    Dcb.state.set(user.bench.mem, other.dcb, DcbState.Dead);
    const dead = become(user, other.dispatcher, BestEffort, 1, 0, 0, 0, 0);
    expect(dead.names).toEqual(['SYS_ERR_DISP_NOT_RUNNABLE']);
  });

  test('make its jobs come in time beside hogs, whatever interrupts', () => {
    const user = new User(target, { dispatchers: 2, scheduler: Scheduler.Rbed, timeslice: SLICE });
    const { bench } = user;
    const spawner = new Spawner(user);
    const hog: Behaviour = (cpu) => {
      while (cpu.isLive()) {
        cpu.spend(300);
        cpu.poll();
        if (cpu.now() % 5 === 0) bench.core.raise(9);
      }
    };
    const [task, greedy] = [spawner.spawn(hog), spawner.spawn(hog)];
    bench.behaviours.set(user.dcb, hog);
    must(become(user, task.dispatcher, Hard, 1, 30_000, 6000, 30_000, 0));
    must(become(user, greedy.dispatcher, Hard, 1, 50_000, 25_000, 50_000, 0));
    const used = new Map<number, number>();
    const start = bench.core.cycles + 60_000;
    bench.run(60_000);
    const entries = bench.entriesDuring(() => bench.run(6_000_000));
    for (const [i, { dcb, at }] of entries.entries()) {
      used.set(dcb, (used.get(dcb) ?? 0) + (entries[i + 1]?.at ?? at) - at);
    }
    const total = bench.core.cycles - start;
    const shareOf = (dcb: number): number => (used.get(dcb) ?? 0) / total;
    expect(shareOf(task.dcb)).toBeCloseTo(0.2, 2);
    expect(shareOf(greedy.dcb)).toBeCloseTo(0.5, 2);
    expect(shareOf(user.dcb)).toBeCloseTo(0.3, 2);
    expect(DispatcherFrame.systime.get(bench.mem, task.frame)).toBeGreaterThan(start);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});

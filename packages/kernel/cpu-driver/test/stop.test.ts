import { coreId, type Ptr } from '@barreleye/core';
import {
  Cte,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherCmd,
  DispatcherFrame,
  Gate,
  IrqDestCmd,
  IrqTableCmd,
  invokeHeader,
  Kcb,
  LmpFlag,
  NO_DCB,
  Rights,
  Scheduler,
  Syscall,
  TaskType,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { setTask } from '../src/task.ts';
import { type Bench, TARGETS } from './bench.ts';
import { Domain, NEW_HOME } from './domain.ts';
import { areaWords, differences, expectRefused, snapshot, store64 } from './memory.ts';
import { MESSAGE_TARGETS, Parties, sendWords } from './parties.ts';
import { Spawner } from './spawn.ts';
import { IRQ_TABLE, must, OWN_DISPATCHER, placeOf, User } from './user.ts';
import { watchEntries } from './watch.ts';

const { Stop, Resume } = DispatcherCmd;
const LINE = 7;

/** Who is entered, and how, while the turn of whoever has the core ends `count` times. */
function turns(bench: Bench, count: number): { dcb: number; gate: number }[] {
  const entries = bench.entriesDuring(() => {
    for (let i = 0; i < count; i++) {
      bench.endTurn();
      bench.run(1);
    }
  });
  return entries.map(({ dcb, gate }) => ({ dcb, gate }));
}

/** Two domains, the kernel watched at every entry. */
function watched(target: (typeof MESSAGE_TARGETS)[number], ringWords?: number): Parties {
  const parties = new Parties(target, ringWords);
  const problems: string[] = [];
  watchEntries(parties.bench, problems, () => 'stop');
  const { afterEntry } = parties.bench;
  parties.bench.afterEntry = () => {
    afterEntry();
    expect(problems).toEqual([]);
  };
  return parties;
}

/** A call with which the other resumes the first domain. */
function resumeByOther({ user, other }: Parties): void {
  other.give(OWN_DISPATCHER, NEW_HOME, 1);
  const words = [Syscall.Invoke, invokeHeader(Resume, 2), capAddrOf(NEW_HOME, 1)];
  user.bench.behaviours.set(other.dcb, (cpu) => {
    const { argWords } = cpu.arch;
    for (const [i, word] of words.entries()) cpu.regs[argWords[i] ?? 0] = word;
    cpu.spend(100);
    cpu.syscall();
    cpu.spend(10_000);
    cpu.poll();
  });
}

describe.each(MESSAGE_TARGETS)('a stopped dispatcher on $name', (target) => {
  test('does not run, and goes on where it was when it is resumed', () => {
    const { user, bench, other } = watched(target);
    const { mem } = bench;
    turns(bench, 2);
    expect(bench.current).toBe(user.dcb);
    const registers = areaWords(bench, other.frame, 'disabledArea');
    must(user.invoke(other.dispatcher, Stop));
    expect(new Set(turns(bench, 6).map(({ dcb }) => dcb))).toEqual(new Set([user.dcb]));
    expect(areaWords(bench, other.frame, 'disabledArea')).toEqual(registers);
    bench.replaceDriver();
    expect(turns(bench, 4).some(({ dcb }) => dcb === other.dcb)).toBe(false);
    must(user.invoke(other.dispatcher, Resume));
    expect(Dcb.state.get(mem, other.dcb)).toBe(DcbState.Runnable);
    bench.endTurn();
    const [entry] = bench.entriesDuring(() => bench.run(1));
    expect(entry).toMatchObject({ dcb: other.dcb, gate: Gate.Resume });
    expect(entry?.regs.slice(0, registers.length)).toEqual(registers);
  });

  test('gets messages, but not the core that is to go with them', () => {
    const { user, bench, other, otherRing, toOther } = watched(target, 8);
    turns(bench, 2);
    must(user.invoke(other.dispatcher, Stop));
    expect(bench.current).toBe(user.dcb);
    must(user.call(...sendWords(toOther, [1, 2], { flags: LmpFlag.Sync })));
    expect(bench.current).toBe(user.dcb);
    must(user.call(...sendWords(toOther, [3], { flags: LmpFlag.Sync })));
    const full = user.call(...sendWords(toOther, [4, 5, 6], { flags: LmpFlag.Yield }));
    expect(full.names).toEqual(['SYS_ERR_LMP_BUF_OVERFLOW']);
    expect(otherRing.receive()?.words).toEqual([1, 2]);
    expect(otherRing.receive()?.words).toEqual([3]);
    const lrpc = user.call(Syscall.Lrpc, toOther, 1, 2, 3, 4);
    expect(lrpc.names, 'it is disabled').toEqual(['SYS_ERR_LMP_TARGET_DISABLED']);
    Dcb.disabled.set(bench.mem, other.dcb, 0);
    must(user.call(Syscall.Lrpc, toOther, 5, 6, 7, 8));
    expect(bench.current).toBe(user.dcb);
    for (const cap of [toOther, other.dispatcher]) {
      DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
      expectRefused(user, ['SYS_ERR_INVALID_YIELD_TARGET'], [Syscall.Yield, cap]);
    }
    must(user.invoke(other.dispatcher, Resume));
    expect(turns(bench, 1)).toContainEqual({ dcb: other.dcb, gate: Gate.Run });
    expect(otherRing.receive()?.words).toEqual([5, 6, 7, 8]);
  });

  test('I65: that slept is woken by a message when it is resumed, and only then', () => {
    const parties = watched(target);
    const { user, bench, other, toOther, otherRing } = parties;
    parties.giveCoreTo(other.dcb);
    user.call(Syscall.Yield, 0); // as the other, which sleeps until a message comes
    expect(Dcb.state.get(bench.mem, other.dcb)).toBe(DcbState.Blocked);
    must(user.invoke(other.dispatcher, Stop));
    must(user.call(...sendWords(toOther, [9])));
    expect(Dcb.state.get(bench.mem, other.dcb), 'it wants to run').toBe(DcbState.Runnable);
    expect(turns(bench, 4).some(({ dcb }) => dcb === other.dcb)).toBe(false);
    must(user.invoke(other.dispatcher, Resume));
    expect(turns(bench, 2)).toContainEqual({ dcb: other.dcb, gate: Gate.Run });
    expect(otherRing.receive()?.words).toEqual([9]);
  });

  test('gets its interrupts, and does not run for them', () => {
    const { user, bench, other, toOther, otherRing } = watched(target);
    const irq = user.newSlot();
    must(user.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, LINE, ...placeOf(irq)));
    must(user.invoke(irq, IrqDestCmd.Connect, toOther, 2));
    must(user.invoke(other.dispatcher, Stop));
    bench.core.raise(LINE);
    expect(turns(bench, 3).some(({ dcb }) => dcb === other.dcb)).toBe(false);
    expect(otherRing.receive()).toEqual({ words: [], hasCap: false });
    must(user.invoke(other.dispatcher, Resume));
    expect(turns(bench, 2).some(({ dcb }) => dcb === other.dcb)).toBe(true);
  });

  test('keeps its wake-up: due when it is resumed, or still to come', () => {
    const parties = watched(target);
    const { user, bench, other } = parties;
    const { mem } = bench;
    const sleepUntil = (time: number): void => {
      parties.giveCoreTo(other.dcb);
      DispatcherFrame.disabled.set(mem, other.frame, 1);
      store64(bench, other.frame + DispatcherFrame.wakeup.offset, time);
      user.call(Syscall.Yield, 0);
      expect(bench.current).toBe(user.dcb);
      must(user.invoke(other.dispatcher, Stop));
    };
    sleepUntil(bench.core.cycles + 30_000);
    expect(entriesOf(bench, other.dcb, 60_000)).toBe(0);
    expect(Dcb.state.get(mem, other.dcb), 'its time has come').toBe(DcbState.Runnable);
    must(user.invoke(other.dispatcher, Resume));
    expect(turns(bench, 2)).toContainEqual({ dcb: other.dcb, gate: Gate.Run });

    const time = bench.core.cycles + 500_000;
    sleepUntil(time);
    must(user.invoke(other.dispatcher, Resume));
    expect(Dcb.wakeupTime.get(mem, other.dcb)).toBe(time);
    expect(turns(bench, 4).some(({ dcb }) => dcb === other.dcb)).toBe(false);
    const entries = bench.entriesDuring(() => bench.run(600_000));
    const woken = entries.find(({ dcb }) => dcb === other.dcb);
    expect(woken?.gate).toBe(Gate.Run);
    expect(woken?.at).toBeGreaterThanOrEqual(time);
  });

  test('may be stopped again, and may be resumed again, to no effect', () => {
    const { user, bench, other } = watched(target);
    const quietly = (command: number): void => {
      const words = [Syscall.Invoke, invokeHeader(command, 2), other.dispatcher];
      const changes = bench.act((cpu) => {
        const before = snapshot(bench);
        for (const [i, word] of words.entries()) cpu.regs[bench.arch.argWords[i] ?? 0] = word;
        expect(cpu.syscall()).toBe(true);
        expect(cpu.regs[bench.arch.resultWords[0]]).toBe(0);
        return differences(bench, before, snapshot(bench));
      });
      expect(changes).toEqual([]);
    };
    quietly(Resume);
    must(user.invoke(other.dispatcher, Stop));
    quietly(Stop);
    must(user.invoke(other.dispatcher, Resume));
    quietly(Resume);
    expect(turns(bench, 2).some(({ dcb }) => dcb === other.dcb)).toBe(true);
  });

  test('that is taken apart leaves nothing behind', () => {
    const { user, bench, other } = watched(target);
    must(user.invoke(other.dispatcher, Stop));
    must(user.revoke(other.ram));
    const { mem, plan } = bench;
    expect(Kcb.ringCount.get(mem, plan.kcb)).toBe(1);
    expect(Kcb.wakeup.get(mem, plan.kcb)).toBe(NO_DCB);
    const again = new Domain(user);
    must(again.setup());
    expect(turns(bench, 2)).toContainEqual({ dcb: again.dcb, gate: Gate.Start });
  });
});

describe.each(MESSAGE_TARGETS)('a dispatcher that stops itself on $name', (target) => {
  test('goes on behind the call, which has succeeded, if it was disabled', () => {
    const parties = watched(target);
    const { user, bench, other } = parties;
    resumeByOther(parties);
    DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
    expect(user.invoke(OWN_DISPATCHER, Stop).names).toEqual(['left']);
    expect(bench.current).toBe(other.dcb);
    expect(Dcb.isStopped.get(bench.mem, user.dcb)).toBe(1);
    bench.run(1);
    expect(Dcb.isStopped.get(bench.mem, user.dcb)).toBe(0);
    bench.endTurn();
    const [entry] = bench.entriesDuring(() => bench.run(1));
    expect(entry).toMatchObject({ dcb: user.dcb, gate: Gate.Resume });
    for (const word of bench.arch.resultWords) expect(entry?.regs[word]).toBe(0);
  });

  test('is entered at Run if it was enabled', () => {
    const parties = watched(target);
    const { user, bench } = parties;
    resumeByOther(parties);
    DispatcherFrame.disabled.set(bench.mem, user.frame, 0);
    expect(user.invoke(OWN_DISPATCHER, Stop).names).toEqual(['left']);
    const area = areaWords(bench, user.frame, 'enabledArea');
    for (const word of bench.arch.resultWords) expect(area[word]).toBe(0);
    bench.run(1);
    expect(turns(bench, 1)).toContainEqual({ dcb: user.dcb, gate: Gate.Run });
  });

  test('leaves an idle core if nobody else can run', () => {
    const user = new User(target);
    const { bench } = user;
    expect(user.invoke(OWN_DISPATCHER, Stop).names).toEqual(['left']);
    expect(bench.current).toBe(NO_DCB);
    bench.core.raise(LINE);
    bench.run(100_000);
    expect(bench.current).toBe(NO_DCB);
    expect(bench.machine.run(1e9)).toEqual({ kind: 'idle' });
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('stopping on $name', (target) => {
  test('keeps a new dispatcher from its start', () => {
    const user = new User(target, { ramBytes: 8 * 2 ** 20 });
    const { bench } = user;
    const other = new Domain(user);
    must(user.invoke(other.dispatcher, Stop));
    must(other.setup());
    expect(turns(bench, 4).some(({ dcb }) => dcb === other.dcb)).toBe(false);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    must(user.invoke(other.dispatcher, Resume));
    expect(turns(bench, 2)).toContainEqual({ dcb: other.dcb, gate: Gate.Start });
    const late = new Domain(user);
    must(user.invoke(late.dispatcher, Stop));
    must(user.invoke(late.dispatcher, Resume));
    expect(turns(bench, 2).some(({ dcb }) => dcb === late.dcb)).toBe(false);
    expect(Dcb.state.get(bench.mem, late.dcb)).toBe(DcbState.New);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('and resuming is refused for the dead, without the write right, and elsewhere', () => {
    const user = new User(target, { dispatchers: 2 });
    const { bench } = user;
    const spawner = new Spawner(user);
    const [dead, other] = [spawner.spawn(), spawner.spawn()];
    must(user.revoke(dead.frameCap));
    must(user.delete(dead.frameCap));
    expect(Dcb.state.get(bench.mem, dead.dcb)).toBe(DcbState.Dead);
    const weak = user.newSlot();
    must(user.mint(other.dispatcher, weak, Rights.All & ~Rights.Write));
    for (const command of [Stop, Resume]) {
      const header = invokeHeader(command, 2);
      const refused = (cap: number, name: string): void =>
        expectRefused(user, [name], [Syscall.Invoke, header, cap]);
      refused(dead.dispatcher, 'SYS_ERR_DISP_NOT_RUNNABLE');
      refused(weak, 'SYS_ERR_CAP_RIGHTS');
      refused(user.newSlot(), 'SYS_ERR_CAP_NOT_FOUND');
      const slot = user.slot(other.dispatcher);
      Cte.owner.set(bench.mem, slot, coreId(2));
      refused(other.dispatcher, 'SYS_ERR_RETRY_THROUGH_MONITOR');
      Cte.owner.set(bench.mem, slot, coreId(0));
    }
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('leaves a real-time task its share, and its properties can change meanwhile', () => {
    const user = new User(target, { dispatchers: 2, scheduler: Scheduler.Rbed });
    const { bench } = user;
    const { kernel, mem, plan } = bench;
    const spawner = new Spawner(user);
    const [task, rival] = [spawner.spawn(), spawner.spawn()];
    const terms = { taskType: TaskType.Hard, weight: 1, release: 0 };
    const half = { ...terms, wcet: 5000, relativeDeadline: 10_000, period: 10_000 };
    expect(setTask(kernel, task.dcb, half)).toBe(0);
    const share = Kcb.realTimeShare.get(mem, plan.kcb);
    user.invoke(task.dispatcher, Stop); // as whoever has the core now, perhaps the task
    expect(Dcb.isStopped.get(mem, task.dcb)).toBe(1);
    expect(Kcb.realTimeShare.get(mem, plan.kcb)).toBe(share);
    expect(setTask(kernel, rival.dcb, half), 'there is not that much left').not.toBe(0);
    expect(entriesOf(bench, task.dcb, 200_000)).toBe(0);
    const tenth = { ...half, wcet: 1000 };
    expect(setTask(kernel, task.dcb, tenth)).toBe(0);
    expect(setTask(kernel, rival.dcb, half)).toBe(0);
    expect(entriesOf(bench, task.dcb, 200_000)).toBe(0);
    expect(checkInvariants(kernel)).toEqual([]);
    must(user.invoke(task.dispatcher, Resume));
    expect(entriesOf(bench, task.dcb, 200_000)).toBeGreaterThan(0);
    expect(checkInvariants(kernel)).toEqual([]);
  });
});

/** Entries of `dcb` within `cycles`. */
function entriesOf(bench: Bench, dcb: Ptr<'Dcb'>, cycles: number): number {
  const entries = bench.entriesDuring(() => bench.run(cycles));
  return entries.filter((entry) => entry.dcb === dcb).length;
}

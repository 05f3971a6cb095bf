import { coreId } from '@barreleye/core';
import {
  Cte,
  CteFlag,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherFrame,
  Gate,
  Kcb,
  ObjType,
  RootSlot,
  Syscall,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { type Behaviour, type Bench, gateAt, pause, TARGETS } from './bench.ts';
import { expectRefused, store64 } from './memory.ts';
import { Spawner } from './spawn.ts';
import { KERNEL, must, OWN_DISPATCHER, OWN_FRAME, RAM, ROOT_TABLE, User } from './user.ts';

const BUFFER = 0x2000;

/** Who is entered first, and how. */
function firstEntry(bench: Bench): { dcb: number; gate: number } {
  const [entry] = bench.entriesDuring(() => bench.act(() => {}));
  return { dcb: entry?.dcb ?? 0, gate: entry?.gate ?? -1 };
}

describe.each(TARGETS)('a yield on $name', (target) => {
  test('is refused to an enabled dispatcher, and changes nothing', () => {
    const user = new User(target);
    DispatcherFrame.disabled.set(user.bench.mem, user.frame, 0);
    expectRefused(user, ['SYS_ERR_CALLER_ENABLED'], [Syscall.Yield, 0]);
    expectRefused(user, ['SYS_ERR_CALLER_ENABLED'], [Syscall.Yield, OWN_DISPATCHER]);
  });

  test('is granted in the critical range, where the dispatcher is disabled', () => {
    const user = new User(target);
    const { bench, frame } = user;
    const pc = gateAt(bench.arch, Gate.Resume);
    DispatcherFrame.disabled.set(bench.mem, frame, 0);
    store64(bench, frame + DispatcherFrame.critPcLow.offset, pc);
    store64(bench, frame + DispatcherFrame.critPcHigh.offset, pc + 16);
    expect(user.call(Syscall.Yield, 0).names).toEqual(['left']);
    expect(bench.current).toBe(0);
  });

  test('to what cannot be run is refused, and changes nothing', () => {
    const user = new User(target, { dispatchers: 3 });
    const { bench } = user;
    const { mem } = bench;
    const spawner = new Spawner(user);
    const [dead, fresh, mute] = [spawner.spawn(), spawner.create(), spawner.spawn()];
    Dcb.disabled.set(mem, mute.dcb, 0);
    DispatcherFrame.runEntry.set(mem, mute.frame, 0);
    const unborn = user.make(ObjType.Dispatcher);
    const limp = user.newSlot();
    must(user.retype(unborn, 0, ObjType.EndPointLMP, 0, 1, limp));
    bench.behaviours.set(dead.dcb, (cpu) => void cpu.load32(0));
    DispatcherFrame.pagefaultDisabledEntry.set(mem, dead.frame, 0);
    bench.endTurn();
    bench.run(1000);
    expect(Dcb.state.get(mem, dead.dcb)).toBe(DcbState.Dead);
    while (bench.current !== user.dcb) {
      bench.endTurn();
      bench.run(1);
    }
    const targets: readonly number[] = [
      dead.dispatcher,
      fresh.dispatcher,
      mute.dispatcher,
      unborn,
      limp,
      user.newSlot(),
      capAddrOf(250, 0),
      0xffff_ffff,
      RAM,
      OWN_FRAME,
      ROOT_TABLE,
      KERNEL,
      RootSlot.BspKcb << 8,
    ];
    for (const address of targets) {
      DispatcherFrame.disabled.set(mem, user.frame, 1);
      expectRefused(user, ['SYS_ERR_INVALID_YIELD_TARGET'], [Syscall.Yield, address]);
    }
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('to a dispatcher of another core, or one that is being deleted, is refused', () => {
    const user = new User(target, { dispatchers: 1 });
    const other = new Spawner(user).spawn();
    const slot = user.slot(other.dispatcher);
    const call = [Syscall.Yield, other.dispatcher];
    Cte.owner.set(user.bench.mem, slot, coreId(2));
    expectRefused(user, ['SYS_ERR_INVALID_YIELD_TARGET'], call);
    Cte.owner.set(user.bench.mem, slot, coreId(0));
    Cte.flags.set(user.bench.mem, slot, CteFlag.InDelete);
    expectRefused(user, ['SYS_ERR_INVALID_YIELD_TARGET'], call);
  });

  test('to itself is refused where there is nowhere to go on', () => {
    const user = new User(target);
    const { mem } = user.bench;
    DispatcherFrame.runEntry.set(mem, user.frame, 0);
    expectRefused(user, ['SYS_ERR_INVALID_YIELD_TARGET'], [Syscall.Yield, OWN_DISPATCHER]);
    DispatcherFrame.runEntry.set(mem, user.frame, gateAt(user.bench.arch, Gate.Run));
    store64(user.bench, user.frame + DispatcherFrame.wakeup.offset, 2 ** 40);
    expect(user.call(Syscall.Yield, OWN_DISPATCHER).names).toEqual(['left']);
    expect(firstEntry(user.bench)).toEqual({ dcb: user.dcb, gate: Gate.Run });
    expect(Kcb.wakeup.get(mem, user.bench.kernel.kcb), 'its wake-up is void').toBe(0);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('without work puts the dispatcher to sleep; it comes back at Run', () => {
    const user = new User(target);
    const { bench } = user;
    store64(bench, user.frame + DispatcherFrame.wakeup.offset, 50_000);
    expect(user.call(Syscall.Yield, 0).names).toEqual(['left']);
    expect(bench.current).toBe(0);
    expect(Dcb.state.get(bench.mem, user.dcb)).toBe(DcbState.Blocked);
    expect(firstEntry(bench)).toEqual({ dcb: user.dcb, gate: Gate.Run });
    expect(bench.core.cycles).toBeGreaterThanOrEqual(50_000);
  });

  test('with work keeps it runnable', () => {
    const user = new User(target);
    DispatcherFrame.haswork.set(user.bench.mem, user.frame, 7);
    user.call(Syscall.Yield, 0);
    expect(Dcb.state.get(user.bench.mem, user.dcb)).toBe(DcbState.Runnable);
    expect(firstEntry(user.bench)).toEqual({ dcb: user.dcb, gate: Gate.Run });
  });

  test('with words that it has not taken keeps it runnable (I65)', () => {
    const user = new User(target);
    const { mem } = user.bench;
    for (const [delivered, seen] of [
      [3, 0],
      [0, 0xffff_ffff],
    ] as const) {
      DispatcherFrame.disabled.set(mem, user.frame, 1);
      DispatcherFrame.lmpDelivered.set(mem, user.frame, delivered);
      DispatcherFrame.lmpSeen.set(mem, user.frame, seen);
      user.call(Syscall.Yield, 0);
      expect(Dcb.state.get(mem, user.dcb)).toBe(DcbState.Runnable);
    }
    DispatcherFrame.lmpSeen.set(mem, user.frame, 0);
    DispatcherFrame.disabled.set(mem, user.frame, 1);
    user.call(Syscall.Yield, 0);
    expect(Dcb.state.get(mem, user.dcb)).toBe(DcbState.Blocked);
  });
});

describe.each(TARGETS)('a directed yield on $name', (target) => {
  const slice = 200_000;

  test('runs its target next, for the rest of the slice (I66)', () => {
    const user = new User(target, { dispatchers: 2, timeslice: slice });
    const { bench } = user;
    const spawner = new Spawner(user);
    const [first, second] = [spawner.spawn(), spawner.spawn()];
    const deadline = bench.core.timerDeadline;
    expect(user.call(Syscall.Yield, second.dispatcher).names).toEqual(['left']);
    expect(bench.current).toBe(second.dcb);
    expect(bench.core.timerDeadline).toBe(deadline);
    expect(firstEntry(bench)).toEqual({ dcb: second.dcb, gate: Gate.Start });
    bench.run(slice);
    expect(bench.current, 'it was the turn of the first').toBe(first.dcb);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('works through an endpoint of the target as well', () => {
    const user = new User(target, { dispatchers: 2 });
    const spawner = new Spawner(user);
    spawner.spawn();
    const second = spawner.spawn();
    const endpoint = user.makeEndpoint(BUFFER, 8, second.dispatcher);
    user.call(Syscall.Yield, endpoint);
    expect(user.bench.current).toBe(second.dcb);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('wakes a target that sleeps, whose wake-up is void then', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const other = new Spawner(user).spawn();
    const sleeper: Behaviour = (cpu) => {
      store64(bench, other.frame + DispatcherFrame.wakeup.offset, 2 ** 40);
      cpu.regs[bench.arch.argWords[0] ?? 0] = Syscall.Yield;
      cpu.regs[bench.arch.argWords[1] ?? 0] = 0;
      cpu.syscall();
    };
    bench.behaviours.set(other.dcb, sleeper);
    DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
    user.call(Syscall.Yield, 0);
    bench.run(1);
    expect(Dcb.isWaiting.get(bench.mem, other.dcb)).toBe(1);
    bench.behaviours.set(other.dcb, pause);
    user.call(Syscall.Yield, other.dispatcher);
    expect(bench.current).toBe(other.dcb);
    expect(Dcb.isWaiting.get(bench.mem, other.dcb)).toBe(0);
    expect(firstEntry(bench)).toEqual({ dcb: other.dcb, gate: Gate.Run });
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('resumes a target that is disabled where it was', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const other = new Spawner(user).spawn();
    bench.endTurn(); // now the other runs
    bench.run(1);
    bench.endTurn(); // and is preempted, disabled as it still is
    bench.run(1);
    expect(bench.current).toBe(user.dcb);
    expect(Dcb.disabled.get(bench.mem, other.dcb)).toBe(1);
    DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
    user.call(Syscall.Yield, other.dispatcher);
    expect(firstEntry(bench)).toEqual({ dcb: other.dcb, gate: Gate.Resume });
  });

  test('leaves a caller that has work in the queue', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const other = new Spawner(user).spawn();
    DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
    user.call(Syscall.Yield, other.dispatcher);
    expect(bench.current).toBe(other.dcb);
    expect(Dcb.state.get(bench.mem, user.dcb)).toBe(DcbState.Runnable);
    bench.endTurn();
    bench.run(1);
    expect(bench.current).toBe(other.dcb); // its own turn: the gift was not it
    bench.endTurn();
    bench.run(1);
    expect(bench.current).toBe(user.dcb);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});

import type { Ptr } from '@barreleye/core';
import {
  Dcb,
  DcbState,
  DispatcherFrame,
  Gate,
  Kcb,
  NO_DCB,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { endTurn, makeRunnable, removeFromQueue, schedule } from '../src/schedule.ts';
import { cancelWakeup, nextWakeup, wake } from '../src/wakeup.ts';
import { type Behaviour, type Bench, type Entry, TARGETS } from './bench.ts';
import { store64 } from './memory.ts';
import { type Spawned, Spawner } from './spawn.ts';
import { systemCall, User } from './user.ts';

const SLICE = 20_000;
const LINE = 9;

/** Compute for as long as the core lasts. */
const hog: Behaviour = (cpu) => {
  while (cpu.isLive()) {
    cpu.spend(500);
    cpu.poll();
  }
};

/** Give the core back at once, with more to do. */
function yieldBusily(bench: Bench, frame: number, target = 0): Behaviour {
  return (cpu) => {
    cpu.spend(100);
    bench.mem.words[(frame + DispatcherFrame.haswork.offset - bench.mem.origin) / 4] = 1;
    systemCall(cpu, [Syscall.Yield, target]);
  };
}

/** Sleep for `cycles` each time. */
function sleepFor(bench: Bench, frame: number, cycles: number): Behaviour {
  return (cpu) => sleepUntil(bench, cpu, frame, cpu.now() + cycles);
}

function sleepUntil(bench: Bench, cpu: UserCpu, frame: number, time: number): void {
  store64(bench, frame + DispatcherFrame.wakeup.offset, time);
  systemCall(cpu, [Syscall.Yield, 0]);
}

/** A bench whose first dispatcher is called `first`, and `count` more. */
function several(
  target: (typeof TARGETS)[number],
  count: number,
): { user: User; bench: Bench; first: Spawned; more: Spawned[] } {
  const user = new User(target, { dispatchers: count, timeslice: SLICE });
  const spawner = new Spawner(user);
  const more = Array.from({ length: count }, () => spawner.spawn(hog));
  const { dcb, frame } = user;
  user.bench.behaviours.set(dcb, hog);
  return { user, bench: user.bench, first: { dcb, frame } as Spawned, more };
}

/** Who had the core, one after the other. */
function turns(bench: Bench, cycles: number): number[] {
  const entries = bench.entriesDuring(() => bench.run(cycles));
  return entries.filter(({ gate }) => gate === Gate.Run || gate === Gate.Start).map((e) => e.dcb);
}

/** Who gets the core next, in order, if nothing happens. */
function queue({ kernel, mem }: Bench): Ptr<'Dcb'>[] {
  const order: Ptr<'Dcb'>[] = [];
  const first = Kcb.ring.get(mem, kernel.kcb);
  for (let dcb = first; dcb !== 0; ) {
    order.push(dcb);
    dcb = Dcb.next.get(mem, dcb);
    if (dcb === first) break;
  }
  return order;
}

/** Run until everybody sleeps, but not until somebody wakes. */
function settle(bench: Bench): void {
  while (bench.current !== 0) bench.run(1);
}

/** Everybody is enabled from the next entry on: a time slice that ends is followed by Run. */
function enableAll(bench: Bench, all: readonly Spawned[]): void {
  const enabled: Behaviour = (cpu, gate) => {
    const frame = all.find(({ dcb }) => dcb === bench.current)?.frame;
    if (frame !== undefined) DispatcherFrame.disabled.set(bench.mem, frame, 0);
    hog(cpu, gate);
  };
  for (const { dcb } of all) bench.behaviours.set(dcb, enabled);
}

describe.each(TARGETS)('the round robin on $name', (target) => {
  test('gives each a slice in turn', () => {
    const { bench, first, more } = several(target, 3);
    enableAll(bench, [first, ...more]);
    bench.run(4 * SLICE + 5000);
    const order = turns(bench, 40 * SLICE);
    const round = order.slice(0, 4);
    expect(new Set(round).size).toBe(4);
    expect(order.length).toBeGreaterThan(30);
    for (const [i, dcb] of order.entries()) expect(dcb).toBe(round[i % 4]);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('preempts the disabled as well, and resumes them where they were', () => {
    const { bench } = several(target, 2);
    bench.run(10 * SLICE);
    const entries = bench.entriesDuring(() => bench.run(30 * SLICE));
    const dcbs = new Set(entries.map(({ dcb }) => dcb));
    expect(dcbs.size).toBe(3);
    for (const { gate } of entries) expect(gate).toBe(Gate.Resume);
  });

  test('goes on in the same order when one leaves while it runs', () => {
    const { bench, first, more } = several(target, 3);
    enableAll(bench, [first, ...more]);
    bench.run(4 * SLICE + 5000);
    const round = turns(bench, 5 * SLICE).slice(0, 4);
    const [leaver] = more as [Spawned];
    bench.behaviours.set(leaver.dcb, (cpu) => {
      DispatcherFrame.disabled.set(bench.mem, leaver.frame, 1); // even in the middle of a slice
      systemCall(cpu, [Syscall.Yield, 0]);
    });
    turns(bench, 5 * SLICE);
    expect(Dcb.state.get(bench.mem, leaver.dcb)).toBe(DcbState.Blocked);
    const rest = round.filter((dcb) => dcb !== leaver.dcb);
    const order = turns(bench, 12 * SLICE);
    const at = rest.indexOf(order[0] ?? 0);
    for (const [i, dcb] of order.entries()) expect(dcb).toBe(rest[(at + i) % 3]);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('lets nobody starve while two dispatchers hand the core to each other', () => {
    const { bench, first, more } = several(target, 3);
    const [ping, pong, victim] = more as [Spawned, Spawned, Spawned];
    enableAll(bench, [first, victim]);
    for (const [one, other] of [
      [ping, pong],
      [pong, ping],
    ] as const) {
      bench.behaviours.set(one.dcb, (cpu) => {
        cpu.spend(50);
        systemCall(cpu, [Syscall.Yield, other.dispatcher]); // and sleep until it comes back
      });
    }
    bench.run(10 * SLICE);
    const entries = bench.entriesDuring(() => bench.run(60 * SLICE));
    for (const { dcb } of [first, victim])
      expect(longestWait(entries, dcb)).toBeLessThan(3.1 * SLICE);
    const order = entries.map(({ dcb }) => dcb);
    const handed = order.filter((dcb) => dcb === ping.dcb || dcb === pong.dcb).length;
    expect(handed, 'they use up their own slices').toBeGreaterThan(200);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('lets nobody starve beside sleepers that wake all the time', () => {
    const { bench, first, more } = several(target, 4);
    const [a, b, victim] = more as [Spawned, Spawned, Spawned];
    enableAll(bench, [first, ...more.slice(2)]);
    bench.behaviours.set(a.dcb, sleepFor(bench, a.frame, 700));
    bench.behaviours.set(b.dcb, sleepFor(bench, b.frame, 900));
    bench.run(20 * SLICE);
    const entries = bench.entriesDuring(() => bench.run(60 * SLICE));
    expect(longestWait(entries, victim.dcb)).toBeLessThan(4.1 * SLICE);
    expect(entries.filter(({ dcb }) => dcb === a.dcb).length).toBeGreaterThan(100);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('lets a sleeper that wakes run before the one it interrupts, for the rest of a turn', () => {
    const { bench, first, more } = several(target, 1);
    const [sleeper] = more as [Spawned];
    enableAll(bench, [first]);
    const late: number[] = [];
    let due = 0;
    bench.behaviours.set(sleeper.dcb, (cpu) => {
      if (due !== 0) late.push(cpu.now() - due);
      cpu.spend(500);
      due = cpu.now() + 3000;
      sleepUntil(bench, cpu, sleeper.frame, due);
    });
    bench.run(200 * SLICE);
    expect(late.length).toBeGreaterThan(500);
    const atOnce = late.filter((cycles) => cycles < 1500).length;
    expect(atOnce / late.length).toBeGreaterThan(0.9);
    expect(Math.max(...late)).toBeLessThan(1.1 * SLICE);
  });

  test('gives each of k hogs a k-th, to within a slice, while interrupts rain', () => {
    const { bench, first, more } = several(target, 4);
    const all = [first, ...more];
    for (const [i, { dcb, frame }] of all.entries()) {
      bench.behaviours.set(dcb, (cpu) => {
        if (i % 2 === 0) DispatcherFrame.disabled.set(bench.mem, frame, 0);
        while (cpu.isLive()) {
          cpu.spend(100 + 200 * i); // some notice the end of their turn later than others
          cpu.poll();
          if (cpu.now() % 7 === 0) bench.core.raise(LINE);
        }
      });
    }
    bench.run(10 * SLICE);
    const entries = bench.entriesDuring(() => bench.run(1000 * SLICE));
    expect(Kcb.interrupts.get(bench.mem, bench.kernel.kcb)).toBeGreaterThan(2000);
    const times = timeByDispatcher(entries);
    const total = [...times.values()].reduce((sum, time) => sum + time, 0);
    for (const { dcb } of all) {
      const share = times.get(dcb) ?? 0;
      expect(Math.abs(share - total / all.length)).toBeLessThan(SLICE);
    }
  });
});

/** The most cycles from losing the core to getting it back. */
function longestWait(entries: readonly Entry[], dcb: number): number {
  let longest = 0;
  let lostAt = entries[0]?.at ?? 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.dcb !== dcb) continue;
    longest = Math.max(longest, entry.at - lostAt);
    lostAt = entries[i + 1]?.at ?? entry.at;
  }
  return longest;
}

/** Cycles between entering each dispatcher and entering the next. */
function timeByDispatcher(entries: readonly Entry[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const [i, { dcb, at }] of entries.entries()) {
    const end = entries[i + 1]?.at ?? at;
    times.set(dcb, (times.get(dcb) ?? 0) + end - at);
  }
  return times;
}

describe.each(TARGETS)('the run queue on $name', (target) => {
  test('takes newcomers behind everyone who waits', () => {
    const user = new User(target, { dispatchers: 3 });
    const { bench } = user;
    const spawner = new Spawner(user);
    const [a, b, c] = [spawner.create(), spawner.create(), spawner.create()];
    for (const { dcb } of [a, b, c]) makeRunnable(bench.kernel, dcb);
    expect(queue(bench)).toEqual([user.dcb, a.dcb, b.dcb, c.dcb]);
    expect(schedule(bench.kernel), 'its turn is not over').toBe(user.dcb);
    expect(queue(bench)).toEqual([user.dcb, a.dcb, b.dcb, c.dcb]);
    endTurn(bench.kernel, user.dcb);
    expect(schedule(bench.kernel)).toBe(a.dcb);
    expect(queue(bench)).toEqual([a.dcb, b.dcb, c.dcb, user.dcb]);
  });

  test('takes those that come back before everyone, but only with the rest of a turn', () => {
    const user = new User(target, { dispatchers: 3 });
    const { kernel, mem } = user.bench;
    const spawner = new Spawner(user);
    const [a, b, c] = [spawner.spawn(), spawner.spawn(), spawner.spawn()];
    Dcb.budget.set(mem, b.dcb, 5000);
    Dcb.budget.set(mem, c.dcb, 3000);
    for (const { dcb } of [a, b, c]) removeFromQueue(kernel, dcb);
    for (const { dcb } of [a, b, c]) wake(kernel, dcb);
    expect(queue(user.bench)).toEqual([b.dcb, c.dcb, user.dcb, a.dcb]);
    expect(schedule(kernel)).toBe(b.dcb);
    expect(Dcb.budget.get(mem, b.dcb)).toBe(5000);
    endTurn(kernel, b.dcb);
    expect(queue(user.bench)).toEqual([c.dcb, user.dcb, a.dcb, b.dcb]);
    expect(checkInvariants(kernel)).toEqual([]);
  });

  test('takes what a turn was too long from the next', () => {
    const user = new User(target, { dispatchers: 1, timeslice: SLICE });
    const { kernel, mem } = user.bench;
    const other = new Spawner(user).spawn();
    Dcb.budget.set(mem, other.dcb, -1000);
    endTurn(kernel, user.dcb);
    expect(schedule(kernel)).toBe(other.dcb);
    expect(Dcb.budget.get(mem, other.dcb)).toBe(SLICE - 1000);
  });

  test('holds nobody twice, and lets go of whoever is not in it', () => {
    const user = new User(target, { dispatchers: 1 });
    const { kernel } = user.bench;
    const other = new Spawner(user).spawn();
    makeRunnable(kernel, other.dcb);
    wake(kernel, other.dcb);
    expect(queue(user.bench)).toEqual([user.dcb, other.dcb]);
    removeFromQueue(kernel, other.dcb);
    removeFromQueue(kernel, other.dcb);
    expect(queue(user.bench)).toEqual([user.dcb]);
    expect(Dcb.next.get(user.bench.mem, other.dcb)).toBe(0);
    expect(checkInvariants(kernel)).toEqual([]);
  });

  test('can be emptied from any place', () => {
    for (const place of [0, 1, 2, 3]) {
      const user = new User(target, { dispatchers: 3 });
      const { kernel } = user.bench;
      const spawner = new Spawner(user);
      for (let i = 0; i < 3; i++) spawner.spawn();
      const order = queue(user.bench);
      for (let i = 0; i < 4; i++) {
        const [leaver] = order.splice((place + i) % order.length, 1);
        if (leaver !== undefined) removeFromQueue(kernel, leaver);
        expect(queue(user.bench).length).toBe(order.length);
      }
      expect(Kcb.ring.get(user.bench.mem, kernel.kcb)).toBe(0);
      expect(schedule(kernel)).toBe(0);
    }
  });
});

describe.each(TARGETS)('a wake-up on $name', (target) => {
  /** Dispatchers that sleep until these times once, and note when they run again. */
  function sleepers(times: readonly number[]): {
    bench: Bench;
    dcbs: Ptr<'Dcb'>[];
    woken: [number, number][];
    user: User;
  } {
    const user = new User(target, { dispatchers: times.length });
    const { bench } = user;
    const spawner = new Spawner(user);
    const woken: [number, number][] = [];
    const dcbs = times.map((time, i) => {
      const { dcb, frame } = spawner.spawn();
      bench.behaviours.set(dcb, (cpu, gate) => {
        if (gate === Gate.Run) woken.push([i, cpu.now()]);
        sleepUntil(bench, cpu, frame, gate === Gate.Start ? time : 0);
      });
      return dcb;
    });
    bench.behaviours.set(user.dcb, (cpu) => void systemCall(cpu, [Syscall.Yield, 0]));
    return { bench, dcbs, woken, user };
  }

  test('comes in the order of the times, and never early', () => {
    const times = [400_000, 200_000, 300_000, 100_000];
    const { bench, woken } = sleepers(times);
    settle(bench);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    expect(nextWakeup(bench.kernel)).toBe(100_000);
    bench.run(1_000_000);
    expect(woken.map(([i]) => i)).toEqual([3, 1, 2, 0]);
    for (const [i, now] of woken) expect(now).toBeGreaterThanOrEqual(times[i] ?? 0);
    expect(bench.machine.run(1000)).toEqual({ kind: 'idle' });
    expect(nextWakeup(bench.kernel)).toBe(Number.POSITIVE_INFINITY);
  });

  test('comes first to who asked first, of equal times', () => {
    const { bench, woken, dcbs } = sleepers([200_000, 200_000, 200_000, 200_000]);
    const order = queue(bench).map((dcb) => dcbs.indexOf(dcb));
    bench.run(1_000_000);
    expect(woken.map(([i]) => i)).toEqual(order.filter((i) => i >= 0));
  });

  test('in the past keeps the dispatcher runnable (I65)', () => {
    const { bench, woken } = sleepers([1, 100]);
    bench.run(20_000);
    expect(woken.length).toBe(2);
  });

  test('at a time that is no exact number never comes', () => {
    const { bench, dcbs, user } = sleepers([0]);
    const [dcb = NO_DCB] = dcbs;
    const frame = Dcb.frameBase.get(bench.mem, dcb);
    bench.behaviours.set(dcb, (cpu) => {
      const field = (frame + DispatcherFrame.wakeup.offset - bench.mem.origin) / 4;
      bench.mem.words.fill(0xffff_ffff, field, field + 2);
      systemCall(cpu, [Syscall.Yield, 0]);
    });
    bench.run(100_000);
    expect(Dcb.state.get(bench.mem, dcb)).toBe(DcbState.Blocked);
    expect(bench.machine.run(1e9)).toEqual({ kind: 'idle' });
    expect(user.bench.current).toBe(0);
  });

  test('is forgotten when something else wakes the dispatcher (T35)', () => {
    const { bench, dcbs, woken } = sleepers([100_000, 500_000]);
    const [early, late] = dcbs as [Ptr<'Dcb'>, Ptr<'Dcb'>];
    settle(bench);
    wake(bench.kernel, late);
    expect(Dcb.wakeupTime.get(bench.mem, late)).toBe(0);
    expect(Dcb.isWaiting.get(bench.mem, late)).toBe(0);
    expect(nextWakeup(bench.kernel)).toBe(100_000);
    bench.core.raise(LINE);
    bench.run(2_000_000);
    expect(
      woken.map(([i]) => i),
      'each once',
    ).toEqual([1, 0]);
    expect(woken[0]?.[1]).toBeLessThan(100_000);
    expect(Dcb.state.get(bench.mem, early)).toBe(DcbState.Blocked);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('can be cancelled at any place of the queue', () => {
    for (const victim of [0, 1, 2]) {
      const { bench, dcbs, woken } = sleepers([100_000, 200_000, 300_000]);
      settle(bench);
      const dcb = dcbs[victim] ?? NO_DCB;
      cancelWakeup(bench.kernel, dcb);
      cancelWakeup(bench.kernel, dcb);
      expect(checkInvariants(bench.kernel)).toEqual([]);
      bench.run(1_000_000);
      expect(woken.map(([i]) => i)).toEqual([0, 1, 2].filter((i) => i !== victim));
    }
  });

  test('interrupts whoever runs', () => {
    const { bench, woken, user } = sleepers([100_000]);
    bench.behaviours.set(user.dcb, hog);
    bench.run(2000);
    bench.endTurn(); // the slice of the hog has no end: let the sleeper start
    bench.run(200_000);
    expect(woken.length).toBe(1);
    expect(woken[0]?.[1]).toBeLessThan(110_000);
  });

  test('does nothing to the dead and to those that never started', () => {
    const user = new User(target, { dispatchers: 2 });
    const { kernel, mem } = user.bench;
    const spawner = new Spawner(user);
    const [fresh, dead] = [spawner.create(), spawner.create()];
    Dcb.state.set(mem, dead.dcb, DcbState.Dead);
    for (const { dcb } of [fresh, dead]) wake(kernel, dcb);
    expect(Dcb.state.get(mem, fresh.dcb)).toBe(DcbState.New);
    expect(Dcb.state.get(mem, dead.dcb)).toBe(DcbState.Dead);
    expect(queue(user.bench)).toEqual([user.dcb]);
    expect(checkInvariants(kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('a busy dispatcher on $name', (target) => {
  test('that yields takes turns with the others', () => {
    const { bench, first, more } = several(target, 2);
    for (const { dcb, frame } of [first, ...more]) {
      bench.behaviours.set(dcb, yieldBusily(bench, frame));
    }
    bench.run(20_000);
    const order = turns(bench, 30_000);
    for (const [i, dcb] of order.entries()) expect(dcb).toBe(order[i % 3]);
    expect(new Set(order).size).toBe(3);
  });
});

/**
 * What hostile neighbours can take of the core under either scheduler: their own turns, no more.
 * The victim computes and never yields, as the neighbours do their worst.
 */

import {
  CNodeCmd,
  DispatcherFrame,
  invokeHeader,
  LmpEndpoint,
  LmpFlag,
  Scheduler,
  Syscall,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { type Behaviour, type Bench, TARGETS, type Target } from './bench.ts';
import { store64 } from './memory.ts';
import { BUFFER, ROOT_CN, sendWords } from './parties.ts';
import { type Spawned, Spawner } from './spawn.ts';
import { systemCall, User } from './user.ts';

const SLICE = 20_000;
const ROUNDS = 60;
const RING = 64;
const HOSTILE = 2;
/** They, the victim, and the first domain. */
const COUNT = HOSTILE + 2;

/** Compute for as long as the core lasts. */
const hog: Behaviour = (cpu) => {
  while (cpu.isLive()) {
    cpu.spend(500);
    cpu.poll();
  }
};

/** What one of the hostile does; `other` is the other of them. */
type Attack = (bench: Bench, self: Spawned, other: Spawned, endpoint: number) => Behaviour;

/** Forget all messages. */
function drain({ mem }: Bench, { frame }: Spawned): void {
  const words = mem.words;
  const at = (frame + BUFFER - mem.origin) / 4;
  const { delivered, consumed } = LmpEndpoint;
  words[at + consumed.offset / 4] = words[at + delivered.offset / 4] ?? 0;
}

/** Messages to the other, each with the core, for ever. */
function storm(flags: number, isDraining: boolean): Attack {
  return (bench, self, _, endpoint) => (cpu) => {
    for (let i = 0; i < 100 && cpu.isLive(); i++) {
      cpu.spend(50);
      if (isDraining) drain(bench, self);
      systemCall(cpu, sendWords(endpoint, [1, 2], { flags }));
    }
    if (cpu.isLive()) cpu.poll();
  };
}

/** Yield again and again after having said that at this time there is work. */
function yielding(target: (other: Spawned) => number, wakeup: (now: number) => number): Attack {
  return (bench, self, other) => (cpu) => {
    cpu.spend(50);
    store64(bench, self.frame + DispatcherFrame.wakeup.offset, wakeup(cpu.now()));
    systemCall(cpu, [Syscall.Yield, target(other)]);
  };
}

const ATTACKS: readonly (readonly [string, Attack])[] = [
  ['messages that bring the core along', storm(LmpFlag.Sync, true)],
  ['messages into full rings that bring it along', storm(LmpFlag.Sync | LmpFlag.Yield, false)],
  [
    'yields to each other',
    yielding(
      ({ dispatcher }) => dispatcher,
      () => 0,
    ),
  ],
  [
    'yields to each other with work',
    withWork(
      yielding(
        ({ dispatcher }) => dispatcher,
        () => 0,
      ),
    ),
  ],
  [
    'yields with work',
    withWork(
      yielding(
        () => 0,
        () => 0,
      ),
    ),
  ],
  [
    'wake-ups in the past',
    yielding(
      () => 0,
      (now) => Math.max(1, now - 1000),
    ),
  ],
  [
    'wake-ups at once',
    yielding(
      () => 0,
      (now) => now + 1,
    ),
  ],
  [
    'being disabled for ever',
    (bench, { frame }) =>
      (cpu, gate) => {
        DispatcherFrame.disabled.set(bench.mem, frame, 1);
        hog(cpu, gate);
      },
  ],
  [
    'polling late',
    () => (cpu) => {
      while (cpu.isLive()) {
        cpu.spend(7000);
        cpu.poll();
      }
    },
  ],
  [
    'interrupts of its own making',
    (bench) => (cpu) => {
      while (cpu.isLive()) {
        cpu.spend(100);
        bench.core.raise(9);
        cpu.poll();
      }
    },
  ],
];

/** The words of a delete. */
function deleteWords(address: number): number[] {
  return [Syscall.Invoke, invokeHeader(CNodeCmd.Delete, 2), ROOT_CN, address, 2];
}

function withWork(attack: Attack): Attack {
  return (bench, self, other, endpoint) => {
    const behave = attack(bench, self, other, endpoint);
    return (cpu, gate) => {
      DispatcherFrame.haswork.set(bench.mem, self.frame, 1);
      behave(cpu, gate);
    };
  };
}

/** Part of the time that the victim and the first domain had beside two attackers. */
function sharesOf(target: Target, scheduler: Scheduler, attack: Attack): readonly number[] {
  const user = new User(target, { dispatchers: COUNT, timeslice: SLICE, scheduler });
  const { bench } = user;
  const spawner = new Spawner(user);
  const [one, other, victim] = [spawner.spawn(), spawner.spawn(), spawner.spawn(hog)];
  bench.behaviours.set(user.dcb, hog);
  for (const [self, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    const endpoint = user.makeEndpoint(BUFFER, RING, peer.dispatcher);
    bench.behaviours.set(self.dcb, attack(bench, self, peer, endpoint));
  }
  bench.run(10 * COUNT * SLICE);
  const entries = bench.entriesDuring(() => bench.run(ROUNDS * COUNT * SLICE));
  const times = new Map<number, number>();
  let total = 0;
  for (const [i, { dcb, at }] of entries.entries()) {
    const cycles = (entries[i + 1]?.at ?? at) - at;
    times.set(dcb, (times.get(dcb) ?? 0) + cycles);
    total += cycles;
  }
  expect(checkInvariants(bench.kernel)).toEqual([]);
  return [victim.dcb, user.dcb].map((dcb) => (times.get(dcb) ?? 0) / total);
}

describe.each(TARGETS)('on $name', (target) => {
  describe.each([
    ['round robin', Scheduler.RoundRobin],
    ['RBED', Scheduler.Rbed],
  ] as const)('under %s nobody starves of', (_, scheduler) => {
    test.each(ATTACKS)('%s', (name, attack) => {
      const shares = sharesOf(target, scheduler, attack);
      const fair = 1 / COUNT;
      for (const share of shares) expect(share, name).toBeGreaterThan(0.93 * fair);
      expect(Math.abs((shares[0] ?? 0) - (shares[1] ?? 0)), 'the peaceful are equal').toBeLessThan(
        0.03,
      );
    });
  });
});

describe.each(TARGETS)('on $name', (target) => {
  test.each([
    ['round robin', Scheduler.RoundRobin],
    ['RBED', Scheduler.Rbed],
  ] as const)('under %s the gift of one that is no more is soon over', (_, scheduler) => {
    const user = new User(target, { dispatchers: 3, timeslice: SLICE, scheduler });
    const { bench } = user;
    const spawner = new Spawner(user);
    const [donor, heir] = [spawner.spawn(), spawner.spawn(hog)];
    const toUser = user.makeEndpoint(BUFFER, RING);
    const toHeir = user.makeEndpoint(BUFFER, RING, heir.dispatcher);
    const giveCore = (endpoint: number): Behaviour => {
      return (cpu) => void systemCall(cpu, sendWords(endpoint, [1], { flags: LmpFlag.Sync }));
    };
    bench.behaviours.set(donor.dcb, giveCore(toUser));
    bench.behaviours.set(user.dcb, (cpu, gate) => {
      expect(systemCall(cpu, deleteWords(donor.dispatcher)).names).toEqual([]);
      bench.behaviours.set(user.dcb, hog);
      giveCore(toHeir)(cpu, gate);
    });
    bench.run(10 * SLICE); // enough for the first turn of each
    const entries = bench.entriesDuring(() => bench.run(10 * SLICE));
    expect(bench.behaviours.get(user.dcb)).toBe(hog);
    expect(new Set(entries.map(({ dcb }) => dcb))).toEqual(new Set([user.dcb, heir.dcb]));
  });
});

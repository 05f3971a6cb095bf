/** Another CPU driver takes over again and again, under load: nothing is lost or comes twice. */

import {
  DispatcherFrame,
  IrqDestCmd,
  IrqTableCmd,
  invokeHeader,
  Kcb,
  KernelCmd,
  NotifyCmd,
  ObjType,
  Rights,
  Syscall,
  type UserCpu,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { type Bench, TARGETS } from './bench.ts';
import { expectRefused } from './memory.ts';
import { BUFFER, MESSAGE_TARGETS, Parties, RING, Ring, sendWords } from './parties.ts';
import { SecondCore, TWO_CORES } from './second-core.ts';
import { IRQ_TABLE, KERNEL, must, placeOf, systemCall, User } from './user.ts';

const MESSAGES = 2000;
const REPLACE = [Syscall.Invoke, invokeHeader(KernelCmd.ReplaceDriver, 2), KERNEL];
const LINE = 33;

function changes({ mem, plan }: Bench): number {
  return Kcb.driverChanges.get(mem, plan.kcb);
}

/** Run until `isDone`, as long as anything happens. */
function runUntil(bench: Bench, isDone: () => boolean): void {
  for (let turn = 0; turn < 10_000 && !isDone(); turn++) {
    if (bench.machine.run(1e5).kind === 'idle') return;
  }
}

test.each(MESSAGE_TARGETS)('messages of one core arrive once and in order on $name', (target) => {
  const { bench, user, other, toOther, otherRing } = new Parties(target);
  const received: number[] = [];
  let sent = 0;
  let calls = 0;
  const call = (cpu: UserCpu, words: readonly number[]): readonly string[] => {
    calls += 1;
    if (calls % 4 === 0) expect(systemCall(cpu, REPLACE).names).toEqual([]);
    return systemCall(cpu, words).names;
  };
  DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
  bench.behaviours.set(user.dcb, (cpu) => {
    while (cpu.isLive() && sent < MESSAGES) {
      const [name] = call(cpu, sendWords(toOther, [sent]));
      if (name === undefined) sent += 1;
      else if (name !== 'left') call(cpu, [Syscall.Yield, other.dispatcher]);
    }
    if (cpu.isLive()) call(cpu, [Syscall.Yield, 0]);
  });
  bench.behaviours.set(other.dcb, (cpu) => {
    for (let got = otherRing.receive(); got !== undefined; got = otherRing.receive()) {
      received.push(...got.words);
    }
    systemCall(cpu, [Syscall.Yield, 0]);
  });
  runUntil(bench, () => received.length === MESSAGES);
  expect(received).toEqual(Array.from({ length: MESSAGES }, (_, i) => i));
  expect(changes(bench)).toBeGreaterThan(MESSAGES / 5);
  expect(checkInvariants(bench.kernel)).toEqual([]);
});

/** An endpoint of a domain that gets the notifications of its core, and what notifies the other. */
function listen(user: User, peer: number): { readonly ring: Ring; readonly bell: number } {
  const line = user.newSlot();
  must(user.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, LINE, ...placeOf(line)));
  must(user.invoke(line, IrqDestCmd.Connect, user.makeEndpoint(BUFFER, RING), 2));
  const bell = user.newSlot();
  const words = [ObjType.Notify_IPI + Rights.All * 0x100, 0, 0, 0, 0, 0, peer, LINE];
  must(user.invoke(KERNEL, KernelCmd.CreateCap, ...words, ...placeOf(bell)));
  return { ring: new Ring(user.bench, user.frame), bell };
}

describe.each(TARGETS)('on $name', (target) => {
  test('cores that wake each other for every message lose no interrupt', () => {
    const first = new User(target, TWO_CORES);
    const second = new SecondCore(first);
    must(second.start());
    const users = [first, second.user];
    // One word of memory, which says whose turn it is: neither core ever looks before it is woken.
    let word = 0;
    for (const [i, user] of users.entries()) {
      const { ring, bell } = listen(user, 1 - i);
      let entries = 0;
      user.bench.behaviours.set(user.dcb, (cpu) => {
        while (ring.receive() !== undefined);
        entries += 1;
        if (entries % 3 === 0) systemCall(cpu, REPLACE);
        if (word % 2 === i && word < MESSAGES) {
          word += 1;
          systemCall(cpu, [Syscall.Invoke, invokeHeader(NotifyCmd.Send, 2), bell]);
        }
        if (entries % 5 === 0) systemCall(cpu, REPLACE);
        systemCall(cpu, [Syscall.Yield, 0]);
      });
    }
    runUntil(first.bench, () => word === MESSAGES);
    expect(word).toBe(MESSAGES);
    for (const { bench } of users) {
      expect(changes(bench)).toBeGreaterThan(MESSAGES / 10);
      expect(checkInvariants(bench.kernel)).toEqual([]);
    }
  });

  test('the timer of a dispatcher that sleeps is not lost', () => {
    const user = new User(target);
    const { bench } = user;
    let woken = 0;
    let wakeup = 0;
    bench.behaviours.set(user.dcb, (cpu) => {
      expect(cpu.now()).toBeGreaterThanOrEqual(wakeup);
      woken += 1;
      wakeup = cpu.now() + 50_000;
      DispatcherFrame.wakeup.set(bench.mem, user.frame, wakeup);
      expect(systemCall(cpu, REPLACE).names).toEqual([]);
      systemCall(cpu, [Syscall.Yield, 0]);
      bench.replaceDriver();
    });
    bench.run(1e6);
    expect(woken).toBeGreaterThan(10);
  });

  test('the answer says whether there is another driver; if not, nothing changes', () => {
    const user = new User(target);
    const { bench } = user;
    const before = bench.kernel;
    must(user.call(...REPLACE));
    expect(bench.kernel).not.toBe(before);
    expect(changes(bench)).toBe(1);
    must(user.call(...REPLACE));
    expect(changes(bench)).toBe(2);
    bench.machine.loadDriver = () => false;
    expectRefused(user, ['SYS_ERR_NO_DRIVER'], REPLACE);
    expect(changes(bench)).toBe(2);
  });
});

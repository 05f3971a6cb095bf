import { isEmpty } from '@barreleye/caps';
import { asPtr } from '@barreleye/core';
import {
  CPTR_ROOTCN,
  Cte,
  CteFlag,
  Dcb,
  DcbState,
  DISPATCHER_FRAME_BYTES,
  DispatcherFrame,
  Gate,
  IrqDestCmd,
  IrqTableCmd,
  invokeHeader,
  Kcb,
  KernelCmd,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpHeader,
  ObjType,
  Rights,
  RootSlot,
  Syscall,
} from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { deliver } from '../src/lmp.ts';
import { TARGETS } from './bench.ts';
import { differences, expectRefused, snapshot } from './memory.ts';
import { Spawner } from './spawn.ts';
import { IRQ_TABLE, KERNEL, must, OWN_DISPATCHER, OWN_FRAME, placeOf, RAM, User } from './user.ts';

const LINE = 7;
const BUFFER = 0x2000;
const RING = 9;

function words(address: number, command: number, ...args: number[]): number[] {
  return [Syscall.Invoke, invokeHeader(command, 2), address, ...args];
}

/** The capability of a line. */
function allocate(user: User, line = LINE): number {
  const irq = user.newSlot();
  must(user.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, line, ...placeOf(irq)));
  return irq;
}

/** A line whose interrupts go to an endpoint of the first dispatcher. */
function connected(user: User): { irq: number; endpoint: number; buffer: number } {
  const irq = allocate(user);
  const endpoint = user.makeEndpoint(BUFFER, RING);
  must(user.invoke(irq, IrqDestCmd.Connect, endpoint, 2));
  return { irq, endpoint, buffer: user.frame + BUFFER };
}

function lost({ bench }: User): number {
  return Kcb.lostMessages.get(bench.mem, bench.plan.kcb);
}

/** Take one interrupt. */
function fire(user: User, line = LINE): void {
  user.bench.core.raise(line);
  user.bench.run(1);
}

describe.each(TARGETS)('an interrupt line on $name', (target) => {
  test('is had by one holder at a time, who knows its number and its core', () => {
    const user = new User(target);
    for (const line of [2, 7, 31]) {
      const irq = allocate(user, line);
      expect(user.invoke(irq, IrqDestCmd.GetVector)).toEqual({ names: [], value: line });
      expect(user.invoke(irq, IrqDestCmd.GetCpu)).toEqual({ names: [], value: 0 });
      const again = words(IRQ_TABLE, IrqTableCmd.AllocDestCap, line, ...placeOf(user.newSlot()));
      expectRefused(user, ['SYS_ERR_IRQ_IN_USE'], again);
    }
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('is free again when the last capability of it is gone', () => {
    const user = new User(target);
    const irq = allocate(user);
    const copy = user.newSlot();
    must(user.copy(irq, copy));
    must(user.delete(irq));
    const again = words(IRQ_TABLE, IrqTableCmd.AllocDestCap, LINE, ...placeOf(irq));
    expectRefused(user, ['SYS_ERR_IRQ_IN_USE'], again);
    must(user.delete(copy));
    must(user.call(...again));
  });

  test('is free for others when its endpoint is gone, though another line shared it (T16)', () => {
    const user = new User(target);
    const { irq, endpoint } = connected(user);
    const other = allocate(user, LINE + 1);
    must(user.invoke(other, IrqDestCmd.Connect, endpoint, 2));
    must(user.invoke(KERNEL, KernelCmd.Register, endpoint, 2));
    const next = user.makeEndpoint(BUFFER + 0x1000, RING);
    const connect = words(irq, IrqDestCmd.Connect, next, 2);
    expectRefused(user, ['SYS_ERR_IRQ_IN_USE'], connect);
    must(user.delete(endpoint));
    must(user.call(...connect));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('whose endpoint is locked can be had by somebody else (T25)', () => {
    const user = new User(target);
    const { irq, endpoint } = connected(user);
    must(user.invoke(KERNEL, KernelCmd.LockCap, CPTR_ROOTCN, endpoint, 2));
    must(user.delete(irq));
    allocate(user);
    expect(isEmpty(user.bench.mem, Kcb.irqEndpoint.at(user.bench.plan.kcb, LINE))).toBe(true);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('is no longer connected for its old holder when it has a new one', () => {
    const user = new User(target);
    const { irq, buffer } = connected(user);
    must(user.delete(irq));
    const next = allocate(user);
    fire(user);
    expect(LmpEndpoint.delivered.get(user.bench.mem, asPtr(buffer))).toBe(0);
    const endpoint = user.makeEndpoint(BUFFER + 0x1000, RING);
    must(user.invoke(next, IrqDestCmd.Connect, endpoint, 2));
    fire(user);
    expect(LmpEndpoint.delivered.get(user.bench.mem, asPtr(buffer + 0x1000))).toBe(1);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('that is no device line does not exist', () => {
    const user = new User(target);
    for (const line of [0, 1, 96, 97, 224, 0x8000_0002, 0xffff_ffff]) {
      const call = words(IRQ_TABLE, IrqTableCmd.AllocDestCap, line, ...placeOf(user.newSlot()));
      expectRefused(user, ['SYS_ERR_IRQ_INVALID'], call);
    }
  });

  test('needs an empty slot for its capability', () => {
    const user = new User(target);
    const [cnode, place] = placeOf(user.newSlot());
    const cases = [
      [['SYS_ERR_DEST_CNODE_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'], 222 << 8, place],
      [['SYS_ERR_DEST_CNODE_INVALID'], RootSlot.BspKcb << 8, place],
      [['SYS_ERR_DEST_TYPE_INVALID'], CPTR_ROOTCN, 60 | (2 << 24)],
      [['SYS_ERR_SLOTS_INVALID'], cnode, 256 | (1 << 24)],
      [['SYS_ERR_SLOT_IN_USE'], RootSlot.TaskCn << 8, 2 | (1 << 24)],
    ] as const;
    for (const [names, address, at] of cases) {
      const call = words(IRQ_TABLE, IrqTableCmd.AllocDestCap, LINE, address, at);
      expectRefused(user, names, call);
    }
    must(user.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, LINE, cnode, place));
  });
});

describe.each(TARGETS)('connecting a line on $name', (target) => {
  test('needs an endpoint with a buffer, of this core, and a free line', () => {
    const user = new User(target);
    const { mem } = user.bench;
    const irq = allocate(user);
    const blank = user.newSlot();
    must(user.retype(OWN_DISPATCHER, 0, ObjType.EndPointLMP, 0, 1, blank));
    const endpoint = user.makeEndpoint(BUFFER, RING);
    const connect = (address: number, level = 2): number[] =>
      words(irq, IrqDestCmd.Connect, address, level);
    const cases = [
      [['SYS_ERR_IRQ_LOOKUP_EP', 'SYS_ERR_CAP_NOT_FOUND'], connect(user.newSlot())],
      [['SYS_ERR_IRQ_LOOKUP_EP', 'SYS_ERR_CAP_LOOKUP_DEPTH'], connect(endpoint, 3)],
      [['SYS_ERR_IRQ_NOT_ENDPOINT'], connect(RAM)],
      [['SYS_ERR_IRQ_NOT_ENDPOINT'], connect(OWN_DISPATCHER)],
      [['SYS_ERR_IRQ_NO_LISTENER'], connect(blank)],
    ] as const;
    for (const [names, call] of cases) expectRefused(user, names, call);
    Cte.arg0.set(mem, user.slot(irq), 4); // as if it had come from core 4
    expectRefused(user, ['SYS_ERR_IRQ_WRONG_CONTROLLER'], connect(endpoint));
    Cte.arg0.set(mem, user.slot(irq), 0);
    Cte.flags.set(mem, user.slot(endpoint), CteFlag.Locked);
    expectRefused(user, ['SYS_ERR_CAP_LOCKED'], connect(endpoint));
    Cte.flags.set(mem, user.slot(endpoint), 0);
    must(user.call(...connect(endpoint)));
    expectRefused(user, ['SYS_ERR_IRQ_IN_USE'], connect(endpoint));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('takes no endpoint whose buffer is not inside the frame (T17)', () => {
    const user = new User(target);
    const blank = user.newSlot();
    must(user.retype(OWN_DISPATCHER, 0, ObjType.EndPointLMP, 0, 1, blank));
    const bytes = LmpEndpoint.$bytes + RING * LMP_RING_WORD_BYTES;
    const outside = [
      0,
      2048,
      DISPATCHER_FRAME_BYTES - bytes + 8,
      DISPATCHER_FRAME_BYTES,
      0xffff_fff8,
    ];
    for (const offset of outside) {
      expect(user.mint(blank, user.newSlot(), Rights.All, offset, RING).names).toEqual([
        'SYS_ERR_EP_OUTSIDE_FRAME',
      ]);
    }
    must(user.mint(blank, user.newSlot(), Rights.All, DISPATCHER_FRAME_BYTES - bytes, RING));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('an interrupt on $name', (target) => {
  test('is a message without words, and wakes the receiver', () => {
    const user = new User(target);
    const { bench, dcb, frame } = user;
    const { mem } = bench;
    const { buffer } = connected(user);
    user.call(Syscall.Yield, 0);
    expect(bench.current).toBe(0);
    const [entry] = bench.entriesDuring(() => {
      bench.core.raise(LINE);
      bench.act(() => {});
    });
    expect(entry).toMatchObject({ dcb, gate: Gate.Run });
    expect(LmpEndpoint.delivered.get(mem, asPtr(buffer))).toBe(1);
    expect(mem.load32(asPtr(buffer + LmpEndpoint.$bytes))).toBe(0 << LmpHeader.LengthShift);
    expect(DispatcherFrame.lmpDelivered.get(mem, frame)).toBe(1);
    expect(DispatcherFrame.lmpHint.get(mem, frame)).toBe(BUFFER);
    expect(Kcb.interrupts.get(mem, bench.plan.kcb)).toBe(1);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('before a wake-up makes that void (T35)', () => {
    const user = new User(target);
    const { bench, dcb } = user;
    const { mem } = bench;
    connected(user);
    DispatcherFrame.wakeup.set(mem, user.frame, 2 ** 40);
    user.call(Syscall.Yield, 0);
    expect(bench.core.timerDeadline).toBe(2 ** 40);
    const [entry] = bench.entriesDuring(() => {
      bench.core.raise(LINE);
      bench.act(() => {});
    });
    expect(entry).toMatchObject({ dcb, gate: Gate.Run });
    expect(bench.core.cycles).toBeLessThan(2 ** 30);
    expect(Dcb.isWaiting.get(mem, dcb)).toBe(0);
    expect(Dcb.wakeupTime.get(mem, dcb)).toBe(0);
    expect(Kcb.wakeup.get(mem, bench.plan.kcb)).toBe(0);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('on several lines at once is a message for each', () => {
    const user = new User(target);
    const endpoint = user.makeEndpoint(BUFFER, 10);
    for (const line of [3, 8, 31]) {
      must(user.invoke(allocate(user, line), IrqDestCmd.Connect, endpoint, 2));
    }
    for (const line of [3, 8, 31, 12]) user.bench.core.raise(line);
    user.bench.run(1);
    const { mem } = user.bench;
    expect(LmpEndpoint.delivered.get(mem, asPtr(user.frame + BUFFER))).toBe(3);
    expect(DispatcherFrame.lmpDelivered.get(mem, user.frame)).toBe(3);
    expect(lost(user)).toBe(0);
  });

  test('from a line that nobody has, and a doorbell, disturb nobody', () => {
    const user = new User(target);
    DispatcherFrame.disabled.set(user.bench.mem, user.frame, 1);
    for (const line of [1, 2, 30, 31]) fire(user, line);
    expect(Kcb.interrupts.get(user.bench.mem, user.bench.plan.kcb)).toBe(4);
    expect(lost(user)).toBe(0);
    expect(user.call(Syscall.Nop).names).toEqual([]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('that finds the ring full is counted, and writes nothing into it', () => {
    const user = new User(target);
    const { mem } = user.bench;
    const { buffer } = connected(user);
    for (let i = 0; i < RING - 1; i++) fire(user);
    expect(lost(user)).toBe(0);
    const before = mem.read(asPtr(buffer), LmpEndpoint.$bytes + RING * LMP_RING_WORD_BYTES);
    for (let i = 0; i < 3; i++) fire(user);
    expect(lost(user)).toBe(3);
    expect(mem.read(asPtr(buffer), before.length)).toEqual(before);
    expect(DispatcherFrame.lmpDelivered.get(mem, user.frame)).toBe(RING - 1);
    // Room for one again: the next is delivered, around the end of the ring.
    LmpEndpoint.consumed.set(mem, asPtr(buffer), 1);
    fire(user);
    expect(LmpEndpoint.delivered.get(mem, asPtr(buffer))).toBe(0);
    expect(lost(user)).toBe(3);
  });

  test('for a receiver that has spoiled its indices is counted, and writes nothing', () => {
    const user = new User(target);
    const { bench } = user;
    const { buffer } = connected(user);
    const { delivered, consumed } = LmpEndpoint;
    let count = 0;
    for (const field of [delivered, consumed]) {
      for (const bad of [RING, RING + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
        delivered.set(bench.mem, asPtr(buffer), 0);
        consumed.set(bench.mem, asPtr(buffer), 0);
        field.set(bench.mem, asPtr(buffer), bad);
        const before = bench.mem.read(asPtr(user.frame + BUFFER), 0x1000);
        fire(user);
        count += 1;
        expect(lost(user)).toBe(count);
        expect(bench.mem.read(asPtr(user.frame + BUFFER), 0x1000)).toEqual(before);
      }
    }
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('for a buffer that its frame no longer holds is counted, and writes nothing (T17)', () => {
    const user = new User(target);
    const { bench } = user;
    connected(user);
    // A smaller frame: nothing can bring this about yet, but a later Setup could.
    Cte.bytes.set(bench.mem, Dcb.frame.at(user.dcb), BUFFER);
    const slot = Kcb.irqEndpoint.at(bench.plan.kcb, LINE);
    const before = snapshot(bench);
    expect(deliver(bench.kernel, slot, new Uint32Array(0), 0)).not.toBe(0);
    expect(differences(bench, before, snapshot(bench))).toEqual([]);
  });

  test('for a dispatcher that died of a fault is counted, and the kernel lives', () => {
    const user = new User(target);
    const { bench, dcb } = user;
    connected(user);
    DispatcherFrame.pagefaultDisabledEntry.set(bench.mem, user.frame, 0);
    bench.act((cpu) => cpu.load32(0));
    expect(Dcb.state.get(bench.mem, dcb)).toBe(DcbState.Dead);
    fire(user);
    expect(lost(user)).toBe(1);
    expect(bench.current).toBe(0);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('for a dispatcher that was never started waits in its ring', () => {
    const user = new User(target, { dispatchers: 1 });
    const { mem } = user.bench;
    const other = new Spawner(user).create();
    const endpoint = user.makeEndpoint(BUFFER, RING, other.dispatcher);
    must(user.invoke(allocate(user), IrqDestCmd.Connect, endpoint, 2));
    fire(user);
    expect(LmpEndpoint.delivered.get(mem, asPtr(other.frame + BUFFER))).toBe(1);
    expect(Dcb.state.get(mem, other.dcb)).toBe(DcbState.New);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('wakes whoever it is for, not whoever runs', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const other = new Spawner(user).spawn();
    connected(user);
    user.call(Syscall.Yield, 0);
    expect(bench.current).toBe(other.dcb);
    fire(user);
    expect(bench.current).toBe(user.dcb);
    expect(Dcb.state.get(bench.mem, other.dcb)).toBe(DcbState.Runnable);
  });
});

describe.each(TARGETS)('delivery on $name ends', (target) => {
  const ends: readonly (readonly [string, (user: User, endpoint: number) => void])[] = [
    ['its endpoint is deleted (T16)', (user, endpoint) => void must(user.delete(endpoint))],
    ['its endpoint is revoked (T16)', (user, endpoint) => void must(user.revoke(endpoint))],
    [
      'its endpoint and a copy are deleted',
      (user, endpoint) => {
        const copy = user.newSlot();
        must(user.copy(endpoint, copy));
        must(user.delete(endpoint));
        must(user.delete(copy));
      },
    ],
  ];

  test.each(ends)('when %s; the line can be connected again', (_, end) => {
    const user = new User(target);
    const { bench } = user;
    const { irq, endpoint, buffer } = connected(user);
    fire(user);
    expect(LmpEndpoint.delivered.get(bench.mem, asPtr(buffer))).toBe(1);
    end(user, endpoint);
    fire(user);
    expect(LmpEndpoint.delivered.get(bench.mem, asPtr(buffer))).toBe(1);
    expect(isEmpty(bench.mem, Kcb.irqEndpoint.at(bench.plan.kcb, LINE))).toBe(true);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    const next = user.makeEndpoint(BUFFER + 0x1000, RING);
    must(user.invoke(irq, IrqDestCmd.Connect, next, 2));
    fire(user);
    expect(LmpEndpoint.delivered.get(bench.mem, asPtr(buffer + 0x1000))).toBe(1);
  });

  test('with its dispatcher (T15)', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const other = new Spawner(user).create();
    const endpoint = user.makeEndpoint(BUFFER, RING, other.dispatcher);
    must(user.invoke(allocate(user), IrqDestCmd.Connect, endpoint, 2));
    must(user.delete(other.dispatcher));
    expect(isEmpty(bench.mem, user.slot(endpoint))).toBe(true);
    expect(isEmpty(bench.mem, Kcb.irqEndpoint.at(bench.plan.kcb, LINE))).toBe(true);
    fire(user);
    expect(bench.mem.isZero(asPtr(other.frame + BUFFER), 0x1000)).toBe(true);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('when the frame of the dispatcher is revoked', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const other = new Spawner(user).spawn();
    const endpoint = user.makeEndpoint(BUFFER, RING, other.dispatcher);
    must(user.invoke(allocate(user), IrqDestCmd.Connect, endpoint, 2));
    must(user.revoke(other.frameCap));
    const written = bench.mem.read(asPtr(other.frame), 0x4000);
    fire(user);
    expect(bench.mem.read(asPtr(other.frame), 0x4000)).toEqual(written);
    expect(lost(user)).toBe(1);
    bench.run(100_000);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    expect(user.base(OWN_FRAME)).toBe(user.frame);
  });
});

describe.each(TARGETS)('messages to an endpoint on $name', (target) => {
  test('arrive whole, in order and once, or not at all (I61, T47)', () => {
    const user = new User(target);
    const { mem, kernel, plan } = user.bench;
    const { buffer } = connected(user);
    const slot = Kcb.irqEndpoint.at(plan.kcb, LINE);
    const head = asPtr<'LmpEndpoint'>(buffer);
    const step = fc.oneof(
      fc.array(fc.nat(0xffff_ffff), { maxLength: 5 }),
      fc.constant('receive' as const),
    );
    const queue: number[][] = [];
    const ringWord = (index: number): number => {
      return mem.load32(asPtr(buffer + LmpEndpoint.$bytes + index * LMP_RING_WORD_BYTES));
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        for (const each of steps) {
          if (each !== 'receive') {
            const used = queue.reduce((sum, message) => sum + message.length + 1, 0);
            const fits = RING - used > each.length + 1;
            expect(deliver(kernel, slot, Uint32Array.from(each), each.length) === 0).toBe(fits);
            if (fits) queue.push(each);
            continue;
          }
          let at = LmpEndpoint.consumed.get(mem, head);
          const expected = queue.shift();
          expect(at === LmpEndpoint.delivered.get(mem, head)).toBe(expected === undefined);
          if (expected === undefined) continue;
          const received: number[] = [];
          const count = ringWord(at) >>> LmpHeader.LengthShift;
          for (let i = 0; i < count; i++) received.push(ringWord((at + 1 + i) % RING));
          at = (at + 1 + count) % RING;
          expect(received).toEqual(expected);
          LmpEndpoint.consumed.set(mem, head, at);
        }
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

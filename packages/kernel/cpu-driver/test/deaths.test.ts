/** Deaths that nobody asked for, and what the endpoint of the monitor is told of them. */

import {
  Access,
  Cte,
  capAddrOf,
  Dcb,
  DcbState,
  DEATH_REPORT_WORDS,
  DeathReason,
  DispatcherFrame,
  Gate,
  Kcb,
  KernelCmd,
  MonitorMessage,
  ObjType,
  packReportHead,
  Rights,
  RootSlot,
  reportReason,
  Syscall,
  TaskSlot,
  TrapKind,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { type Behaviour, gateAt, pause, TARGETS, type Target } from './bench.ts';
import { Domain } from './domain.ts';
import { BUFFER, Ring } from './parties.ts';
import { type Spawned, Spawner } from './spawn.ts';
import { KERNEL, must, User } from './user.ts';

/** Ring words of one report. */
const REPORT = DEATH_REPORT_WORDS + 1;

/** A first domain that is the monitor, and others beside it. */
class Scene {
  readonly user: User;
  readonly ring: Ring;
  readonly endpoint: number;
  private readonly spawner: Spawner;

  constructor(target: Target, ringWords = 64) {
    this.user = new User(target, { dispatchers: 6, ramBytes: 8 * 2 ** 20 });
    this.spawner = new Spawner(this.user);
    this.endpoint = this.user.makeEndpoint(BUFFER, ringWords);
    this.ring = new Ring(this.user.bench, this.user.frame, BUFFER, ringWords);
  }

  register(endpoint = this.endpoint): readonly string[] {
    return this.user.invoke(KERNEL, KernelCmd.Register, endpoint, 2).names;
  }

  /** A dispatcher of domain `id` that behaves like this once it runs. */
  spawn(id: number, behaviour: Behaviour): Spawned {
    const { bench } = this.user;
    const spawned = this.spawner.spawn((cpu, gate) => {
      cpu.spend(1);
      behaviour(cpu, gate);
    });
    Dcb.domainId.set(bench.mem, spawned.dcb, id);
    return spawned;
  }

  /** Let everybody have some turns; the kernel is well after each. */
  settle(): void {
    const { bench } = this.user;
    for (let i = 0; i < 8; i++) {
      bench.endTurn();
      bench.run(1);
      bench.run(1);
      expect(checkInvariants(bench.kernel)).toEqual([]);
    }
  }

  /** The next report in the ring. */
  report(): readonly number[] | undefined {
    return this.ring.receive()?.words;
  }

  /** The domains of all reports in the ring. */
  domains(): number[] {
    const ids: number[] = [];
    for (let words = this.report(); words !== undefined; words = this.report()) {
      ids.push(words[1] ?? 0);
    }
    return ids;
  }
}

/** Fault after fault while disabled: the third in a row is the last. */
const faults: Behaviour = (cpu) => {
  cpu.load32(cpu.arch.heapBase + 0x5004);
};

/** Go to an instruction that is no gate. */
const jumpNowhere: Behaviour = (cpu) => {
  const { pc } = cpu.arch;
  cpu.regs[2 * pc] = gateAt(cpu.arch, Gate.Resume) + 4;
  pause(cpu);
};

describe.each(TARGETS)('a death on $name', (target) => {
  const { arch } = target.board;
  const address = arch.heapBase + 0x5004;
  const split = (n: number): number[] => [n >>> 0, Math.floor(n / 2 ** 32) >>> 0];

  test('by page faults while disabled is reported with all there is to say', () => {
    const scene = new Scene(target);
    expect(scene.register()).toEqual([]);
    const { dcb } = scene.spawn(42, faults);
    Dcb.domainCore.set(scene.user.bench.mem, dcb, 3);
    scene.settle();
    const words = scene.report() ?? [];
    const { faultCode } = scene.user.bench.core;
    const head = packReportHead(
      MonitorMessage.Death,
      DeathReason.PageFaultDisabled,
      Access.Read,
      3,
    );
    const pc = gateAt(arch, Gate.Resume);
    expect(words).toEqual([head, 42, faultCode, ...split(address), ...split(pc)]);
    expect(scene.report(), 'once').toBeUndefined();
    expect(Dcb.state.get(scene.user.bench.mem, dcb)).toBe(DcbState.Dead);
  });

  interface Cause {
    readonly name: string;
    readonly reason: DeathReason;
    readonly behaviour: Behaviour;
    readonly prepare?: (user: User, spawned: Spawned) => void;
  }
  const causes: readonly Cause[] = [
    { name: 'a trap while disabled', reason: DeathReason.TrapDisabled, behaviour: jumpNowhere },
    {
      name: 'a program that throws',
      reason: DeathReason.Abort,
      behaviour() {
        throw new Error('no more');
      },
    },
    {
      name: 'the loss of its CSpace',
      reason: DeathReason.Dismantled,
      behaviour: pause,
      prepare({ bench: { kernel } }, { dcb }) {
        kernel.caps.hooks.dispatcherDismantled(dcb);
        kernel.caps.hooks.dispatcherDismantled(dcb);
      },
    },
    {
      name: 'no entry',
      reason: DeathReason.NoEntry,
      behaviour: pause,
      prepare({ bench: { mem } }, { frame, dcb }) {
        DispatcherFrame.runEntry.set(mem, frame, 0);
        Dcb.disabled.set(mem, dcb, 0);
      },
    },
  ];

  test.each(causes)('by $name has its own reason', ({ reason, behaviour, prepare }) => {
    const scene = new Scene(target);
    scene.register();
    const spawned = scene.spawn(9, behaviour);
    prepare?.(scene.user, spawned);
    scene.settle();
    const [head = 0, domain] = scene.report() ?? [];
    expect([reportReason(head), domain]).toEqual([reason, 9]);
    expect(scene.report()).toBeUndefined();
  });

  const unhandled = [
    ['page fault', 'pagefaultEntry', faults, DeathReason.PageFault, address],
    ['trap', 'trapEntry', jumpNowhere, DeathReason.Trap, gateAt(arch, Gate.Resume) + 4],
  ] as const;

  test.each(unhandled)('of a %s without a handler says so', (_, entry, fault, reason, at) => {
    const scene = new Scene(target);
    scene.register();
    const { mem } = scene.user.bench;
    const spawned = scene.spawn(9, (cpu, gate) => {
      DispatcherFrame.disabled.set(mem, spawned.frame, 0);
      DispatcherFrame[entry].set(mem, spawned.frame, 0);
      fault(cpu, gate);
    });
    scene.settle();
    const [head = 0, , code, ...where] = scene.report() ?? [];
    expect(reportReason(head)).toBe(reason);
    expect(where.slice(0, 2)).toEqual(split(at));
    const isTrap = reason === DeathReason.Trap;
    expect(code).toBe(isTrap ? TrapKind.Undefined : scene.user.bench.core.faultCode);
  });

  test('that nobody listens to is told as soon as somebody does', () => {
    const scene = new Scene(target);
    for (const id of [1, 2, 3]) scene.spawn(id, faults);
    scene.settle();
    expect(scene.report()).toBeUndefined();
    scene.user.bench.replaceDriver();
    scene.register();
    scene.settle();
    expect(scene.domains()).toEqual([1, 2, 3]);
  });

  test('that finds a full ring waits, in order, over a new CPU driver too', () => {
    const scene = new Scene(target, REPORT + 1);
    scene.register();
    const { bench } = scene.user;
    for (const id of [1, 2, 3]) scene.spawn(id, faults);
    scene.settle();
    const first = scene.domains();
    scene.settle();
    bench.replaceDriver();
    const second = scene.domains();
    bench.replaceDriver();
    scene.settle();
    expect([first, second, scene.domains()]).toEqual([[1], [2], [3]]);
    scene.settle();
    expect(scene.domains()).toEqual([]);
    expect(Kcb.deaths.get(bench.mem, bench.plan.kcb)).toBe(0);
    expect(Kcb.lostMessages.get(bench.mem, bench.plan.kcb), 'none is lost').toBe(0);
  });

  test('of a dispatcher that is deleted before anybody heard of it is not told', () => {
    for (const gone of [0, 1, 2]) {
      const scene = new Scene(target);
      const dead = [1, 2, 3].map((id) => scene.spawn(id, faults));
      scene.settle();
      must(scene.user.delete(dead[gone]?.dispatcher ?? 0));
      expect(checkInvariants(scene.user.bench.kernel)).toEqual([]);
      scene.register();
      scene.settle();
      expect(scene.domains()).toEqual([1, 2, 3].filter((id) => id !== gone + 1));
    }
  });

  test('waits for another endpoint when the registered one ends', () => {
    const scene = new Scene(target);
    const { user } = scene;
    scene.register();
    must(user.delete(scene.endpoint));
    scene.spawn(5, faults);
    scene.settle();
    const { mem, plan } = user.bench;
    expect(Cte.type.get(mem, Kcb.monitorEp.at(plan.kcb)), 'given up').toBe(ObjType.Null);
    expect(scene.report(), 'the buffer may be somebody else’s').toBeUndefined();
    expect(scene.register(user.makeEndpoint(BUFFER, 64))).toEqual([]);
    scene.settle();
    expect(scene.domains()).toEqual([5]);
  });

  test('of the monitor itself is told to the next one', () => {
    const scene = new Scene(target);
    const { user } = scene;
    const monitor = scene.spawn(1, faults);
    expect(scene.register(user.makeEndpoint(BUFFER, 64, monitor.dispatcher))).toEqual([]);
    scene.settle();
    scene.spawn(2, faults);
    scene.settle();
    scene.register();
    scene.settle();
    expect(scene.domains()).toEqual([1, 2]);
  });

  test('by the hand of whoever holds the dispatcher is no news', () => {
    const scene = new Scene(target);
    scene.register();
    const { user } = scene;
    const domain = new Domain(user);
    must(domain.setup());
    scene.settle();
    must(user.revoke(domain.ram));
    scene.settle();
    expect(scene.domains()).toEqual([]);
    const idle = new Domain(user);
    must(idle.setup({ run: 0 }));
    must(user.revoke(idle.rootCn));
    scene.settle();
    expect(scene.domains(), 'it never ran').toEqual([]);
  });

  test('of a domain that its maker has dismantled is told', () => {
    const scene = new Scene(target);
    scene.register();
    const { user } = scene;
    const domain = new Domain(user);
    must(domain.setup());
    must(user.revoke(domain.rootCn));
    scene.settle();
    const [head = 0] = scene.report() ?? [];
    expect(reportReason(head)).toBe(DeathReason.Dismantled);
  });

  test('wakes who sleeps and listens', () => {
    const scene = new Scene(target);
    scene.register();
    const { bench, dcb } = scene.user;
    scene.spawn(7, faults);
    DispatcherFrame.disabled.set(bench.mem, scene.user.frame, 1);
    expect(scene.user.call(Syscall.Yield, 0).names).toEqual(['left']);
    bench.run(20_000);
    expect(bench.current).toBe(dcb);
    expect(scene.domains()).toEqual([7]);
  });

  test('is told to no endpoint whose ring is too short for it', () => {
    const scene = new Scene(target, REPORT);
    expect(scene.register()).toEqual(['SYS_ERR_INVALID_EPLEN']);
  });
});

describe.each(TARGETS)('the domain of a dispatcher on $name', (target) => {
  test('is what the capability says that its maker names, before it ever runs', () => {
    const user = new User(target, { ramBytes: 8 * 2 ** 20 });
    const cap = user.newSlot();
    const manager = capAddrOf(RootSlot.TaskCn, TaskSlot.ProcessManager);
    must(user.retype(manager, 0, ObjType.Domain, 0, 1, cap));
    const domain = new Domain(user);
    must(domain.setup({ other: cap, run: 0 }));
    const { mem } = user.bench;
    const number = Cte.arg1.get(mem, user.slot(cap));
    expect(number).toBeGreaterThan(0);
    expect(Dcb.domainId.get(mem, domain.dcb)).toBe(number);
    expect(Dcb.domainCore.get(mem, domain.dcb)).toBe(0);
    const sibling = new Domain(user);
    must(sibling.setup({ other: domain.dispatcher, run: 0 }));
    expect(Dcb.domainId.get(mem, sibling.dcb)).toBe(number);
  });

  test('may be one of another core', () => {
    const user = new User(target, { ramBytes: 8 * 2 ** 20 });
    const slot = user.newSlot();
    const head = ObjType.Domain + Rights.All * 0x100;
    const words = [head, 0, 0, 0, 0, 0, 5, 77];
    const place = [slot & ~0xff, (slot & 0xff) + 0x100_0000];
    must(user.invoke(KERNEL, KernelCmd.CreateCap, ...words, ...place));
    const domain = new Domain(user);
    must(domain.setup({ other: slot, run: 0 }));
    const { mem } = user.bench;
    expect(Dcb.domainId.get(mem, domain.dcb)).toBe(77);
    expect(Dcb.domainCore.get(mem, domain.dcb)).toBe(5);
    must(user.invoke(KERNEL, KernelCmd.DomainId, domain.dispatcher, 2, 6));
    expect(Dcb.domainCore.get(mem, domain.dcb)).toBe(0);
  });
});

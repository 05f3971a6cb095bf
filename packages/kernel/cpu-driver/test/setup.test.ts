import { eachCap, isEmpty, type Slot } from '@barreleye/caps';
import { asPtr, coreId } from '@barreleye/core';
import {
  CNodeCmd,
  Cte,
  CteFlag,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherCmd,
  DispatcherFrame,
  Gate,
  invokeHeader,
  Kcb,
  KernelCmd,
  ObjType,
  Rights,
  RootSlot,
  Syscall,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { PAUSE_CYCLES, TARGETS, type Target } from './bench.ts';
import {
  DOMAIN_BYTES,
  Domain,
  NEW_FRAME,
  NEW_HOME,
  NEW_ROOT_TABLE,
  type SetupWord,
} from './domain.ts';
import { expectRefused } from './memory.ts';
import { KERNEL, MODULE, must, OWN_DISPATCHER, RAM, User } from './user.ts';
import { watchEntries } from './watch.ts';

const OPTIONS = { ramBytes: 8 * 2 ** 20 };

function makeUser(target: Target): { user: User; domain: Domain } {
  const user = new User(target, OPTIONS);
  return { user, domain: new Domain(user) };
}

/** Words of a setup that is all right, but for `change`. */
function words(domain: Domain, change: Partial<Record<SetupWord, number>> = {}): number[] {
  const header = invokeHeader(DispatcherCmd.Setup, 2);
  return [Syscall.Invoke, header, domain.dispatcher, ...domain.setupWords(change)];
}

describe.each(TARGETS)('a dispatcher that is set up on $name', (target) => {
  test('starts where its frame says, and runs beside its creator', () => {
    const { user, domain } = makeUser(target);
    const { bench } = user;
    const { arch, mem } = bench;
    const problems: string[] = [];
    watchEntries(bench, problems, () => 'setup');
    must(domain.setup());
    DispatcherFrame.haswork.set(mem, user.frame, 1);
    const [entry] = bench
      .entriesDuring(() => {
        user.call(Syscall.Yield, 0);
        bench.act(() => {});
      })
      .slice(1);
    expect(entry?.dcb).toBe(domain.dcb);
    expect(entry?.gate).toBe(Gate.Start);
    expect(entry?.regs[2 * arch.upcallArgs[0]]).toBe(arch.dispatcherBase);
    expect(DispatcherFrame.disabled.get(mem, domain.frame)).toBe(1);
    expect(DispatcherFrame.coreId.get(mem, domain.frame)).toBe(0);
    expect(DispatcherFrame.frequency.get(mem, domain.frame)).toBe(bench.core.frequency);
    // It sees its own frame, and what is in its own CSpace only.
    const name = arch.dispatcherBase + DispatcherFrame.name.offset;
    bench.act((cpu) => cpu.store32(name, 0x6c6c_6548));
    expect(DispatcherFrame.name.get(mem, domain.frame)).toBe('Hell');
    expect(DispatcherFrame.name.get(mem, user.frame)).toBe('init');
    bench.endTurn();
    bench.run(PAUSE_CYCLES);
    expect(bench.current).toBe(user.dcb);
    bench.endTurn();
    bench.run(PAUSE_CYCLES);
    expect(bench.current).toBe(domain.dcb);
    expect(problems).toEqual([]);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('holds what it lives by in the mapping database (T14, T46)', () => {
    const { user, domain } = makeUser(target);
    const { mem } = user.bench;
    must(domain.setup());
    for (const [slot, cap] of [
      [Dcb.cspace.at(domain.dcb), domain.rootCn],
      [Dcb.vspace.at(domain.dcb), domain.rootTable],
      [Dcb.frame.at(domain.dcb), domain.frameCap],
    ] as const) {
      expect(Cte.base.get(mem, slot)).toBe(user.base(cap));
    }
    domain.abandon();
    expect(Dcb.state.get(mem, domain.dcb), 'its own capabilities keep it alive').toBe(
      DcbState.Runnable,
    );
    user.call(Syscall.Yield, 0);
    expect(user.bench.current).toBe(domain.dcb);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('but not run, runs when it is asked for again, and only then', () => {
    const { user, domain } = makeUser(target);
    const { mem } = user.bench;
    const again = { cspace: 0, vspace: 0, frame: 0 };
    expectRefused(user, ['SYS_ERR_DISP_NOT_RUNNABLE'], words(domain, again));
    must(domain.setup({ run: 0 }));
    expect(Dcb.state.get(mem, domain.dcb)).toBe(DcbState.New);
    expectRefused(user, ['SYS_ERR_DISP_NOT_RUNNABLE'], words(domain, { ...again, run: 0 }));
    must(domain.setup(again));
    expect(Dcb.state.get(mem, domain.dcb)).toBe(DcbState.Runnable);
    expectRefused(user, ['SYS_ERR_DISP_NOT_RUNNABLE'], words(domain, again));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('is in the domain of its creator, or of the dispatcher that is named', () => {
    const user = new User(target, OPTIONS);
    const { mem } = user.bench;
    const [first, second] = [new Domain(user), new Domain(user)];
    must(user.invoke(KERNEL, KernelCmd.DomainId, OWN_DISPATCHER, 2, 7));
    must(user.invoke(KERNEL, KernelCmd.DomainId, first.dispatcher, 2, 9));
    must(first.setup({ run: 0 }));
    expect(Dcb.domainId.get(mem, first.dcb)).toBe(7);
    must(user.invoke(KERNEL, KernelCmd.DomainId, first.dispatcher, 2, 9));
    must(second.setup({ other: first.dispatcher }));
    expect(Dcb.domainId.get(mem, second.dcb)).toBe(9);
  });

  test('is set up once; the caller cannot set itself up', () => {
    const { user, domain } = makeUser(target);
    must(domain.setup());
    const used = ['SYS_ERR_DISP_CSPACE_ROOT', 'SYS_ERR_SLOT_IN_USE'];
    expectRefused(user, used, words(domain));
    const header = invokeHeader(DispatcherCmd.Setup, 2);
    const own = [Syscall.Invoke, header, OWN_DISPATCHER, ...domain.setupWords()];
    expectRefused(user, used, own);
    expectRefused(
      user,
      ['SYS_ERR_DISP_NOT_RUNNABLE'],
      [...own.slice(0, 3), 0, 0, 0, 0, 1, 0, 0, 0],
    );
  });

  test('and has lost its CSpace is not set up again', () => {
    const { user, domain } = makeUser(target);
    must(domain.setup({ run: 0 }));
    must(user.revoke(domain.rootCn));
    expect(isEmpty(user.bench.mem, Dcb.cspace.at(domain.dcb))).toBe(true);
    expectRefused(user, ['SYS_ERR_DISP_CSPACE_ROOT', 'SYS_ERR_SLOT_IN_USE'], words(domain));
    const again = words(domain, { cspace: 0, vspace: 0, frame: 0 });
    expectRefused(user, ['SYS_ERR_DISP_NOT_RUNNABLE'], again);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('a setup on $name is refused, and changes nothing', (target) => {
  test('without the write right to the dispatcher (T40)', () => {
    const { user, domain } = makeUser(target);
    const weak = user.newSlot();
    must(user.mint(domain.dispatcher, weak, Rights.All & ~Rights.Write));
    const header = invokeHeader(DispatcherCmd.Setup, 2);
    const call = [Syscall.Invoke, header, weak, ...domain.setupWords()];
    expectRefused(user, ['SYS_ERR_CAP_RIGHTS'], call);
  });

  test('for each thing that is missing or wrong, in the order of the checks', () => {
    const { user, domain } = makeUser(target);
    const unborn = user.newSlot();
    const nowhere = capAddrOf(250, 0);
    const home = (i: number): number => capAddrOf(NEW_HOME, i);
    domain.give(RAM, NEW_HOME, 0);
    domain.give(MODULE, NEW_HOME, 1);
    const small = user.make(ObjType.Frame, 4096);
    domain.give(small, NEW_HOME, 2);
    const dim = user.newSlot();
    must(user.mint(domain.frameCap, dim, Rights.All & ~Rights.Write));
    domain.give(dim, NEW_HOME, 3);
    const faint = user.newSlot();
    must(user.mint(domain.rootTable, faint, Rights.All & ~Rights.Write));
    domain.give(faint, NEW_HOME, 4);
    const leaf = user.bench.paging.levels.at(-1)?.type ?? 0;
    domain.give(user.make(leaf), NEW_HOME, 5);
    const { userBase, userLimit } = user.bench.arch;
    type Case = readonly [readonly string[], Partial<Record<SetupWord, number>>];
    const cspace = (...why: string[]): string[] => ['SYS_ERR_DISP_CSPACE_ROOT', ...why];
    const vspace = (...why: string[]): string[] => ['SYS_ERR_DISP_VSPACE_ROOT', ...why];
    const frame = (...why: string[]): string[] => ['SYS_ERR_DISP_FRAME', ...why];
    const cases: readonly Case[] = [
      ...(['cspace', 'vspace', 'frame'] as const).map(
        (word): Case => [
          ['SYS_ERR_DISP_NOT_RUNNABLE'],
          { [word]: 0, ...(word !== 'cspace' && { other: nowhere }) },
        ],
      ),
      [cspace('SYS_ERR_CAP_NOT_FOUND'), { cspace: unborn, vspace: nowhere }],
      [cspace('SYS_ERR_CNODE_NOT_FOUND'), { cspace: nowhere, vspace: nowhere }],
      [cspace('SYS_ERR_CAP_LOOKUP_DEPTH'), { level: 3, vspace: nowhere }],
      [['SYS_ERR_DISP_CSPACE_INVALID'], { cspace: domain.taskCn, vspace: nowhere }],
      [['SYS_ERR_DISP_CSPACE_INVALID'], { cspace: RAM, vspace: nowhere }],
      [vspace('SYS_ERR_CNODE_NOT_FOUND'), { vspace: nowhere, frame: nowhere }],
      [vspace('SYS_ERR_CAP_NOT_FOUND'), { vspace: home(9), frame: nowhere }],
      [vspace('SYS_ERR_CAP_RIGHTS'), { vspace: home(4), frame: nowhere }],
      [['SYS_ERR_DISP_VSPACE_INVALID'], { vspace: home(0), frame: nowhere }],
      [['SYS_ERR_DISP_VSPACE_INVALID'], { vspace: home(5), frame: nowhere }],
      [frame('SYS_ERR_CNODE_NOT_FOUND'), { frame: nowhere, other: nowhere }],
      [frame('SYS_ERR_CAP_NOT_FOUND'), { frame: home(9), other: nowhere }],
      [frame('SYS_ERR_CAP_RIGHTS'), { frame: home(3), other: nowhere }],
      [['SYS_ERR_DISP_FRAME_INVALID'], { frame: home(0), other: nowhere }],
      [['SYS_ERR_DISP_FRAME_INVALID'], { frame: home(1), other: nowhere }],
      [['SYS_ERR_DISP_FRAME_SIZE'], { frame: home(2), other: nowhere }],
      [['SYS_ERR_INVARGS_SYSCALL'], { low: 0x1234, high: 0, other: nowhere }],
      [['SYS_ERR_INVARGS_SYSCALL'], { low: 0, high: 0xffff_ffff, other: nowhere }],
      [['SYS_ERR_INVARGS_SYSCALL'], { low: 0, high: userLimit / 2 ** 32, other: nowhere }],
      [['SYS_ERR_INVARGS_SYSCALL'], { low: userBase - 4096, high: 0, other: nowhere }],
      [['SYS_ERR_DISP_OCAP_LOOKUP', 'SYS_ERR_CNODE_NOT_FOUND'], { other: nowhere }],
      [['SYS_ERR_DISP_OCAP_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'], { other: unborn }],
      [['SYS_ERR_DISP_OCAP_TYPE'], { other: RAM }],
    ];
    for (const [names, change] of cases) expectRefused(user, names, words(domain, change));
    must(domain.setup());
  });

  test('for what is locked or dying, and of another core where it must be ours', () => {
    const { user, domain } = makeUser(target);
    const { mem } = user.bench;
    const inCNode = (cnode: number, address: number): Slot =>
      asPtr<'Cte'>(user.base(cnode) + (address & 0xff) * Cte.$bytes);
    const parts: readonly (readonly [string, Slot, boolean])[] = [
      ['SYS_ERR_DISP_CSPACE_ROOT', user.slot(domain.rootCn), true],
      ['SYS_ERR_DISP_VSPACE_ROOT', inCNode(domain.pageCn, NEW_ROOT_TABLE), false],
      ['SYS_ERR_DISP_FRAME', inCNode(domain.taskCn, NEW_FRAME), false],
      ['SYS_ERR_DISP_OCAP_LOOKUP', user.slot(OWN_DISPATCHER), true],
    ];
    const call = words(domain, { other: OWN_DISPATCHER });
    for (const [name, slot, isOurs] of parts) {
      for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
        Cte.flags.set(mem, slot, flag);
        expectRefused(user, [name, 'SYS_ERR_CAP_LOCKED'], call);
        Cte.flags.set(mem, slot, 0);
      }
      if (!isOurs) continue;
      Cte.owner.set(mem, slot, coreId(3));
      expectRefused(user, [name, 'SYS_ERR_RETRY_THROUGH_MONITOR'], call);
      Cte.owner.set(mem, slot, coreId(0));
    }
    must(domain.setup());
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('the end of a domain on $name', (target) => {
  const ends: readonly (readonly [string, (user: User, domain: Domain) => void])[] = [
    ['its RAM is revoked', (user, { ram }) => void must(user.revoke(ram))],
    [
      'its dispatcher is revoked and deleted, then its RAM',
      (user, domain) => {
        must(user.revoke(domain.dispatcher));
        must(user.delete(domain.dispatcher));
        expect(Dcb.state.get(user.bench.mem, domain.dcb)).not.toBe(DcbState.Runnable);
        must(user.revoke(domain.ram));
      },
    ],
  ];

  test.each(ends)('leaves nothing behind when %s', (_, end) => {
    const user = new User(target, OPTIONS);
    const { bench } = user;
    const { mem, plan } = bench;
    const problems: string[] = [];
    new Domain(user); // the window into other frames stays
    const survivor = new Domain(user);
    must(survivor.setup());
    const before = { caps: capCount(user), free: Kcb.freeRamBytes.get(mem, plan.kcb) };
    const domain = new Domain(user);
    const base = user.base(domain.ram);
    must(domain.setup());
    DispatcherFrame.haswork.set(mem, user.frame, 1);
    user.call(Syscall.Yield, domain.dispatcher);
    expect(bench.current).toBe(domain.dcb);
    bench.endTurn();
    bench.run(1);
    while (bench.current !== user.dcb) {
      bench.endTurn();
      bench.run(1);
    }
    watchEntries(bench, problems, () => 'the end');
    end(user, domain);
    must(user.delete(domain.ram));
    expect(problems).toEqual([]);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    // The image capability that maps into it was a copy of ours.
    expect(capCount(user)).toBe(before.caps + 1);
    expect(Kcb.freeRamBytes.get(mem, plan.kcb)).toBe(before.free);
    const again = user.newSlot();
    const at = base - plan.ram;
    must(user.retype(RAM, at, ObjType.RAM, DOMAIN_BYTES, 1, again));
    user.call(Syscall.Yield, survivor.dispatcher);
    expect(bench.current).toBe(survivor.dcb);
  });

  test('by its own call gives the core to the others', () => {
    const { user, domain } = makeUser(target);
    const { bench } = user;
    must(domain.setup());
    must(user.delete(domain.dispatcher));
    DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
    user.call(Syscall.Yield, 0);
    expect(bench.current).toBe(domain.dcb);
    // The last capability of its dispatcher is in its own CSpace.
    const own = capAddrOf(RootSlot.TaskCn, 1);
    expect(user.invokeRoot(CNodeCmd.Delete, own, 2).names).toEqual(['left']);
    expect(bench.current).toBe(user.dcb);
    expect(checkInvariants(bench.kernel)).toEqual([]);
    must(user.revoke(domain.ram));
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('that was never set up is that of its objects', () => {
    const { user, domain } = makeUser(target);
    must(user.revoke(domain.ram));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

/** Capabilities that there are. */
function capCount(user: User): number {
  let count = 0;
  for (const _ of eachCap(user.bench.kernel.caps)) count += 1;
  return count;
}

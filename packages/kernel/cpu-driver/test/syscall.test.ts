import { createCap, isEmpty } from '@barreleye/caps';
import { asPaddr, coreId } from '@barreleye/core';
import { boardPc64 } from '@barreleye/machine';
import {
  type Arch,
  CNodeCmd,
  COUNTERS,
  CPTR_ROOTCN,
  Cte,
  CteFlag,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherFrame,
  IdCmd,
  INVOKE_ARGS_AT,
  IrqDestCmd,
  IrqTableCmd,
  invokeHeader,
  Kcb,
  KernelCmd,
  LmpFlag,
  MESSAGE_WORDS,
  ObjType,
  RamCmd,
  Rights,
  RootSlot,
  Syscall,
  VNodeCmd,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { INVOCATIONS } from '../src/invocations.ts';
import { pause, TARGETS, type Target } from './bench.ts';
import { expectRefused } from './memory.ts';
import { type Spawned, Spawner } from './spawn.ts';
import {
  IRQ_TABLE,
  KERNEL,
  must,
  OWN_DISPATCHER,
  OWN_FRAME,
  placeOf,
  RAM,
  ROOT_TABLE,
  systemCall,
  User,
} from './user.ts';

const ALL_COMMANDS = Array.from({ length: 256 }, (_, command) => command);
/** A root slot that nobody uses. */
const FREE_ROOT_SLOT = 200;

/** Words of an invocation. */
function invocation(address: number, command: number, level = 2): number[] {
  return [Syscall.Invoke, invokeHeader(command, level), address];
}

describe.each(TARGETS)('a system call on $name', (target) => {
  test('that does not exist is refused, and changes nothing', () => {
    const user = new User(target);
    const { Invoke, Yield, Lrpc, Nop, Suspend } = Syscall;
    const served: number[] = [Invoke, Yield, Lrpc, Nop, Suspend];
    const numbers = [...Array(16).keys(), 0x100, 0x8000_0000, 0xffff_ffff];
    for (const number of numbers) {
      if (served.includes(number)) continue;
      expectRefused(user, ['SYS_ERR_ILLEGAL_SYSCALL'], [number, 1, 2, 3]);
    }
  });

  test('that does nothing answers OK, and leaves all registers but those of the result', () => {
    const user = new User(target);
    const { arch } = user.bench;
    user.bench.act((cpu) => {
      for (let i = 0; i < 2 * arch.registers.length; i++) cpu.regs[i] = 0x1000_0000 + i;
      const pc = cpu.regs.slice(2 * arch.pc, 2 * arch.pc + 2);
      cpu.regs[arch.argWords[0] ?? 0] = Syscall.Nop;
      const before = cpu.regs.slice();
      expect(cpu.syscall()).toBe(true);
      for (let i = 0; i < 2 * arch.registers.length; i++) {
        const isResult = arch.resultWords.includes(i);
        expect(cpu.regs[i], `word ${i}`).toBe(isResult ? 0 : before[i]);
      }
      cpu.regs.set(pc, 2 * arch.pc);
      expect(() => pause(cpu)).not.toThrow();
    });
  });

  test('returns values of 64 bits in two words', () => {
    const user = new User(target);
    const { mem, plan } = user.bench;
    Kcb.pageFaults.set(mem, plan.kcb, 0x12_3456_789a);
    const counter = COUNTERS.findIndex(({ field }) => field === 'pageFaults');
    expect(user.invoke(KERNEL, KernelCmd.Counters, counter).value).toBe(0x12_3456_789a);
    const id = user.newSlot();
    must(user.invokeRoot(CNodeCmd.Create, ObjType.ID, ...placeOf(id)));
    Cte.arg0.set(mem, user.slot(id), 5); // as if core 5 had made it
    expect(user.invoke(id, IdCmd.Identify).value).toBe(5 * 2 ** 32 + 1);
  });

  test('reads the counters of the kernel, and no others', () => {
    const user = new User(target);
    const { mem, plan } = user.bench;
    for (const [i, { field, name }] of COUNTERS.entries()) {
      const { value } = must(user.invoke(KERNEL, KernelCmd.Counters, i));
      expect(value, name).toBe(Kcb[field].get(mem, plan.kcb));
    }
    for (const bad of [COUNTERS.length, 0xffff_ffff]) {
      const words = [...invocation(KERNEL, KernelCmd.Counters), bad];
      expectRefused(user, ['SYS_ERR_INVARGS_SYSCALL'], words);
    }
  });
});

describe.each(TARGETS)('an invocation on $name', (target) => {
  test('of what the table does not name is refused, and changes nothing', () => {
    const user = new User(target);
    const frame = user.make(ObjType.Frame, 4096);
    const endpoint = user.newSlot();
    must(user.retype(OWN_DISPATCHER, 0, ObjType.EndPointLMP, 0, 1, endpoint));
    const named = [CPTR_ROOTCN, RAM, KERNEL, IRQ_TABLE, ROOT_TABLE];
    for (const address of [...named, frame, endpoint, OWN_DISPATCHER]) {
      const commands = INVOCATIONS[Cte.type.get(user.bench.mem, user.slot(address))] ?? {};
      const missing = ALL_COMMANDS.filter((command) => commands[command] === undefined);
      expect(missing.length).toBeGreaterThan(220);
      for (const command of [missing[0] ?? 0, missing[7] ?? 0, 255]) {
        const header = invokeHeader(command, 2, LmpFlag.Identify); // else it were a message
        const words = [Syscall.Invoke, header, address];
        expectRefused(user, ['SYS_ERR_ILLEGAL_INVOCATION'], words);
      }
    }
  });

  test('of an address with more than two levels is refused', () => {
    const user = new User(target);
    for (const level of [3, 4, 15, 255]) {
      const words = invocation(RAM, RamCmd.Noop, level);
      expectRefused(user, ['SYS_ERR_CAP_LOOKUP_DEPTH'], words);
    }
  });

  test('finds capabilities at each of the three levels', () => {
    const user = new User(target);
    const size = invokeHeader(CNodeCmd.GetSize, 0);
    expect(must(user.call(Syscall.Invoke, size, 0xdead_beef)).value, 'the root itself').toBe(16384);
    const l1 = invokeHeader(CNodeCmd.GetSize, 1);
    const words = [Syscall.Invoke, l1, RootSlot.TaskCn << 8];
    expectRefused(user, ['SYS_ERR_CNODE_NOT_ROOT'], words);
    must(user.invoke(RAM, RamCmd.Noop));
  });

  test('of an address that leads nowhere says where the way ends', () => {
    const user = new User(target);
    const { Noop } = RamCmd;
    const cases = [
      [invocation(capAddrOf(RootSlot.SuperCn, 77), Noop), 'SYS_ERR_CAP_NOT_FOUND'],
      [invocation(capAddrOf(FREE_ROOT_SLOT, 0), Noop), 'SYS_ERR_CNODE_NOT_FOUND'],
      [invocation(capAddrOf(256, 0), Noop), 'SYS_ERR_L1_CNODE_INDEX'],
      [invocation(0xffff_ffff, Noop), 'SYS_ERR_L1_CNODE_INDEX'],
      [invocation(capAddrOf(RootSlot.BspKcb, 0), Noop), 'SYS_ERR_CNODE_TYPE'],
      [invocation(capAddrOf(FREE_ROOT_SLOT, 0), Noop, 1), 'SYS_ERR_CAP_NOT_FOUND'],
    ] as const;
    for (const [words, name] of cases) expectRefused(user, [name], words);
  });

  test('through a CNode that may not be read is refused', () => {
    const user = new User(target);
    const blind = user.make(ObjType.L2CNode);
    const mint = [CPTR_ROOTCN, 0, FREE_ROOT_SLOT, CPTR_ROOTCN, blind, 2 * 16, Rights.Write, 0, 0];
    must(user.invokeRoot(CNodeCmd.Mint, ...mint));
    const words = invocation(capAddrOf(FREE_ROOT_SLOT, 0), RamCmd.Noop);
    expectRefused(user, ['SYS_ERR_CNODE_RIGHTS'], words);
  });

  test('needs the rights of its row on the invoked capability itself (T40)', () => {
    const user = new User(target);
    const irq = user.newSlot();
    must(user.invoke(IRQ_TABLE, IrqTableCmd.AllocDestCap, 9, ...placeOf(irq)));
    const cases = [
      [RAM, RamCmd.Noop],
      [KERNEL, KernelCmd.GetCoreId],
      [KERNEL, KernelCmd.Counters],
      [CPTR_ROOTCN, CNodeCmd.Copy],
      [CPTR_ROOTCN, CNodeCmd.Retype],
      [CPTR_ROOTCN, CNodeCmd.Resize],
      [IRQ_TABLE, IrqTableCmd.AllocDestCap],
      [irq, IrqDestCmd.GetVector],
      [irq, IrqDestCmd.Connect],
    ] as const;
    for (const [address, command] of cases) {
      const weak = user.newSlot();
      must(user.mint(address, weak, Rights.Execute | Rights.Grant | Rights.Identify));
      expectRefused(user, ['SYS_ERR_CAP_RIGHTS'], invocation(weak, command));
    }
    const readOnly = user.newSlot();
    must(user.mint(irq, readOnly, Rights.Read));
    const connect = [...invocation(readOnly, IrqDestCmd.Connect), OWN_DISPATCHER, 2];
    expectRefused(user, ['SYS_ERR_CAP_RIGHTS'], connect);
    const table = user.newSlot();
    must(user.mint(ROOT_TABLE, table, Rights.Read));
    expectRefused(user, ['SYS_ERR_DEST_CAP_RIGHTS'], invocation(table, VNodeCmd.Map));
  });

  test('of an object that is locked, dying or owned elsewhere is refused (T32)', () => {
    const user = new User(target);
    const { mem } = user.bench;
    const table = user.make(target.paging.levels.at(-1)?.type ?? 0);
    const slot = user.slot(table);
    const words = invocation(table, VNodeCmd.Map);
    for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
      Cte.flags.set(mem, slot, flag);
      expectRefused(user, ['SYS_ERR_CAP_LOCKED'], words);
    }
    Cte.flags.set(mem, slot, 0);
    Cte.owner.set(mem, slot, coreId(3));
    expectRefused(user, ['SYS_ERR_RETRY_THROUGH_MONITOR'], words);
  });

  test('takes arguments beyond the registers from the message words', () => {
    const arch: Arch = { ...target.board.arch, argWords: target.board.arch.argWords.slice(0, 5) };
    const narrow: Target = { ...target, board: { ...target.board, arch } };
    const user = new User(narrow);
    const frame = user.make(ObjType.Frame, 2 * 4096); // 13 words: eight of them in memory
    expect(Cte.bytes.get(user.bench.mem, user.slot(frame))).toBe(2 * 4096);
    const table = user.makeTables(arch.heapBase);
    const first = user.entryOf(arch.heapBase);
    must(user.map(table, frame, user.newSlot(), { first, count: 2, flags: 3 }));
    expect(user.bench.act((cpu) => cpu.store32(arch.heapBase + 4096, 7))).toBe(true);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('never needs more words than the registers carry, but for those of monitors', () => {
    const { [ObjType.Kernel]: kernel = {}, ...others } = INVOCATIONS;
    const words = (commands: object): number =>
      INVOKE_ARGS_AT + Math.max(...Object.values(commands).map((row) => row.argCount));
    expect(Math.max(...Object.values(others).map(words))).toBe(13);
    expect(target.board.arch.argWords.length).toBeGreaterThanOrEqual(13);
    expect(words(kernel)).toBeLessThanOrEqual(13 + MESSAGE_WORDS);
  });

  test('identifies a capability: type and rights as value, the rest in the message words', () => {
    const user = new User(target);
    const frame = user.make(ObjType.Frame, 3 * 4096);
    const { value } = must(user.invokeRoot(CNodeCmd.Identify, frame, 2));
    expect(value).toBe(ObjType.Frame | (Rights.All << 8));
    const base = user.base(frame);
    const message = [0, 1, 2, 3, 4].map((i) => user.message(i));
    expect(message).toEqual([base, 0, 3 * 4096, 0, 0]);
    const empty = [...invocation(CPTR_ROOTCN, CNodeCmd.Identify), user.newSlot(), 2];
    expectRefused(user, ['SYS_ERR_CAP_NOT_FOUND'], empty);
  });
});

describe.each(TARGETS)('a caller on $name that ends itself', (target) => {
  const { Delete, Revoke } = CNodeCmd;
  const ends: readonly (readonly [string, number, number])[] = [
    ['deletes its dispatcher', Delete, OWN_DISPATCHER],
    ['revokes its frame (T15)', Revoke, OWN_FRAME],
    ['revokes its page tables (T14)', Revoke, ROOT_TABLE],
    ['revokes its CSpace', Revoke, CPTR_ROOTCN],
  ];

  test.each(ends)('%s: the core idles', (_, command, address) => {
    const user = new User(target);
    const { bench, dcb } = user;
    expect(user.invokeRoot(command, address, 2).names).toEqual(['left']);
    expect(bench.current).toBe(0);
    expect(Dcb.state.get(bench.mem, dcb)).toBe(DcbState.Dead);
    expect(bench.machine.run(10_000)).toEqual({ kind: 'idle' });
    expect(checkInvariants(bench.kernel)).toEqual([]);
    bench.endTurn();
    expect(bench.machine.run(10_000), 'nobody comes back').toEqual({ kind: 'idle' });
  });

  test.each(ends.slice(0, 3))('%s: somebody else gets the core', (_, command, address) => {
    const user = new User(target, { dispatchers: 1 });
    const other = new Spawner(user).spawn();
    expect(user.invokeRoot(command, address, 2).names).toEqual(['left']);
    expect(user.bench.current).toBe(other.dcb);
    expect(user.call(Syscall.Nop).names).toEqual([]);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('revokes the CSpace of others too: none of them runs again', () => {
    const user = new User(target, { dispatchers: 1 });
    const other = new Spawner(user).spawn();
    expect(user.revoke(CPTR_ROOTCN).names).toEqual(['left']);
    expect(user.bench.current).toBe(0);
    expect(Dcb.state.get(user.bench.mem, other.dcb)).toBe(DcbState.Dead);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('a dispatcher on $name that is made of RAM', (target) => {
  /** It, and the RAM; it has all its objects in there. */
  function build(): { user: User; ram: number; victim: Spawned } {
    const user = new User(target);
    const ram = user.make(ObjType.RAM, 2 ** 20, 16384);
    const victim = new Spawner(user, user.base(ram), 2 ** 20).spawn();
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
    return { user, ram, victim };
  }

  /** The memory serves another purpose, and nobody minds. */
  function reuse(user: User, ram: number): void {
    const { bench } = user;
    const cnodes = user.newSlot(64);
    must(user.retype(ram, 0, ObjType.L2CNode, 0, 64, cnodes));
    expect(bench.mem.isZero(user.base(ram), 2 ** 20)).toBe(true);
    for (let i = 0; i < 5; i++) {
      bench.endTurn();
      bench.run(1000);
    }
    expect(bench.mem.isZero(user.base(ram), 2 ** 20)).toBe(true);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  }

  test('is gone with it, though it waits for its turn', () => {
    const { user, ram, victim } = build();
    must(user.revoke(ram));
    expect(isEmpty(user.bench.mem, user.slot(victim.dispatcher))).toBe(true);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
    reuse(user, ram);
  });

  test('is gone with it, though it sleeps', () => {
    const { user, ram, victim } = build();
    const { bench } = user;
    DispatcherFrame.wakeup.set(bench.mem, victim.frame, 2 ** 40);
    bench.behaviours.set(victim.dcb, (cpu) => void systemCall(cpu, [Syscall.Yield, 0]));
    bench.endTurn();
    bench.run(1);
    expect(Dcb.isWaiting.get(bench.mem, victim.dcb)).toBe(1);
    must(user.revoke(ram));
    expect(Kcb.wakeup.get(bench.mem, bench.plan.kcb)).toBe(0);
    reuse(user, ram);
  });

  test('is gone with it, though it is the one who revokes it', () => {
    const { user, ram, victim } = build();
    const { bench } = user;
    bench.endTurn();
    bench.run(1);
    expect(bench.current).toBe(victim.dcb);
    expect(user.revoke(ram).names).toEqual(['left']);
    expect(bench.current).toBe(user.dcb);
    expect(bench.core.currentRoot()).toBe(user.base(ROOT_TABLE));
    reuse(user, ram);
  });
});

describe.each(TARGETS)('a deletion on $name', (target) => {
  test('that must wait for others is not blamed on later calls', () => {
    const user = new User(target);
    const { mem, kernel } = user.bench;
    // The kernel's own block cannot go: put it into a CNode, and delete that.
    const cnode = user.make(ObjType.L2CNode);
    const copyRoot = [CPTR_ROOTCN, 0, FREE_ROOT_SLOT, CPTR_ROOTCN, cnode, 2 * 16];
    must(user.invokeRoot(CNodeCmd.Copy, ...copyRoot));
    const inside = capAddrOf(FREE_ROOT_SLOT, 5);
    const kcb = RootSlot.BspKcb << 8;
    const copyKcb = [CPTR_ROOTCN, FREE_ROOT_SLOT << 8, 5, CPTR_ROOTCN, kcb, 1 + 16];
    must(user.invokeRoot(CNodeCmd.Copy, ...copyKcb));
    must(user.invokeRoot(CNodeCmd.Delete, kcb, 1));
    must(user.delete(cnode));
    must(user.invokeRoot(CNodeCmd.Delete, FREE_ROOT_SLOT << 8, 1));
    expect(user.invoke(inside, RamCmd.Noop).names).not.toEqual([]);
    for (let i = 0; i < 3; i++) {
      const slot = user.newSlot();
      must(user.copy(RAM, slot));
      must(user.delete(slot));
      expect(isEmpty(mem, user.slot(slot))).toBe(true);
    }
    expect(checkInvariants(kernel)).toEqual([]);
  });
});

describe('PhysAddr over two regions of RAM and the hole between them', () => {
  const PAGE = 4096;
  const MIB = 2 ** 20;
  const split: Target = {
    ...(TARGETS[0] as Target),
    board: {
      ...boardPc64,
      ramRanges: (bytes) => [
        { base: asPaddr(MIB), bytes },
        { base: asPaddr(2 * MIB + bytes), bytes: MIB },
      ],
    },
  };

  test('becomes RAM where there is RAM, and nowhere else (I69)', () => {
    const user = new User(split);
    const { bench } = user;
    const cap = user.newSlot();
    const hole = bench.plan.ram + bench.plan.ramBytes + 64 * 1024;
    const spec = { base: asPaddr(hole), bytes: 2 * MIB };
    createCap(bench.kernel.caps, user.slot(cap), ObjType.PhysAddr, spec);
    const names = ['SYS_ERR_RETYPE_CREATE', 'SYS_ERR_INVALID_RETYPE'];
    const ram = user.newSlot();
    for (const [offset, bytes] of [
      [0, PAGE],
      [0, 2 * MIB],
      [MIB - PAGE, PAGE],
      [MIB - PAGE, 2 * PAGE],
    ] as const) {
      expect(user.retype(cap, offset, ObjType.RAM, bytes, 1, ram).names).toEqual(names);
    }
    must(user.retype(cap, MIB, ObjType.RAM, MIB, 1, ram));
    must(user.retype(ram, 0, ObjType.Frame, PAGE, 1, user.newSlot()));
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});

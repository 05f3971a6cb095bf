import { highWord, lowWord } from '@barreleye/core';
import {
  Access,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherFrame,
  Gate,
  Kcb,
  ObjType,
  PageFlag,
  RootSlot,
  Syscall,
  TrapKind,
  type UserCpu,
} from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { makeRunnable } from '../src/schedule.ts';
import { type Bench, type Entry, gateAt, pause, TARGETS, type UPCALL_GATES } from './bench.ts';
import { areaWords, differences, snapshot, store64, storeWords } from './memory.ts';
import { Spawner } from './spawn.ts';
import { must, User } from './user.ts';

const AREAS = ['enabledArea', 'disabledArea', 'trapArea'] as const;
type Area = (typeof AREAS)[number];
/** A device line that nothing is connected to. */
const LINE = 9;

/** Fill all registers but the program counter; how they are now. */
function fillRegisters(bench: Bench, cpu: UserCpu, word: (i: number) => number): Uint32Array {
  const { registers, pc } = bench.arch;
  for (let i = 0; i < 2 * registers.length; i++) if (i >> 1 !== pc) cpu.regs[i] = word(i);
  return cpu.regs.slice(0, 2 * registers.length);
}

/** Take an interrupt with these registers. */
function interrupt(
  bench: Bench,
  word: (i: number) => number = (i) => 0xabc0_0000 + i,
): Uint32Array {
  return bench.act((cpu) => {
    const regs = fillRegisters(bench, cpu, word);
    bench.core.raise(LINE);
    cpu.poll();
    return regs;
  });
}

/** The next entry into user mode. */
function nextEntry(bench: Bench): Entry {
  const [entry] = bench.entriesDuring(() => bench.act(() => {}));
  if (entry === undefined) throw new Error('nobody was entered');
  return entry;
}

/** Register `r` of an entry. */
function register(entry: Entry, r: number): number {
  return (entry.regs[2 * r + 1] ?? 0) * 2 ** 32 + (entry.regs[2 * r] ?? 0);
}

function setDisabled(user: User, disabled: boolean): void {
  DispatcherFrame.disabled.set(user.bench.mem, user.frame, disabled ? 1 : 0);
}

/** What every upcall has in common. */
function expectUpcall(user: User, entry: Entry, gate: number): void {
  const { arch, mem } = user.bench;
  expect(entry).toMatchObject({ dcb: user.dcb, gate });
  expect(register(entry, arch.upcallArgs[0])).toBe(arch.dispatcherBase);
  expect(register(entry, arch.pc), 'as if it were at its gate Resume').toBe(
    gateAt(arch, Gate.Resume),
  );
  expect(DispatcherFrame.disabled.get(mem, user.frame)).toBe(1);
  const used = [arch.pc, ...arch.upcallArgs];
  for (let r = 0; r < arch.registers.length; r++) {
    if (!used.includes(r)) expect(register(entry, r), arch.registers[r]).toBe(0);
  }
}

/** Only `area` of the save areas has changed since they were filled with `fillAreas`. */
function expectSaved(user: User, area: Area, regs: Uint32Array): void {
  for (const each of AREAS) {
    const words = areaWords(user.bench, user.frame, each);
    expect([...words], each).toEqual(each === area ? [...regs] : [...words.fill(FILLED)]);
  }
}

const FILLED = 0x5151_5151;

function fillAreas(user: User): void {
  const { mem } = user.bench;
  for (const area of AREAS) {
    const { count } = DispatcherFrame[area];
    for (let i = 0; i < count; i++) DispatcherFrame[area].set(mem, user.frame, i, FILLED);
  }
}

describe.each(TARGETS)('an interrupt on $name', (target) => {
  test('saves an enabled dispatcher in its enabled area and enters it at Run (I63)', () => {
    const user = new User(target);
    fillAreas(user);
    setDisabled(user, false);
    const regs = interrupt(user.bench);
    expectSaved(user, 'enabledArea', regs);
    expect(Dcb.disabled.get(user.bench.mem, user.dcb)).toBe(0);
    const entry = nextEntry(user.bench);
    expectUpcall(user, entry, Gate.Run);
    for (const r of user.bench.arch.upcallArgs.slice(1)) expect(register(entry, r)).toBe(0);
  });

  test('saves a disabled dispatcher in its disabled area and resumes it exactly (I63, I64)', () => {
    const user = new User(target);
    fillAreas(user);
    setDisabled(user, true);
    const regs = interrupt(user.bench);
    expectSaved(user, 'disabledArea', regs);
    const entry = nextEntry(user.bench);
    expect(entry).toMatchObject({ dcb: user.dcb, gate: Gate.Resume });
    expect([...entry.regs.slice(0, regs.length)]).toEqual([...regs]);
    expect(DispatcherFrame.disabled.get(user.bench.mem, user.frame)).toBe(1);
  });

  test('keeps every bit of every register, whatever it is', () => {
    const user = new User(target);
    const words = fc.uint32Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(words, fc.boolean(), (random, disabled) => {
        setDisabled(user, disabled);
        const regs = interrupt(user.bench, (i) => random[i % 64] ?? 0);
        const area = disabled ? 'disabledArea' : 'enabledArea';
        expect([...areaWords(user.bench, user.frame, area)]).toEqual([...regs]);
        const entry = nextEntry(user.bench);
        if (disabled) expect([...entry.regs.slice(0, regs.length)]).toEqual([...regs]);
        else expect(entry.gate).toBe(Gate.Run);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('finds a dispatcher disabled in its critical range, whatever the flag says', () => {
    const user = new User(target);
    const { bench, frame } = user;
    const pc = gateAt(bench.arch, Gate.Resume);
    const low = frame + DispatcherFrame.critPcLow.offset;
    const high = frame + DispatcherFrame.critPcHigh.offset;
    const ranges = [
      [pc, pc + 1, true],
      [0, pc + 1, true],
      [0, pc, false],
      [pc + 1, pc + 100, false],
      [pc, pc, false],
      [pc + 1, pc, false],
      [pc, 2 ** 52, true],
    ] as const;
    for (const [from, to, isInside] of ranges) {
      setDisabled(user, false);
      store64(bench, low, from);
      store64(bench, high, to);
      interrupt(bench);
      expect(Dcb.disabled.get(bench.mem, user.dcb) === 1, `${from} to ${to}`).toBe(isInside);
      expect(nextEntry(bench).gate).toBe(isInside ? Gate.Resume : Gate.Run);
    }
  });

  test('tells the dispatcher the time, and writes nothing else of its frame', () => {
    const user = new User(target);
    const { bench, frame } = user;
    setDisabled(user, true);
    interrupt(bench); // the areas hold these registers from now on
    const before = snapshot(bench);
    interrupt(bench);
    const changed = differences(bench, before, snapshot(bench));
    const { current, kcb } = { current: frame, kcb: bench.plan.kcb };
    const allowed = [
      current + DispatcherFrame.systime.offset,
      kcb + Kcb.interrupts.offset,
      kcb + Kcb.chargedUntil.offset,
      ...[0, 4].map((byte) => user.dcb + Dcb.budget.offset + byte),
    ];
    for (const address of changed) expect(allowed).toContain(address);
    expect(DispatcherFrame.systime.get(bench.mem, frame)).toBeGreaterThan(0);
    expect(DispatcherFrame.systime.get(bench.mem, frame)).toBeLessThanOrEqual(bench.core.cycles);
  });
});

describe.each(TARGETS)('a page fault on $name', (target) => {
  const accesses = [
    ['a read', Access.Read, (cpu: UserCpu, va: number) => cpu.load32(va) < 0],
    ['a write', Access.Write, (cpu: UserCpu, va: number) => !cpu.store32(va, 1)],
  ] as const;

  test.each(accesses)('of %s, while enabled, enters PageFault', (_, access, touch) => {
    const user = new User(target);
    const { bench } = user;
    fillAreas(user);
    setDisabled(user, false);
    const va = 0x7654_3210;
    const regs = bench.act((cpu) => {
      const filled = fillRegisters(bench, cpu, (i) => 0x100 + i);
      expect(touch(cpu, va)).toBe(true);
      return filled;
    });
    expectSaved(user, 'enabledArea', regs);
    const entry = nextEntry(bench);
    expectUpcall(user, entry, Gate.PageFault);
    const [, address, code, pc, kind] = bench.arch.upcallArgs;
    expect(register(entry, address)).toBe(va);
    expect(register(entry, code)).toBe(bench.core.faultCode);
    expect(register(entry, code)).not.toBe(0);
    expect(register(entry, pc)).toBe(gateAt(bench.arch, Gate.Resume));
    expect(register(entry, kind)).toBe(access);
  });

  test('while disabled enters PageFaultDisabled, with the state in the trap area', () => {
    const user = new User(target);
    fillAreas(user);
    setDisabled(user, true);
    const regs = user.bench.act((cpu) => {
      const filled = fillRegisters(user.bench, cpu, (i) => 0x200 + i);
      expect(cpu.load32(4)).toBe(-1);
      return filled;
    });
    expectSaved(user, 'trapArea', regs);
    const entry = nextEntry(user.bench);
    expectUpcall(user, entry, Gate.PageFaultDisabled);
    expect(register(entry, user.bench.arch.upcallArgs[1])).toBe(4);
  });

  test('of an instruction fetch says where', () => {
    const user = new User(target);
    const { bench } = user;
    setDisabled(user, false);
    const entry = jump(bench, bench.arch.heapBase);
    expectUpcall(user, entry, Gate.PageFault);
    const [, address, , pc, kind] = bench.arch.upcallArgs;
    expect(register(entry, address)).toBe(bench.arch.heapBase);
    expect(register(entry, pc)).toBe(bench.arch.heapBase);
    expect(register(entry, kind)).toBe(Access.Execute);
  });

  test('at an address of the upper half is reported as it is', () => {
    const user = new User(target);
    const { bench } = user;
    const upper = target.name === 'x86_64' ? -0x1000 : 0xffff_f000;
    setDisabled(user, false);
    bench.act((cpu) => expect(cpu.load32(upper)).toBe(-1));
    const entry = nextEntry(bench);
    const r = bench.arch.upcallArgs[1];
    expect([entry.regs[2 * r], entry.regs[2 * r + 1]]).toEqual([lowWord(upper), highWord(upper)]);
  });

  test('the third in a row while disabled kills that dispatcher, and no other', () => {
    const user = new User(target, { dispatchers: 1 });
    const other = new Spawner(user).spawn();
    const { bench, dcb } = user;
    for (let i = 0; i < 2; i++) {
      bench.act((cpu) => cpu.load32(0));
      expect(Dcb.state.get(bench.mem, dcb)).toBe(DcbState.Runnable);
      expect(nextEntry(bench)).toMatchObject({ dcb, gate: Gate.PageFaultDisabled });
    }
    bench.act((cpu) => cpu.load32(0));
    expect(Dcb.state.get(bench.mem, dcb)).toBe(DcbState.Dead);
    expect(nextEntry(bench)).toMatchObject({ dcb: other.dcb, gate: Gate.Start });
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  const progress: readonly (readonly [string, (user: User) => void])[] = [
    ['is interrupted while enabled', (user) => void interrupt(user.bench)],
    ['faults while enabled', (user) => void user.bench.act((cpu) => cpu.load32(0))],
    ['traps while enabled', (user) => void jump(user.bench, user.bench.arch.imageBase)],
    [
      'yields',
      (user) => {
        setDisabled(user, true);
        DispatcherFrame.haswork.set(user.bench.mem, user.frame, 1);
        user.call(Syscall.Yield, 0);
      },
    ],
  ];

  test.each(progress)('while disabled is forgiven to who %s (T36)', (_, makeProgress) => {
    const user = new User(target);
    for (let i = 0; i < 8; i++) {
      setDisabled(user, true);
      user.bench.act((cpu) => cpu.load32(0));
      expect(Dcb.faultsTaken.get(user.bench.mem, user.dcb)).toBe(1);
      setDisabled(user, false);
      makeProgress(user);
      expect(Dcb.faultsTaken.get(user.bench.mem, user.dcb)).toBe(0);
    }
  });

  test('while disabled is not forgiven for system calls made while disabled', () => {
    const user = new User(target);
    user.bench.act((cpu) => cpu.load32(0));
    must(user.call(Syscall.Nop));
    interrupt(user.bench);
    expect(Dcb.faultsTaken.get(user.bench.mem, user.dcb)).toBe(1);
  });
});

describe.each(TARGETS)('a trap on $name', (target) => {
  test('undefined instruction: saved in the trap area, entered at Trap, told where', () => {
    const user = new User(target);
    const { bench } = user;
    bench.act((cpu) => cpu.load32(0x1230)); // leaves an address in the hardware's registers
    nextEntry(bench);
    fillAreas(user);
    setDisabled(user, false);
    const at = bench.arch.imageBase; // the header is no gate
    const entry = jump(bench, at);
    expectUpcall(user, entry, Gate.Trap);
    const [, address, code, pc, kind] = bench.arch.upcallArgs;
    expect(register(entry, code)).toBe(TrapKind.Undefined);
    expect(register(entry, pc)).toBe(at);
    expect(register(entry, address), 'not the address of an earlier fault').toBe(at);
    expect(register(entry, kind)).toBe(Access.Execute);
    const saved = areaWords(bench, user.frame, 'trapArea');
    expect(saved[2 * bench.arch.pc]).toBe(at);
  });

  test('bus error: entered at Trap, told which address', () => {
    const { user, va } = mapHole(target);
    setDisabled(user, false);
    user.bench.act((cpu) => expect(cpu.store32(va + 8, 1)).toBe(false));
    const entry = nextEntry(user.bench);
    expectUpcall(user, entry, Gate.Trap);
    const [, address, code, , kind] = user.bench.arch.upcallArgs;
    expect(register(entry, address)).toBe(va + 8);
    expect(register(entry, code)).toBe(TrapKind.BusError);
    expect(register(entry, kind)).toBe(Access.Write);
  });

  test('while disabled kills, and the others go on', () => {
    for (const kind of ['undefined', 'bus error'] as const) {
      const { user, va } = mapHole(target, 1);
      const { bench, dcb } = user;
      const other = new Spawner(user).spawn();
      setDisabled(user, true);
      if (kind === 'bus error') bench.act((cpu) => cpu.load32(va));
      else jump(bench, bench.arch.imageBase);
      expect(Dcb.state.get(bench.mem, dcb), kind).toBe(DcbState.Dead);
      expect(bench.current).toBe(other.dcb);
      expect(nextEntry(bench).dcb).toBe(other.dcb);
      expect(checkInvariants(bench.kernel)).toEqual([]);
    }
  });
});

describe.each(TARGETS)('a dispatcher on $name without a handler', (target) => {
  const missing: readonly (readonly [keyof typeof UPCALL_GATES, boolean, (user: User) => void])[] =
    [
      ['pagefaultEntry', false, (user) => void user.bench.act((cpu) => cpu.load32(0))],
      ['pagefaultDisabledEntry', true, (user) => void user.bench.act((cpu) => cpu.load32(0))],
      ['trapEntry', false, (user) => goTo(user.bench, user.bench.arch.imageBase)],
      ['runEntry', false, (user) => void interrupt(user.bench)],
      ['runEntry', true, (user) => void user.call(Syscall.Yield, 0)],
    ];
  const nowhere = [
    [0, 0],
    [0x1000, 0x20_0000],
    [0xffff_ffff, 0xffff_ffff],
  ] as const;

  test.each(missing)('%s never runs again', (field, disabled, provoke) => {
    for (const [low, high] of nowhere) {
      const user = new User(target);
      const { bench, dcb } = user;
      bench.act(() => {});
      setDisabled(user, disabled);
      DispatcherFrame.haswork.set(bench.mem, user.frame, 1);
      storeWords(bench, user.frame + DispatcherFrame[field].offset, low, high);
      provoke(user);
      bench.run(20_000);
      expect(Dcb.state.get(bench.mem, dcb)).toBe(DcbState.Dead);
      expect(bench.current).toBe(0);
      expect(bench.machine.run(1000)).toEqual({ kind: 'idle' });
      expect(checkInvariants(bench.kernel)).toEqual([]);
    }
  });

  test('is passed over, however many there are', () => {
    const user = new User(target, { dispatchers: 4 });
    const { bench } = user;
    const spawner = new Spawner(user);
    const many = Array.from({ length: 4 }, () => spawner.spawn());
    for (const { dcb, frame } of many.slice(0, 3)) {
      Dcb.disabled.set(bench.mem, dcb, 0);
      DispatcherFrame.runEntry.set(bench.mem, frame, 0);
    }
    setDisabled(user, true);
    user.call(Syscall.Yield, 0);
    expect(bench.current).toBe(many[3]?.dcb);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});

describe.each(TARGETS)('a switch between dispatchers on $name', (target) => {
  test('changes address space, thread pointer and registers, and is counted', () => {
    const user = new User(target, { dispatchers: 1, timeslice: 20_000 });
    const { bench } = user;
    const other = new Spawner(user).create();
    Dcb.frameVaddr.set(bench.mem, other.dcb, bench.arch.dispatcherBase);
    const switches = (): number => Kcb.contextSwitches.get(bench.mem, bench.plan.kcb);
    const before = switches();
    interrupt(bench);
    expect(switches(), 'alone: nothing to switch').toBe(before);
    makeRunnable(bench.kernel, other.dcb);
    const roots = new Set<number>();
    for (let i = 0; i < 6; i++) {
      bench.endTurn();
      interrupt(bench);
      roots.add(bench.core.currentRoot());
      expect(bench.core.currentRoot()).toBe(Dcb.vspaceRoot.get(bench.mem, bench.current));
      expect(bench.core.threadPointer).toBe(bench.arch.dispatcherBase);
    }
    expect(roots.size).toBe(2);
    expect(switches()).toBe(before + 6);
  });

  test('never shows one the pages of the other', () => {
    const user = new User(target, { dispatchers: 1 });
    const { bench } = user;
    const va = bench.arch.heapBase;
    const table = user.makeTables(va);
    const frame = user.make(ObjType.Frame, 4096);
    must(user.map(table, frame, user.newSlot(), { first: user.entryOf(va) }));
    bench.mem.store32(user.base(frame), 5);
    expect(user.reads(va)).toBe(5);
    const seen: number[] = [];
    const other = new Spawner(user).spawn((cpu, gate) => {
      if (gate === Gate.Start) seen.push(cpu.load32(va));
      else pause(cpu);
    });
    bench.endTurn();
    bench.run(10_000);
    expect(bench.current).toBe(other.dcb);
    expect(seen).toEqual([-1]);
  });
});

/** Let the program counter be `va`; the entry that follows. */
function jump(bench: Bench, va: number): Entry {
  goTo(bench, va);
  return nextEntry(bench);
}

/** Let the program counter be `va` and go on there. */
function goTo(bench: Bench, va: number): void {
  bench.act((cpu) => {
    cpu.regs[2 * bench.arch.pc] = lowWord(va);
    cpu.regs[2 * bench.arch.pc + 1] = highWord(va);
  });
}

/** A page over an address that answers to nobody. */
function mapHole(target: (typeof TARGETS)[number], dispatchers = 0): { user: User; va: number } {
  const user = new User(target, { dispatchers });
  const va = user.bench.arch.heapBase;
  const hole = capAddrOf(RootSlot.PhysAddrCn, target.board.devices.length);
  const frame = user.newSlot();
  must(user.retype(hole, 0, ObjType.DevFrame, 4096, 1, frame));
  const table = user.makeTables(va);
  const flags = PageFlag.Read | PageFlag.Write;
  must(user.map(table, frame, user.newSlot(), { first: user.entryOf(va), flags }));
  return { user, va };
}

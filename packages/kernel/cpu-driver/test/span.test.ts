/** One address space on two cores: whose its tables are, and what the other core may do. */

import { isEmpty } from '@barreleye/caps';
import { CoreMode } from '@barreleye/machine';
import {
  Access,
  CPTR_ROOTCN,
  CteFlag,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherCmd,
  DispatcherFrame,
  Gate,
  invokeHeader,
  KernelCmd,
  MappingCmd,
  ObjType,
  PageFlag,
  RootSlot,
  Syscall,
  TaskSlot,
  VNodeCmd,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants, checkTranslations } from '../src/index.ts';
import { TARGETS } from './bench.ts';
import { NEW_FRAME, NEW_ROOT_TABLE } from './domain.ts';
import { expectRefused } from './memory.ts';
import { describeTo, Span } from './span.ts';
import { KERNEL, mapWords, must, placeOf, ROOT_TABLE, systemCall } from './user.ts';

const PAGE = 4096;

/** What either core has kept that its tables do not say, for reading. */
function stale({ home, away }: Span): string[] {
  return [home, away]
    .flatMap(({ bench }) => checkTranslations(bench.kernel, bench.core.mmu.translations()))
    .filter((problem) => problem.includes('access 0'));
}

function expectSound({ home, away }: Span): void {
  expect(checkInvariants(home.bench.kernel)).toEqual([]);
  expect(checkInvariants(away.bench.kernel)).toEqual([]);
}

describe.each(TARGETS)('a domain on two cores on $name', (target) => {
  test('sees the same memory on both, and each core its own dispatcher', () => {
    const span = new Span(target);
    must(span.setup());
    const { home, va } = span;
    expect(home.writes(va, 0x1234)).toBe(true);
    expect(span.reads(va)).toBe(0x1234);
    expect(span.act((cpu) => cpu.store32(va + 4, 0x5678))).toBe(true);
    expect(home.reads(va + 4)).toBe(0x5678);
    expect(span.away.bench.core.threadPointer).toBe(span.frameVa);
    expect(DispatcherFrame.coreId.get(home.bench.mem, span.frame)).toBe(1);
    expectSound(span);
  });

  test('and another domain of the core do not see each other', () => {
    const span = new Span(target);
    must(span.setup());
    const { home, away, va } = span;
    home.writes(va, 7);
    expect(span.reads(va)).toBe(7);
    span.rest();
    expect(away.reads(va), 'of its own space').toBeUndefined();
    expect(span.reads(va)).toBe(7);
    expectSound(span);
  });

  test('still sees what the other core has unmapped until that is invalidated (I50)', () => {
    const span = new Span(target);
    must(span.setup());
    const { home, away, va } = span;
    home.writes(va, 0xabc);
    expect(span.reads(va)).toBe(0xabc);
    must(home.unmap(span.table, span.mapping));
    expect(home.reads(va), 'its own core forgets at once').toBeUndefined();
    expect(span.reads(va), 'the stale translation').toBe(0xabc);
    expect(stale(span)).toEqual([expect.stringMatching(/^I50 core 1 has kept 0x[0-9a-f]+ at /)]);
    span.rest();
    DispatcherFrame.disabled.set(away.bench.mem, away.frame, 1);
    must(away.invoke(KERNEL, KernelCmd.Invalidate, va % 2 ** 32, Math.floor(va / 2 ** 32), 1));
    const entries = away.bench.entriesDuring(() => expect(span.reads(va)).toBeUndefined());
    expect(entries.at(-1)?.gate).not.toBe(Gate.Start);
    span.act((_, gate) => expect(gate).toBe(Gate.PageFault));
    expect(stale(span)).toEqual([]);
    expectSound(span);
  });

  test('is mapped and unmapped by the core that has its tables, and by no other', () => {
    const span = new Span(target);
    must(span.setup());
    const { away, root } = span;
    const table = span.send(span.table);
    const frame = away.make(ObjType.Frame, PAGE);
    const child = away.make(away.bench.paging.levels[1]?.type ?? 0);
    const own = away.makeTables(span.va);
    const mapping = away.newSlot();
    must(away.map(own, frame, mapping, { first: away.entryOf(span.va) }));
    const refused = ['SYS_ERR_RETRY_THROUGH_MONITOR'];
    const invoke = (cap: number, command: number, ...args: number[]): void =>
      expectRefused(away, refused, [Syscall.Invoke, invokeHeader(command, 2), cap, ...args]);
    invoke(table, VNodeCmd.Map, ...mapWords(frame, away.newSlot(), { first: 7 }));
    invoke(root, VNodeCmd.Map, ...mapWords(child, away.newSlot(), { first: 7 }));
    invoke(table, VNodeCmd.Unmap, mapping, 2);
    invoke(table, VNodeCmd.ModifyFlags, 0, 1, PageFlag.Read);
    invoke(span.root, VNodeCmd.ModifyFlags, 0, 1, PageFlag.Read);
    const modify = [Syscall.Invoke, invokeHeader(MappingCmd.Modify, 2), mapping, 0, 1];
    must(away.call(...modify, PageFlag.Read));
    expect(span.reads(span.va)).toBe(0);
    expectSound(span);
  });

  test('goes on when a copy goes, and dies on the core that loses the last', () => {
    for (const lost of ['root', 'frameCopy'] as const) {
      const span = new Span(target);
      must(span.setup());
      const { home, away, va } = span;
      const { mem } = home.bench;
      home.writes(va, 3);
      const cap = span[lost];
      const copy = away.newSlot();
      must(away.copy(cap, copy));
      must(away.delete(copy));
      expect(span.reads(va)).toBe(3);
      const table = home.base(span.table);
      const before = mem.words.slice((table - mem.origin) / 4, (table - mem.origin + PAGE) / 4);
      span.rest();
      DispatcherFrame.disabled.set(mem, away.frame, 1);
      must(away.invoke(KERNEL, KernelCmd.DeleteForeigns, cap, 2));
      expect(Dcb.state.get(mem, span.dcb)).toBe(DcbState.Dead);
      expect(isEmpty(mem, away.slot(cap))).toBe(true);
      const after = mem.words.slice((table - mem.origin) / 4, (table - mem.origin + PAGE) / 4);
      expect(after).toEqual(before);
      expect(must(away.invoke(KERNEL, KernelCmd.Counters, 6)).value, 'no RAM to collect').toBe(0);
      expect(home.reads(va)).toBe(3);
      expectSound(span);
    }
  });

  test('that dies while it has the core leaves no root and no translation', () => {
    const span = new Span(target);
    must(span.setup());
    const { away, va } = span;
    expect(span.reads(va)).toBe(0);
    const { core, kernel } = away.bench;
    expect(core.currentRoot()).toBe(away.base(span.root));
    const other = capAddrOf(RootSlot.TaskCn, TaskSlot.User);
    const { names } = span.act((cpu) => {
      // Nobody else can run: nobody else's root takes its place.
      must(systemCall(cpu, [Syscall.Invoke, invokeHeader(DispatcherCmd.Stop, 2), other]));
      const header = invokeHeader(KernelCmd.DeleteForeigns, 2);
      return systemCall(cpu, [Syscall.Invoke, header, KERNEL, NEW_ROOT_TABLE, 2]);
    });
    expect(names).toEqual(['left']);
    expect(core.mode).toBe(CoreMode.Idle);
    expect(core.currentRoot()).toBe(0);
    expect(core.mmu.ramIndexAt(va, Access.Read)).toBe(-1);
    expect(checkInvariants(kernel)).toEqual([]);
  });

  test('is deleted with its dispatcher, and its memory stays with the core that has it', () => {
    const span = new Span(target);
    must(span.setup());
    const { home, away, va } = span;
    expect(span.reads(va)).toBe(0);
    span.rest();
    DispatcherFrame.disabled.set(away.bench.mem, away.frame, 1);
    for (const cap of [span.dispatcher, span.cspace, span.root, span.frameCopy]) {
      must(away.delete(cap));
    }
    expect(away.bench.core.currentRoot()).not.toBe(home.base(ROOT_TABLE));
    const any = [CPTR_ROOTCN, span.frameCap, 2];
    must(home.invoke(KERNEL, KernelCmd.RemoteRelations, ...any, CteFlag.RemoteCopies << 8));
    expect(home.writes(va, 9)).toBe(true);
    must(home.delete(span.frameCap));
    expectSound(span);
  });

  test('keeps its tables and its frame while the other core has copies', () => {
    const span = new Span(target);
    must(span.setup());
    const { home, frameCap } = span;
    const through = 'SYS_ERR_RETRY_THROUGH_MONITOR';
    expect(home.delete(frameCap).names).toEqual([through, 'SYS_ERR_DELETE_LAST_OWNED']);
    expect(home.revoke(frameCap).names).toEqual([through]);
    expect(home.revoke(ROOT_TABLE).names).toEqual([through]);
    expect(span.reads(span.va)).toBe(0);
    expectSound(span);
  });

  test('is not set up with what is locked, or is no root for the core', () => {
    const span = new Span(target);
    const { away } = span;
    const setup = (): readonly string[] => span.setup().names;
    const any = [CPTR_ROOTCN, span.root, 2];
    must(away.invoke(KERNEL, KernelCmd.LockCap, ...any));
    expect(setup()).toEqual(['SYS_ERR_DISP_VSPACE_ROOT', 'SYS_ERR_CAP_LOCKED']);
    must(away.invoke(KERNEL, KernelCmd.UnlockCap, ...any));
    const words = [span.cspace, 2, NEW_FRAME, NEW_FRAME, 1, 0, 0, 0];
    const { names } = away.invoke(span.dispatcher, DispatcherCmd.Setup, ...words);
    expect(names).toEqual(['SYS_ERR_DISP_VSPACE_INVALID']);
    expect(Dcb.state.get(away.bench.mem, span.dcb)).toBe(DcbState.New);
    must(span.setup());
    expectSound(span);
  });

  test('is made of tables that another core has: nobody describes tables of his own', () => {
    const span = new Span(target);
    const { home, away } = span;
    const words = describeTo(home, span.table);
    const create = (...change: readonly (readonly [number, number])[]): readonly string[] => {
      const changed = [...words];
      for (const [i, word] of change) changed[i] = word;
      return away.invoke(KERNEL, KernelCmd.CreateCap, ...changed, ...placeOf(away.newSlot())).names;
    };
    const OWNER = 5;
    expect(create([OWNER, 1])).toEqual(['SYS_ERR_ILLEGAL_DEST_TYPE']);
    expect(create([1, 0x1000_0000], [2, 0x1])).toEqual(['SYS_ERR_INVARGS_SYSCALL']);
    expect(create([3, 0x2000])).toEqual(['SYS_ERR_INVARGS_SYSCALL']);
    expect(create()).toEqual([]);
    expect(create([OWNER, 2]), 'another owner than before').toEqual(['SYS_ERR_INVARGS_SYSCALL']);
    expectSound(span);
  });
});

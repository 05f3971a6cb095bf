import { isEmpty, type Slot } from '@barreleye/caps';
import { asPtr, coreId } from '@barreleye/core';
import {
  CPTR_ROOTCN,
  Cte,
  CteFlag,
  capAddrOf,
  Dcb,
  DcbState,
  DispatcherFrame,
  EndpointCmd,
  Gate,
  invokeHeader,
  LmpEndpoint,
  LmpFlag,
  ObjType,
  Rights,
  RootSlot,
  Syscall,
  TaskSlot,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { NEW_HOME } from './domain.ts';
import { areaWords, expectRefused } from './memory.ts';
import { BUFFER, MESSAGE_TARGETS, Parties, RING, ROOT_CN, sendWords } from './parties.ts';
import { must, RAM } from './user.ts';
import { watchEntries } from './watch.ts';

/** A slot of the other domain for what it receives. */
const PLACE = capAddrOf(NEW_HOME, 40);

/** `count` words that nobody mistakes for others. */
function someWords(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (0xa000_0000 + i) >>> 0);
}

/** Slot `index` of the other's L2 CNode for what it gets. */
function homeSlot({ user, other }: Parties, index: number): Slot {
  return asPtr<'Cte'>(user.base(other.homeCn) + index * Cte.$bytes);
}

describe.each(MESSAGE_TARGETS)('a message on $name', (target) => {
  const { lmpWords } = target.board.arch;

  test('of any length arrives as it was sent; the sender keeps the core', () => {
    const parties = new Parties(target);
    const problems: string[] = [];
    watchEntries(parties.bench, problems, () => 'send');
    for (let length = 0; length <= lmpWords; length++) {
      const words = someWords(length);
      expect(parties.send(words)).toEqual({ names: [], value: 0 });
      expect(parties.otherRing.receive()).toEqual({ words, hasCap: false });
    }
    expect(parties.otherRing.receive()).toBeUndefined();
    const { mem } = parties.bench;
    const delivered = DispatcherFrame.lmpDelivered.get(mem, parties.other.frame);
    expect(delivered).toBe(((lmpWords + 1) * (lmpWords + 2)) / 2);
    expect(DispatcherFrame.lmpHint.get(mem, parties.other.frame)).toBe(BUFFER);
    expect(problems).toEqual([]);
  });

  test('longer than the architecture sends is refused', () => {
    const parties = new Parties(target);
    const words = sendWords(parties.toOther, someWords(lmpWords + 1));
    expectRefused(parties.user, ['SYS_ERR_INVARGS_SYSCALL'], words);
  });

  test('needs the write right to the endpoint itself, and no other (T40)', () => {
    const { user, toOther } = new Parties(target);
    const [mute, sendOnly] = [user.newSlot(), user.newSlot()];
    must(user.mint(toOther, mute, Rights.All & ~Rights.Write));
    must(user.mint(toOther, sendOnly, Rights.Write));
    expectRefused(user, ['SYS_ERR_CAP_RIGHTS'], sendWords(mute, [1]));
    must(user.call(...sendWords(sendOnly, [1])));
  });

  test('to an endpoint that is locked, dying or of another core is refused (T32)', () => {
    const { user, toOther } = new Parties(target);
    const { mem } = user.bench;
    const slot = user.slot(toOther);
    for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
      Cte.flags.set(mem, slot, flag);
      expectRefused(user, ['SYS_ERR_CAP_LOCKED'], sendWords(toOther, [1]));
    }
    Cte.flags.set(mem, slot, 0);
    Cte.owner.set(mem, slot, coreId(3));
    expectRefused(user, ['SYS_ERR_RETRY_THROUGH_MONITOR'], sendWords(toOther, [1]));
  });

  test('that does not fit the ring is refused; the last word stays free (I61)', () => {
    const parties = new Parties(target, 8);
    must(parties.send([1, 2])); // 3 of 8
    must(parties.send([3, 4, 5])); // 7: only the word that stays free is left
    const full = ['SYS_ERR_LMP_BUF_OVERFLOW'];
    expectRefused(parties.user, full, sendWords(parties.toOther, []));
    expect(parties.otherRing.receive()?.words).toEqual([1, 2]);
    expectRefused(parties.user, full, sendWords(parties.toOther, [6, 7, 8]));
    must(parties.send([6, 7]));
    expect(parties.otherRing.receive()?.words).toEqual([3, 4, 5]);
    expect(parties.otherRing.receive()?.words).toEqual([6, 7]);
  });

  test('into a ring whose indices are corrupt is refused (T17)', () => {
    const { user, toOther, otherRing } = new Parties(target);
    const { mem } = user.bench;
    for (const field of [LmpEndpoint.delivered, LmpEndpoint.consumed]) {
      for (const bad of [RING, RING + 1, 0x7fff_ffff, 0xffff_ffff]) {
        field.set(mem, otherRing.buffer, bad);
        const names = ['SYS_ERR_LMP_EP_STATE_INVALID'];
        expectRefused(user, names, sendWords(toOther, [1, 2], { flags: LmpFlag.Yield }));
        field.set(mem, otherRing.buffer, 0);
      }
    }
    must(user.call(...sendWords(toOther, [1, 2])));
  });

  test('through an endpoint without a buffer has no target', () => {
    const { user, other } = new Parties(target);
    const blank = user.newSlot();
    must(user.retype(other.dispatcher, 0, ObjType.EndPointLMP, 0, 1, blank));
    expectRefused(user, ['SYS_ERR_LMP_NO_TARGET'], sendWords(blank, [1]));
  });

  test('to oneself arrives, and never gives the core away (T31)', () => {
    const { user, bench, toUser, userRing } = new Parties(target);
    const flags = LmpFlag.Sync | LmpFlag.Yield;
    for (const disabled of [0, 1]) {
      DispatcherFrame.disabled.set(bench.mem, user.frame, disabled);
      must(user.call(...sendWords(toUser, [disabled], { flags })));
      expect(userRing.receive()?.words).toEqual([disabled]);
      expect(bench.current).toBe(user.dcb);
    }
    while (user.call(...sendWords(toUser, [7], { flags })).names.length === 0);
    expectRefused(user, ['SYS_ERR_LMP_BUF_OVERFLOW'], sendWords(toUser, [7], { flags }));
  });

  test('wakes a receiver that sleeps, whose wake-up is void then (I65, T35)', () => {
    const parties = new Parties(target);
    const { user, bench, other } = parties;
    const { mem } = bench;
    parties.giveCoreTo(other.dcb);
    DispatcherFrame.wakeup.set(mem, other.frame, 2 ** 40);
    expect(user.call(Syscall.Yield, 0).names).toEqual(['left']);
    expect(Dcb.state.get(mem, other.dcb)).toBe(DcbState.Blocked);
    must(parties.send([1]));
    expect(Dcb.state.get(mem, other.dcb)).toBe(DcbState.Runnable);
    expect(Dcb.isWaiting.get(mem, other.dcb)).toBe(0);
    expect(bench.current, 'no flag gives the core away').toBe(user.dcb);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('to a dispatcher that was never run waits for it', () => {
    const parties = new Parties(target);
    const { user, bench } = parties;
    const unborn = user.make(ObjType.Dispatcher);
    const limp = user.newSlot();
    must(user.retype(unborn, 0, ObjType.EndPointLMP, 0, 1, limp));
    expectRefused(user, ['SYS_ERR_LMP_NO_TARGET'], sendWords(limp, [1]));
    Dcb.state.set(bench.mem, parties.other.dcb, DcbState.Runnable);
    must(parties.send([1]));
    expect(parties.otherRing.receive()?.words).toEqual([1]);
  });

  test('with the flag Identify is none: the endpoint says what it is', () => {
    const { user, toOther, other, otherRing, bench } = new Parties(target);
    const header = invokeHeader(EndpointCmd.Identify, 2, LmpFlag.Identify);
    const answer = must(user.call(Syscall.Invoke, header, toOther));
    expect(answer.value).toBe(ObjType.EndPointLMP | (Rights.All << 8));
    expect([0, 5, 6].map((i) => user.message(i))).toEqual([other.dcb, BUFFER, RING]);
    expect(otherRing.receive()).toBeUndefined();
    const weak = user.newSlot();
    must(user.mint(toOther, weak, Rights.All & ~Rights.Identify));
    expectRefused(user, ['SYS_ERR_CAP_RIGHTS'], [Syscall.Invoke, header, weak]);
    const missing = invokeHeader(1, 2, LmpFlag.Identify);
    expectRefused(user, ['SYS_ERR_ILLEGAL_INVOCATION'], [Syscall.Invoke, missing, toOther]);
    must(user.revoke(other.frameCap));
    expect(Dcb.state.get(bench.mem, other.dcb)).toBe(DcbState.Dead);
    expectRefused(user, ['SYS_ERR_LMP_NO_TARGET'], [Syscall.Invoke, header, toOther]);
  });
});

describe.each(MESSAGE_TARGETS)('a capability in a message on $name', (target) => {
  test('is copied into the slot that the receiver has armed', () => {
    const parties = new Parties(target);
    const { user, bench, otherRing } = parties;
    const { mem } = bench;
    const problems: string[] = [];
    watchEntries(bench, problems, () => 'send');
    const dim = user.newSlot();
    const frame = user.make(ObjType.Frame, 4096);
    must(user.mint(frame, dim, Rights.Read | Rights.Grant));
    otherRing.arm(PLACE);
    must(parties.send([5, 6], { cap: dim }));
    expect(otherRing.receive()).toEqual({ words: [5, 6], hasCap: true });
    const got = homeSlot(parties, 40);
    expect(Cte.type.get(mem, got)).toBe(ObjType.Frame);
    expect(Cte.rights.get(mem, got)).toBe(Rights.Read | Rights.Grant);
    expect(Cte.base.get(mem, got)).toBe(user.base(frame));
    expect(isEmpty(mem, user.slot(dim))).toBe(false);
    expect(problems).toEqual([]);
    // It is in the mapping database like any other.
    must(user.revoke(frame));
    expect(isEmpty(mem, got)).toBe(true);
  });

  test('comes without the right to revoke it, unless it is given away (ADR 12)', () => {
    const parties = new Parties(target);
    const { user, bench, otherRing } = parties;
    const frame = user.make(ObjType.Frame, 4096);
    const rightsAt = (place: number): number => Cte.rights.get(bench.mem, homeSlot(parties, place));
    otherRing.arm(PLACE);
    must(parties.send([], { cap: frame }));
    expect(rightsAt(40)).toBe(Rights.All & ~Rights.Revoke);
    otherRing.arm(PLACE + 1);
    must(parties.send([], { cap: frame, flags: LmpFlag.GiveAway }));
    expect(rightsAt(41)).toBe(Rights.All);
    // Who was lent it cannot give away more than that.
    const lent = user.newSlot();
    must(user.mint(user.make(ObjType.Frame, 4096), lent, Rights.Lent));
    otherRing.arm(PLACE + 2);
    must(parties.send([], { cap: lent, flags: LmpFlag.GiveAway }));
    expect(rightsAt(42)).toBe(Rights.Lent);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('that is given away is gone from the sender in the same step', () => {
    const parties = new Parties(target);
    const { user, bench, otherRing } = parties;
    const { mem } = bench;
    const problems: string[] = [];
    watchEntries(bench, problems, () => 'give away');
    const frame = user.make(ObjType.Frame, 4096);
    const base = user.base(frame);
    otherRing.arm(PLACE);
    must(parties.send([], { cap: frame, flags: LmpFlag.GiveAway }));
    expect(isEmpty(mem, user.slot(frame))).toBe(true);
    expect(Cte.base.get(mem, homeSlot(parties, 40))).toBe(base);
    // Also with a switch, when nobody is told.
    const second = user.make(ObjType.Frame, 4096);
    otherRing.arm(PLACE + 1);
    parties.send([], { cap: second, flags: LmpFlag.GiveAway | LmpFlag.Sync });
    expect(isEmpty(mem, user.slot(second))).toBe(true);
    expect(bench.current).toBe(parties.other.dcb);
    expect(problems).toEqual([]);
  });

  test('of either level of CNode travels; the flag alone gives nothing away', () => {
    const parties = new Parties(target);
    const { user, bench, otherRing } = parties;
    otherRing.arm(PLACE);
    must(parties.send([1], { cap: RootSlot.SlotAlloc2 << 8, capLevel: 1 }));
    expect(Cte.type.get(bench.mem, homeSlot(parties, 40))).toBe(ObjType.L2CNode);
    otherRing.arm(PLACE + 1);
    must(parties.send([1], { cap: 1, capLevel: 0 }));
    expect(Cte.type.get(bench.mem, homeSlot(parties, 41))).toBe(ObjType.L1CNode);
    must(parties.send([1], { flags: LmpFlag.GiveAway }));
    expect(isEmpty(bench.mem, user.slot(RAM))).toBe(false);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('that cannot be sent is refused, and so are its words (I62, T47)', () => {
    const parties = new Parties(target);
    const { user, bench, otherRing, toOther } = parties;
    otherRing.arm(PLACE);
    const source = 'SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP';
    const frame = user.make(ObjType.Frame, 4096);
    const tied = user.newSlot();
    must(user.mint(frame, tied, Rights.All & ~Rights.Grant));
    const mapping = capAddrOf(RootSlot.RootMappingCn, 0);
    const cases: readonly (readonly [string, number, number])[] = [
      ['SYS_ERR_CAP_NOT_FOUND', user.newSlot(), 2],
      ['SYS_ERR_CNODE_NOT_FOUND', capAddrOf(250, 0), 2],
      ['SYS_ERR_L1_CNODE_INDEX', 0xffff_ffff, 2],
      ['SYS_ERR_CAP_LOOKUP_DEPTH', frame, 3],
      ['SYS_ERR_CAP_RIGHTS', tied, 2],
      ['SYS_ERR_INVALID_SOURCE_TYPE', mapping, 2],
    ];
    for (const [name, cap, capLevel] of cases) {
      for (const flags of [0, LmpFlag.GiveAway, LmpFlag.Yield]) {
        expectRefused(user, [source, name], sendWords(toOther, [1], { cap, capLevel, flags }));
      }
    }
    const given = { cap: 1, capLevel: 0, flags: LmpFlag.GiveAway };
    expectRefused(user, [source, 'SYS_ERR_CAP_LOOKUP_DEPTH'], sendWords(toOther, [1], given));
    const home = asPtr<'Cte'>(user.base(CPTR_ROOTCN) + (frame >>> 8) * Cte.$bytes);
    Cte.rights.set(bench.mem, home, Rights.All & ~Rights.Write);
    const taken = sendWords(toOther, [1], { cap: frame, flags: LmpFlag.GiveAway });
    expectRefused(user, [source, 'SYS_ERR_CNODE_RIGHTS'], taken);
    Cte.rights.set(bench.mem, home, Rights.All);
    for (const flag of [CteFlag.Locked, CteFlag.InDelete]) {
      Cte.flags.set(bench.mem, user.slot(frame), flag);
      const words = sendWords(toOther, [1], { cap: frame });
      expectRefused(user, [source, 'SYS_ERR_CAP_LOCKED'], words);
    }
  });

  test('needs a receive slot of the receiver that exists and is empty', () => {
    const parties = new Parties(target);
    const { user, bench, otherRing, toOther, other } = parties;
    const frame = user.make(ObjType.Frame, 4096);
    const words = sendWords(toOther, [1], { cap: frame, flags: LmpFlag.GiveAway });
    const missing = ['SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID'];
    const places: readonly (readonly [number, number])[] = [
      [0, 0],
      [PLACE, 0],
      [0, ROOT_CN],
      [PLACE, capAddrOf(NEW_HOME, 9)], // nothing
      [PLACE, PLACE],
      [PLACE, capAddrOf(RootSlot.TaskCn, 1)], // no CNode
      [PLACE, RootSlot.TaskCn << 8],
      [PLACE, 0xffff_ffff],
      [capAddrOf(250, 1), ROOT_CN],
      [0xffff_ff00, ROOT_CN],
    ];
    for (const [slot, cspace] of places) {
      otherRing.arm(slot, cspace);
      expectRefused(user, missing, words);
    }
    otherRing.arm(capAddrOf(NEW_HOME, 0));
    expectRefused(user, ['SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED'], words);
    // What is in a CNode of the receiver is decided by its rights, not by those of the sender.
    otherRing.arm(PLACE);
    const inRoot = asPtr<'Cte'>(user.base(other.rootCn) + NEW_HOME * Cte.$bytes);
    for (const [field, value] of [
      [Cte.rights, Rights.Read],
      [Cte.flags, CteFlag.InDelete],
      [Cte.owner, 3],
    ] as const) {
      const before = field.get(bench.mem, inRoot);
      field.set(bench.mem, inRoot, value as never);
      expectRefused(user, missing, words);
      field.set(bench.mem, inRoot, before as never);
    }
    const root = asPtr<'Cte'>(user.base(other.taskCn) + TaskSlot.RootCn * Cte.$bytes);
    Cte.rights.set(bench.mem, root, Rights.All & ~Rights.Write);
    expectRefused(user, missing, words);
    Cte.rights.set(bench.mem, root, Rights.All);
    must(user.call(...words));
  });

  test('waits for room first: the order of the checks is that of the reference', () => {
    const parties = new Parties(target, 4);
    const { user, otherRing, toOther } = parties;
    const nothing = user.newSlot();
    const call = (length: number): number[] =>
      sendWords(toOther, someWords(length), { cap: nothing });
    expectRefused(user, ['SYS_ERR_LMP_BUF_OVERFLOW'], call(3));
    expectRefused(user, ['SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID'], call(1));
    otherRing.arm(capAddrOf(NEW_HOME, 0)); // full
    const source = ['SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'];
    expectRefused(user, source, call(1));
  });
});

describe.each(MESSAGE_TARGETS)('the core on $name', (target) => {
  const { arch } = target.board;

  test('goes with a message that says so, for the rest of the slice (I66)', () => {
    const parties = new Parties(target);
    const { bench, other, user } = parties;
    const { mem } = bench;
    DispatcherFrame.disabled.set(mem, user.frame, 0);
    const deadline = bench.core.timerDeadline;
    const [entry] = bench
      .entriesDuring(() => {
        expect(parties.send([1], { flags: LmpFlag.Sync }).names).toEqual(['left']);
        expect(bench.current).toBe(other.dcb);
        bench.act(() => {});
      })
      .slice(1);
    expect(entry).toMatchObject({ dcb: other.dcb, gate: Gate.Start });
    expect(bench.core.timerDeadline).toBe(deadline);
    // The sender is told when it goes on: it was enabled.
    const area = areaWords(bench, user.frame, 'enabledArea');
    expect(arch.resultWords.map((i) => area[i])).toEqual([0, 0, 0, 0]);
    parties.giveCoreTo(user.dcb);
    expect(bench.entries.at(-1)).toMatchObject({ dcb: user.dcb, gate: Gate.Run });
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('comes back to a disabled sender where it was, with the answer (I63, T31)', () => {
    const parties = new Parties(target);
    const { bench, other, user } = parties;
    DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
    parties.send([1], { flags: LmpFlag.Sync });
    expect(bench.current).toBe(other.dcb);
    parties.giveCoreTo(user.dcb);
    const entry = bench.entries.at(-1);
    expect(entry).toMatchObject({ dcb: user.dcb, gate: Gate.Resume });
    expect(arch.resultWords.map((i) => entry?.regs[i])).toEqual([0, 0, 0, 0]);
  });

  test('goes to the receiver on a transient error if the sender says so', () => {
    const parties = new Parties(target, 4);
    const { bench, other, user, otherRing } = parties;
    const frame = user.make(ObjType.Frame, 4096);
    const full = (): void => {
      while (parties.send([]).names.length === 0);
    };
    const cases: readonly (readonly [string, () => void, number])[] = [
      ['SYS_ERR_LMP_BUF_OVERFLOW', full, 0],
      ['SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID', () => otherRing.arm(0), frame],
      ['SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED', () => otherRing.arm(NEW_HOME << 8), frame],
    ];
    for (const [name, prepare, cap] of cases) {
      prepare();
      DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
      expect(parties.send([], { cap, flags: LmpFlag.Sync }).names).toEqual([name]);
      expect(bench.current, name).toBe(user.dcb);
      const flags = LmpFlag.Sync | LmpFlag.Yield | LmpFlag.GiveAway;
      expect(parties.send([], { cap, flags }).names).toEqual(['left']);
      expect(bench.current, name).toBe(other.dcb);
      while (otherRing.receive() !== undefined);
      parties.giveCoreTo(user.dcb);
      const [low] = arch.resultWords;
      expect(bench.entries.at(-1)?.regs[low], name).not.toBe(0);
      expect(isEmpty(bench.mem, user.slot(frame))).toBe(false);
    }
  });

  test('stays if the receiver cannot have it', () => {
    const parties = new Parties(target);
    const { user, bench, other } = parties;
    const { mem } = bench;
    // It was entered, has yielded, and has nowhere to be entered again.
    parties.giveCoreTo(other.dcb);
    user.call(Syscall.Yield, 0);
    DispatcherFrame.runEntry.set(mem, other.frame, 0);
    must(parties.send([1], { flags: LmpFlag.Sync }));
    expect(bench.current).toBe(user.dcb);
    expect(parties.otherRing.receive()?.words).toEqual([1]);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('goes back and forth: each sender runs on when it is answered', () => {
    const parties = new Parties(target);
    const { user, bench, other, otherRing, userRing } = parties;
    const problems: string[] = [];
    watchEntries(bench, problems, () => 'ping-pong');
    for (let i = 0; i < 5; i++) {
      parties.send([i], { flags: LmpFlag.Sync });
      expect(bench.current).toBe(other.dcb);
      expect(otherRing.receive()?.words).toEqual([i]);
      parties.reply([i + 100], { flags: LmpFlag.Sync });
      expect(bench.current).toBe(user.dcb);
      expect(userRing.receive()?.words).toEqual([i + 100]);
    }
    expect(problems).toEqual([]);
  });
});

describe.each(MESSAGE_TARGETS)('the death of a receiver on $name', (target) => {
  test('by a fault leaves its endpoints without a target (T15)', () => {
    const parties = new Parties(target);
    const { user, bench, other, toOther } = parties;
    parties.giveCoreTo(other.dcb);
    DispatcherFrame.pagefaultDisabledEntry.set(bench.mem, other.frame, 0);
    bench.act((cpu) => cpu.load32(0));
    expect(Dcb.state.get(bench.mem, other.dcb)).toBe(DcbState.Dead);
    const flags = LmpFlag.Sync | LmpFlag.Yield;
    expectRefused(user, ['SYS_ERR_LMP_NO_TARGET'], sendWords(toOther, [1], { flags }));
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });

  test('with its last capability takes its endpoints along, wherever they are (T15, T16)', () => {
    const parties = new Parties(target);
    const { user, bench, other, toOther, otherRing } = parties;
    const copy = user.newSlot();
    must(user.copy(toOther, copy));
    must(user.revoke(other.dispatcher));
    must(user.delete(other.dispatcher));
    const before = bench.mem.read(otherRing.buffer, 0x1000);
    for (const ep of [toOther, copy]) {
      expectRefused(user, ['SYS_ERR_CAP_NOT_FOUND'], sendWords(ep, [1]));
    }
    expect(bench.mem.read(otherRing.buffer, 0x1000)).toEqual(before);
    expect(checkInvariants(bench.kernel)).toEqual([]);
  });
});

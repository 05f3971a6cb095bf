/** The commands of the Kernel capability, as a monitor would call them, and as anybody might. */

import { isEmpty } from '@barreleye/caps';
import { Prng } from '@barreleye/core';
import {
  ARCH_NAMES,
  CAP_WORDS,
  CNodeCmd,
  CPTR_ROOTCN,
  Cte,
  CteFlag,
  capAddrOf,
  Dcb,
  DcbState,
  IrqDestCmd,
  invokeHeader,
  Kcb,
  KcbCmd,
  KernelCmd,
  ObjType,
  Rights,
  RootSlot,
  Scheduler,
  Syscall,
} from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../src/index.ts';
import { KERNEL as COMMANDS } from '../src/kernel-cap.ts';
import { TARGETS } from './bench.ts';
import {
  type Answer,
  KERNEL,
  must,
  OWN_DISPATCHER,
  placeOf,
  RAM,
  systemCall,
  User,
} from './user.ts';

const PAGE = 4096;
const RING = 16;

/** A Kernel command. */
function monitor(user: User, command: number, ...args: number[]): Answer {
  return user.invoke(KERNEL, command, ...args);
}

/** The words of a capability: what identify answers. */
function wordsOf(user: User, address: number, command: number = KernelCmd.IdentifyCap): number[] {
  const cspace = command === KernelCmd.IdentifyDomainsCap ? [CPTR_ROOTCN] : [];
  const { value } = must(monitor(user, command, ...cspace, address, 2));
  return [value, ...Array.from({ length: CAP_WORDS - 1 }, (_, i) => user.message(i))];
}

describe.each(TARGETS)('the Kernel capability on $name', (target) => {
  test('identifies capabilities of any CSpace in the words that describe them', () => {
    const user = new User(target);
    const endpoint = user.makeEndpoint(0x2000, RING);
    const words = wordsOf(user, endpoint);
    const type = ObjType.EndPointLMP + Rights.All * 0x100;
    expect(words).toEqual([type, user.base(OWN_DISPATCHER), 0, 0, 0, 0, 0x2000, RING]);
    expect(wordsOf(user, endpoint, KernelCmd.IdentifyDomainsCap)).toEqual(words);
    must(user.invokeRoot(CNodeCmd.Identify, endpoint, 2));
    const answer = Array.from({ length: CAP_WORDS - 1 }, (_, i) => user.message(i));
    expect(answer).toEqual(words.slice(1));
    const names = ['SYS_ERR_CAP_NOT_FOUND'];
    expect(monitor(user, KernelCmd.IdentifyCap, user.newSlot(), 2).names).toEqual(names);
  });

  test('says which core and architecture this is, and how it shares its time', () => {
    const user = new User(target);
    expect(must(monitor(user, KernelCmd.GetCoreId)).value).toBe(0);
    const { value } = must(monitor(user, KernelCmd.GetArchId));
    expect(ARCH_NAMES[value]).toBe(target.name);
    for (const scheduler of [Scheduler.RoundRobin, Scheduler.Rbed]) {
      const other = new User(target, { scheduler });
      expect(must(monitor(other, KernelCmd.GetScheduler)).value).toBe(scheduler);
    }
  });

  test('reads and writes what copies agree about', () => {
    const user = new User(target);
    const frame = user.make(ObjType.Frame, PAGE);
    const copy = user.newSlot();
    must(user.copy(frame, copy));
    const any = (command: number, slot: number, ...args: number[]): Answer =>
      monitor(user, command, CPTR_ROOTCN, slot, 2, ...args);
    expect(must(any(KernelCmd.RemoteRelations, frame, 5 | (7 << 8))).value).toBe(5);
    expect(must(any(KernelCmd.RemoteRelations, copy, 0)).value).toBe(5);
    expect(must(monitor(user, KernelCmd.CapHasRelations, copy, 2, 7)).value).toBe(3);
    must(any(KernelCmd.LockCap, copy));
    expect(any(KernelCmd.LockCap, frame).names).toEqual(['SYS_ERR_CAP_LOCKED']);
    expect(user.copy(frame, user.newSlot()).names).toEqual(['SYS_ERR_CAP_LOCKED']);
    must(any(KernelCmd.UnlockCap, frame));
    must(any(KernelCmd.SetCapOwner, frame, 200));
    expect(must(any(KernelCmd.GetCapOwner, copy)).value).toBe(200);
    for (const nobody of [255, 256, 0xffff_ffff]) {
      const wrong = any(KernelCmd.SetCapOwner, frame, nobody).names;
      expect(wrong).toEqual(['SYS_ERR_INVARGS_SYSCALL']);
    }
    must(monitor(user, KernelCmd.NullifyCap, copy, 2));
    must(monitor(user, KernelCmd.DeleteForeigns, frame, 2));
    expect(isEmpty(user.bench.mem, user.slot(frame))).toBe(true);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('makes capabilities out of descriptions, and answers questions about them', () => {
    const user = new User(target);
    const frame = user.make(ObjType.Frame, 2 * PAGE);
    const words = wordsOf(user, frame);
    const copy = user.newSlot();
    must(monitor(user, KernelCmd.CreateCap, ...words, ...placeOf(copy)));
    expect(wordsOf(user, copy)).toEqual(words);
    const another = user.newSlot();
    must(monitor(user, KernelCmd.CopyExisting, ...words, ...placeOf(another)));
    expect(wordsOf(user, another)).toEqual(words);
    const ram = wordsOf(user, RAM);
    expect(must(monitor(user, KernelCmd.HasDescendants, ...ram)).value).toBe(1);
    expect(must(monitor(user, KernelCmd.HasDescendants, ...words)).value).toBe(0);
    const at = user.base(frame) - user.base(RAM);
    const ask = (offset: number): readonly string[] =>
      monitor(user, KernelCmd.IsRetypeable, ...ram, offset, 0, PAGE, 0, 1).names;
    expect(ask(at + PAGE)).toEqual(['SYS_ERR_REVOKE_FIRST']);
    expect(ask(at + 2 * PAGE)).toEqual([]);
    const kernel = wordsOf(user, KERNEL);
    const made = monitor(user, KernelCmd.CreateCap, ...kernel, ...placeOf(user.newSlot()));
    expect(made.names, 'made at boot and never again').toEqual(['SYS_ERR_ILLEGAL_DEST_TYPE']);
    expect(isEmpty(user.bench.mem, Kcb.scratch.at(user.bench.plan.kcb))).toBe(true);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('retypes what is locked, revokes and deletes in steps', () => {
    const user = new User(target);
    const ram = user.make(ObjType.RAM, 16 * PAGE);
    must(monitor(user, KernelCmd.LockCap, CPTR_ROOTCN, ram, 2));
    const frame = user.newSlot();
    const words = [CPTR_ROOTCN, ram, 0, 0, ObjType.Frame + 0x1_0000, PAGE, 0, CPTR_ROOTCN];
    must(monitor(user, KernelCmd.Retype, ...words, ...placeOf(frame)));
    const mask = (CteFlag.RemoteCopies << 8) | CteFlag.RemoteCopies;
    must(monitor(user, KernelCmd.RemoteRelations, CPTR_ROOTCN, frame, 2, mask));
    must(monitor(user, KernelCmd.RevokeMarkTarget, CPTR_ROOTCN, ram, 2));
    expect(Cte.flags.get(user.bench.mem, user.slot(frame)) & CteFlag.InDelete).not.toBe(0);
    expect(monitor(user, KernelCmd.ClearStep).names).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
    const place = user.newSlot();
    expect(must(monitor(user, KernelCmd.DeleteStep, ...placeOf(place))).value).toBe(1);
    expect(isEmpty(user.bench.mem, user.slot(frame))).toBe(true);
    must(monitor(user, KernelCmd.DeleteLast, CPTR_ROOTCN, place, 2));
    const none = monitor(user, KernelCmd.DeleteStep, ...placeOf(place)).names;
    expect(none).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
    must(monitor(user, KernelCmd.RevokeMarkRelations, ...wordsOf(user, ram).with(1, 0)));
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('takes nothing from under a dispatcher that goes on (I48)', () => {
    const user = new User(target);
    must(user.copy(CPTR_ROOTCN, user.newSlot()));
    const answer = user.bench.act((cpu) =>
      systemCall(cpu, [Syscall.Invoke, invokeHeader(KernelCmd.NullifyCap, 2), KERNEL, 0, 0]),
    );
    expect(answer.names, 'its CSpace was taken').toEqual(['left']);
    expect(Dcb.state.get(user.bench.mem, user.dcb)).toBe(DcbState.Dead);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('may speak of interrupts and devices that nothing can be done with (I69)', () => {
    const user = new User(target);
    const endpoint = user.makeEndpoint(0x2000, RING);
    const describe = (type: number, ...words: number[]): number => {
      const slot = user.newSlot();
      const head = type + Rights.All * 0x100;
      must(monitor(user, KernelCmd.CreateCap, head, ...words, ...placeOf(slot)));
      return slot;
    };
    for (const line of [0, 96, 224, 0xffff_ffff]) {
      const dest = describe(ObjType.IRQDest, 0, 0, 0, 0, 0, 0, line);
      const { names } = user.invoke(dest, IrqDestCmd.Connect, endpoint, 2);
      expect(names).toEqual(['SYS_ERR_IRQ_INVALID']);
    }
    const device = describe(ObjType.DevFrame, 0, 0x100, 0, 0x1_0000, 0, 0, 0);
    const table = user.makeTables(user.bench.arch.heapBase);
    const { names } = user.map(table, device, user.newSlot());
    expect(names, '256 TiB').toEqual(['SYS_ERR_VM_FRAME_OUT_OF_REACH']);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('collects RAM that nobody holds', () => {
    const user = new User(target);
    const slot = user.newSlot();
    const reclaim = (): readonly string[] =>
      monitor(user, KernelCmd.ReclaimRam, ...placeOf(slot)).names;
    expect(reclaim()).toEqual(['SYS_ERR_CAP_NOT_FOUND']);
    must(user.invokeRoot(CNodeCmd.Delete, RootSlot.SlotAlloc2 << 8, 1));
    expect(reclaim()).toEqual([]);
    expect(wordsOf(user, slot).slice(3, 5)).toEqual([16384, 0]);
    must(user.retype(slot, 0, ObjType.L2CNode, 0, 1, user.newSlot()));
  });

  test('registers the endpoint of the monitor, and names domains', () => {
    const user = new User(target);
    const endpoint = user.makeEndpoint(0x2000, RING);
    const register = (cap: number): readonly string[] =>
      monitor(user, KernelCmd.Register, cap, 2).names;
    expect(register(RAM)).toEqual(['SYS_ERR_INVALID_SOURCE_TYPE']);
    const blank = user.newSlot();
    must(user.retype(OWN_DISPATCHER, 0, ObjType.EndPointLMP, 0, 1, blank));
    expect(register(blank)).toEqual(['SYS_ERR_INVALID_EPLEN']);
    expect(register(endpoint)).toEqual([]);
    expect(register(endpoint)).toEqual([]);
    const { mem, plan } = user.bench;
    expect(Cte.arg0.get(mem, Kcb.monitorEp.at(plan.kcb))).toBe(0x2000);
    must(monitor(user, KernelCmd.DomainId, OWN_DISPATCHER, 2, 77));
    expect(Dcb.domainId.get(mem, user.dcb)).toBe(77);
    const names = ['SYS_ERR_DISP_OCAP_TYPE'];
    expect(monitor(user, KernelCmd.DomainId, RAM, 2, 77).names).toEqual(names);
    expect(checkInvariants(user.bench.kernel)).toEqual([]);
  });

  test('keeps the kernel whole whatever its holder says (I69)', () => {
    const commands = Object.keys(COMMANDS).map(Number);
    const outcomes = new Set<string>();
    for (let run = 0; run < 12; run++) {
      const user = new User(target);
      const prng = new Prng(900 + run);
      const slots = [RAM, OWN_DISPATCHER, user.makeEndpoint(0x2000, RING)];
      slots.push(user.make(ObjType.Frame, 4 * PAGE), user.make(ObjType.L2CNode));
      slots.push(user.make(ObjType.RAM, 8 * PAGE), capAddrOf(RootSlot.PageCn, 1));
      const known = slots.slice(2).map((slot) => wordsOf(user, slot));
      for (let i = 0; i < 250; i++) {
        const slot = slots[prng.below(slots.length)] ?? 0;
        const words = known[prng.below(known.length)] ?? [];
        const empty = user.newSlot(0) + prng.below(40);
        const forms = [
          [slot, 2, prng.below(8)],
          [CPTR_ROOTCN, slot, 2, prng.next32()],
          [
            ...words.with(prng.below(CAP_WORDS), prng.next32() >>> prng.below(32)),
            ...placeOf(empty),
          ],
          [...words, ...placeOf(empty)],
          placeOf(empty),
          Array.from({ length: 13 }, () => prng.next32()),
        ];
        const args = forms[prng.below(forms.length)] ?? [];
        const command = commands[prng.below(commands.length)] ?? 0;
        const answer = user.bench.tryAct(() => 0) && monitor(user, command, ...args);
        if (answer === undefined) break; // it has ended itself
        outcomes.add(answer.names[0] ?? 'OK');
        if (i % 4 !== 0) continue;
        expect(checkInvariants(user.bench.kernel), `command ${i} of run ${run}`).toEqual([]);
      }
    }
    expect(outcomes.size).toBeGreaterThan(12);
  });
});

test('a control block is made of RAM, zeroed, in whole pages, and says where it is', () => {
  for (const target of TARGETS) {
    const user = new User(target, { dirt: 0x5a });
    const block = user.make(ObjType.KernelControlBlock);
    const { value } = must(user.invoke(block, KcbCmd.Identify));
    expect(value).toBe(user.base(block));
    expect(value % PAGE).toBe(0);
    expect(user.bench.mem.isZero(user.base(block), Kcb.$bytes)).toBe(true);
    const names = ['SYS_ERR_RETYPE_INVALID_OFFSET'];
    const odd = user.retype(RAM, 100, ObjType.KernelControlBlock, 0, 1, user.newSlot());
    expect(odd.names).toEqual(names);
  }
});

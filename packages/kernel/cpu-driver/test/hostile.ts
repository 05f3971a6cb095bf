/**
 * What hostile user mode does: system calls whose words are sometimes plausible, random registers,
 * jumps, loads and stores, a dispatcher frame full of anything, and interrupts at bad moments.
 * Generators say what; `Attacker` does it on a bench. Words that should name a capability are
 * picks: which one is decided when it is known which there are.
 */

import { isError, lookupSlot, slotAt, slotOf } from '@barreleye/caps';
import {
  CAP_TYPE_COUNT,
  CNodeCmd,
  CPTR_ROOTCN,
  Cte,
  capAddrOf,
  capTypeInfo,
  Dcb,
  DispatcherCmd,
  DispatcherFrame,
  GATE_COUNT,
  IrqDestCmd,
  IrqTableCmd,
  invokeHeader,
  ObjType,
  RootSlot,
  Syscall,
  type UserCpu,
  VNodeCmd,
} from '@barreleye/spec';
import fc from 'fast-check';
import { checkInvariants } from '../src/index.ts';
import { areFencesIntact, type Bench, gateAt, PAUSE_CYCLES, type Target } from './bench.ts';
import { Spawner } from './spawn.ts';
import { systemCall, User } from './user.ts';

/** What a pick chooses from: capabilities of a kind, or empty slots. */
const KINDS = [
  'any',
  'memory',
  'table',
  'mapping',
  'endpoint',
  'dispatcher',
  'irq',
  'empty',
] as const;
type Kind = (typeof KINDS)[number];

/** A word of a call: a number, or the `n`-th address of a kind, with something added to it. */
type Word = number | { readonly pick: Kind; readonly n: number; readonly plus?: number };

/** One thing that user mode does. */
export type Attack =
  | { readonly kind: 'call'; readonly words: readonly Word[]; readonly disabled: boolean }
  | { readonly kind: 'frame'; readonly at: number; readonly words: readonly number[] }
  | { readonly kind: 'mend' }
  | { readonly kind: 'driver' }
  | Move;

/** What needs no system call. */
type Move =
  | { readonly kind: 'interrupt'; readonly line: number; readonly seed: number }
  | { readonly kind: 'jump'; readonly low: number; readonly high: number }
  | { readonly kind: 'gate'; readonly gate: number }
  | { readonly kind: 'touch'; readonly va: number; readonly isWrite: boolean };

/** CNodes that picks look into, and how many of their slots. */
const PLACES = [
  [RootSlot.SlotAlloc1, 100],
  [RootSlot.SlotAlloc2, 100],
  [RootSlot.TaskCn, 24],
  [RootSlot.PageCn, 8],
  [RootSlot.SuperCn, 1],
  [RootSlot.SegCn, 1],
  [RootSlot.PhysAddrCn, 3],
  [RootSlot.ModuleCn, 1],
  [RootSlot.RootMappingCn, 10],
] as const;
const [[HOME]] = PLACES;
const HOME_PLACE = HOME << 8;
/** RAM for two dispatchers, and slots beside those of the others. */
const RAM_BYTES = 1280 * 1024;
const OWN_SLOTS = 60;
/** Words of a dispatcher frame that are attacked: the shared part and some endpoint buffers. */
const FRAME_WORDS = 3072;
/** How a word that packs slot and level says that the CNode has level 1. */
const CNODE_LEVEL = 1 << 24;

type Gen<T> = fc.Arbitrary<T>;

/** Mostly the first, sometimes the second. */
function mostly<T>(usual: Gen<T>, odd: Gen<T>): Gen<T> {
  return fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

/** The words of several generators in a row. */
function row(...parts: Gen<Word | readonly Word[]>[]): Gen<Word[]> {
  return fc.tuple(...parts).map((words) => words.flat());
}

/** A number in the low half and another in the high half of a word. */
function packed(low: Gen<number>, high: Gen<number>): Gen<number> {
  return fc.tuple(low, high).map(([a, b]) => ((a & 0xffff) | (b << 16)) >>> 0);
}

const anyWord: Gen<number> = fc.oneof(
  fc.nat(64),
  fc.constantFrom(0, 1, 255, 256, 1024, 4096, 16384, 0x20_0000, 0x8000_0000, 0xffff_f000),
  fc.nat(512).map((i) => i * 4096),
  fc.tuple(fc.nat(16), fc.nat(40)).map(([l1, slot]) => capAddrOf(l1, slot)),
  fc.nat(0xffff_ffff),
);

function pick(kind: Kind, plus = 0): Gen<Word> {
  return mostly<Word>(
    fc.nat(999).map((n) => ({ pick: kind, n, plus })),
    fc.oneof(
      anyWord,
      fc.nat(999).map((n) => ({ pick: 'any' as const, n })),
    ),
  );
}

const level = mostly(fc.constant(2), fc.constantFrom(0, 1, 3, 255));
const root = mostly<Word>(fc.constant(CPTR_ROOTCN), pick('any'));
const home = mostly<Word>(fc.constant(HOME_PLACE), pick('any'));
/** Index of an empty slot in `home`, and both with the level of that CNode. */
const index = pick('empty', -HOME_PLACE);
const place = row(home, pick('empty', -HOME_PLACE + CNODE_LEVEL));
const levels = mostly(fc.constant(0x21), fc.nat(0xff));
const aim = row(pick('any'), level);
const types = packed(
  fc.oneof(
    fc.nat(CAP_TYPE_COUNT),
    fc.constantFrom(
      ObjType.Frame,
      ObjType.RAM,
      ObjType.L2CNode,
      ObjType.L1CNode,
      ObjType.Dispatcher,
      ObjType.EndPointLMP,
      ObjType.VNode_x86_64_ptable,
      ObjType.VNode_x86_64_pdir,
      ObjType.VNode_ARM_l1,
      ObjType.VNode_ARM_l2,
    ),
  ),
  mostly(fc.constantFrom(1, 1, 2, 3), fc.nat(300)),
);
const objectBytes = mostly(fc.constantFrom(0, 4096, 8192, 16384, 65536, 2 ** 20), anyWord);
const offset = mostly<number[]>(
  fc.nat(360).map((i) => [i * 4096, 0]),
  fc.array(anyWord, { minLength: 2, maxLength: 2 }),
);
const entries = packed(
  mostly(fc.nat(12), fc.nat(4100)),
  mostly(fc.constantFrom(1, 1, 2, 4), fc.nat(600)),
);
const flags = packed(mostly(fc.constantFrom(1, 3, 5, 31), fc.nat(0xffff)), level);

function invocation(target: Gen<Word>, command: number, args: Gen<Word[]>): Gen<Word[]> {
  return fc
    .tuple(level, target, args)
    .map(([lvl, cap, words]) => [Syscall.Invoke, invokeHeader(command, lvl), cap, ...words]);
}

const copyArgs = row(root, home, index, root, pick('any'), levels);
const source = fc.oneof(
  { weight: 5, arbitrary: pick('memory') },
  { weight: 1, arbitrary: pick('dispatcher') },
);
const retypeArgs = row(root, source, offset, types, objectBytes, fc.constant(0), root, place);
const mapArgs = row(
  entries,
  root,
  fc.oneof(pick('memory'), pick('table')),
  flags,
  offset,
  root,
  place,
);
/** Level of the capability, flags and length; the words, the first of them the capability. */
const message = fc
  .tuple(
    mostly(fc.constant(2), level),
    mostly(fc.constantFrom(0, 0, 4, 7), fc.nat(255)),
    mostly(fc.nat(5), fc.nat(255)),
  )
  .map(([capLevel, flags, length]) => invokeHeader(capLevel, 2, flags, length));
const sent = row(fc.oneof(pick('any'), fc.constant(0)), fc.array(anyWord, { maxLength: 10 }));
const setupArgs = row(
  mostly<Word>(fc.constant(CPTR_ROOTCN), pick('any')),
  level,
  pick('table'),
  pick('memory'),
  fc.nat(2),
  mostly<number[]>(fc.constant([0x80_0000, 0]), fc.array(anyWord, { minLength: 2, maxLength: 2 })),
  fc.oneof(fc.constant(0), pick('dispatcher')),
);
const endpointArgs = fc.constantFrom([0x2000, 8], [0x3000, 1], [0x7_fff0, 4], [0, 8]);

/** Calls by weight. */
const CALLS: readonly (readonly [number, Gen<Word[]>])[] = [
  [8, invocation(root, CNodeCmd.Retype, retypeArgs)],
  [4, invocation(root, CNodeCmd.Copy, copyArgs)],
  [2, invocation(root, CNodeCmd.Mint, row(copyArgs, fc.nat(31), fc.constant(0), fc.constant(0)))],
  [2, invocation(root, CNodeCmd.Mint, row(copyArgs, fc.nat(31), endpointArgs))],
  [4, invocation(root, CNodeCmd.Delete, aim)],
  [1, invocation(root, CNodeCmd.Revoke, aim)],
  [1, invocation(root, CNodeCmd.Create, row(mostly(fc.constant(ObjType.ID), anyWord), place))],
  [1, invocation(root, CNodeCmd.GetState, aim)],
  [1, invocation(root, CNodeCmd.Identify, aim)],
  [1, invocation(root, CNodeCmd.Resize, row(pick('any'), home, index))],
  [8, invocation(pick('table'), VNodeCmd.Map, mapArgs)],
  [3, invocation(pick('table'), VNodeCmd.Unmap, row(pick('mapping'), level))],
  [2, invocation(pick('irq'), IrqTableCmd.AllocDestCap, row(fc.nat(33), place))],
  [2, invocation(pick('irq'), IrqDestCmd.Connect, row(pick('endpoint'), level))],
  [6, row(fc.constant(Syscall.Invoke), message, pick('endpoint'), sent)],
  [2, row(fc.constant(Syscall.Lrpc), pick('endpoint'), fc.array(anyWord, { maxLength: 4 }))],
  [1, fc.constant([Syscall.Suspend])],
  [3, invocation(pick('dispatcher'), DispatcherCmd.Setup, setupArgs)],
  [1, invocation(pick('dispatcher'), DispatcherCmd.Stop, fc.constant([]))],
  [2, invocation(pick('dispatcher'), DispatcherCmd.Resume, fc.constant([]))],
  [2, row(fc.constant(Syscall.Yield), fc.oneof(pick('dispatcher'), pick('endpoint')))],
  [1, fc.array(anyWord, { maxLength: 16 })],
  [1, row(fc.constant(Syscall.Invoke), packed(fc.nat(40), fc.constant(0)), pick('any'), aim, aim)],
];

/** Words as they may lie in a dispatcher frame: small, huge, and addresses. */
const frameWord = fc.oneof(fc.constantFrom(0, 1, 0x1f_ffff, 0x20_0000, 0xffff_ffff), anyWord);

function attackOf<K extends Attack['kind'], T>(kind: K, model: { [P in keyof T]: Gen<T[P]> }) {
  return fc.record({ kind: fc.constant(kind), ...model });
}

/** Everything that hostile user mode does. */
export const attack = fc.oneof(
  ...CALLS.map(([weight, words]) => ({
    weight,
    arbitrary: attackOf('call', { words, disabled: fc.boolean() }),
  })),
  {
    weight: 2,
    arbitrary: attackOf('frame', {
      at: fc.nat(FRAME_WORDS - 1),
      words: fc.array(frameWord, { minLength: 1, maxLength: 64 }),
    }),
  },
  { weight: 3, arbitrary: attackOf('mend', {}) },
  { weight: 1, arbitrary: attackOf('driver', {}) },
  {
    weight: 3,
    arbitrary: attackOf('interrupt', {
      line: fc.integer({ min: 1, max: 31 }),
      seed: fc.nat(0xffff_ffff),
    }),
  },
  { weight: 1, arbitrary: attackOf('jump', { low: anyWord, high: frameWord }) },
  { weight: 1, arbitrary: attackOf('gate', { gate: fc.nat(GATE_COUNT) }) },
  {
    weight: 1,
    arbitrary: attackOf('touch', {
      va: fc.nat(0x7fff_ffff).map((va) => va & ~3),
      isWrite: fc.boolean(),
    }),
  },
) as Gen<Attack>;

/** A bench with a few dispatchers and objects, under attack. */
export class Attacker {
  /** Answers by their most recent code, `OK` for success. */
  readonly answers: Map<string, number>;
  private readonly user: User;
  readonly bench: Bench;
  private readonly spawner: Spawner;

  constructor(target: Target) {
    this.answers = new Map();
    this.user = new User(target, {
      dispatchers: 2,
      ramBytes: 5 * 2 ** 20,
      timeslice: 40 * PAUSE_CYCLES,
    });
    this.bench = this.user.bench;
    this.spawner = new Spawner(this.user);
    // Two that nothing but their own capabilities can take away, and two made of somebody's RAM.
    for (let i = 0; i < 2; i++) this.spawner.spawn();
    const ram = this.user.make(ObjType.RAM, RAM_BYTES, 16384);
    const mortal = new Spawner(this.user, this.user.base(ram), RAM_BYTES, OWN_SLOTS);
    for (let i = 0; i < 2; i++) mortal.spawn();
    this.user.makeTables(this.bench.arch.heapBase);
    for (let i = 0; i < 3; i++) this.user.make(ObjType.Frame, 4 * 4096);
    for (const { type } of target.paging.levels) this.user.make(type);
    this.user.makeEndpoint(0x2000, 8);
    this.user.make(ObjType.L2CNode);
    this.user.make(ObjType.Dispatcher);
  }

  /** Whether anybody has the core. */
  get isAlive(): boolean {
    return this.bench.current !== 0;
  }

  /** Do it as whoever has the core. If the kernel panics, `machine.run` throws. */
  do(attack: Attack): void {
    if (!this.isAlive) this.wakeSomebody();
    if (!this.isAlive) return;
    const frame = Dcb.frameBase.get(this.bench.mem, this.bench.current);
    switch (attack.kind) {
      case 'call':
        DispatcherFrame.disabled.set(this.bench.mem, frame, attack.disabled ? 1 : 0);
        this.call(attack.words);
        return;
      case 'frame': {
        const first = (frame - this.bench.mem.origin) / 4;
        for (const [i, word] of attack.words.entries()) {
          this.bench.mem.words[first + ((attack.at + i) % FRAME_WORDS)] = word;
        }
        return;
      }
      case 'mend':
        this.spawner.setEntries(frame);
        return;
      case 'driver':
        this.bench.replaceDriver();
        return;
      default:
        this.bench.tryAct((cpu) => this.move(cpu, attack));
    }
  }

  /** What is wrong with the system. */
  check(): string[] {
    const problems = checkInvariants(this.bench.kernel);
    if (!areFencesIntact(this.bench)) problems.push('somebody wrote memory that nobody has');
    return problems;
  }

  private call(words: readonly Word[]): void {
    const found = this.survey();
    const numbers = words.map((word) => resolve(word, found));
    // Somebody else may be entered, or nobody: a bad program counter kills.
    const outcome = this.bench.tryAct((cpu) => systemCall(cpu, numbers));
    if (outcome === undefined) return;
    const name = outcome.value.names[0] ?? 'OK';
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
  }

  private move(cpu: UserCpu, move: Move): void {
    const { arch, core } = this.bench;
    switch (move.kind) {
      case 'interrupt':
        for (let i = 0; i < 2 * arch.registers.length; i++) {
          if (i >> 1 !== arch.pc) cpu.regs[i] = Math.imul(move.seed + i, 0x9e37_79b1);
        }
        core.raise(move.line);
        cpu.poll();
        return;
      case 'jump':
        cpu.regs[2 * arch.pc] = move.low;
        cpu.regs[2 * arch.pc + 1] = move.high;
        return;
      case 'gate':
        cpu.regs[2 * arch.pc] = gateAt(arch, move.gate);
        cpu.regs[2 * arch.pc + 1] = 0;
        return;
      case 'touch':
        if (move.isWrite) cpu.store32(move.va, 0xffff_ffff);
        else cpu.load32(move.va);
    }
  }

  /** Addresses by kind, in the CSpace of whoever has the core. */
  private survey(): Record<Kind, number[]> {
    const { mem, kernel, current } = this.bench;
    const found = Object.fromEntries(KINDS.map((kind) => [kind, []])) as never as Record<
      Kind,
      number[]
    >;
    for (const [l1, count] of PLACES) {
      const cnode = lookupSlot(kernel.caps, Dcb.cspace.at(current), l1 << 8, 1, 0);
      if (isError(cnode) || Cte.type.get(mem, slotOf(cnode)) !== ObjType.L2CNode) continue;
      for (let i = 0; i < count; i++) {
        const type = Cte.type.get(mem, slotAt(mem, slotOf(cnode), i));
        const address = capAddrOf(l1, i);
        if (type !== ObjType.Null) found.any.push(address);
        const kind = kindOf(type);
        if (kind !== 'empty' || (l1 === HOME && found.empty.length < 4)) found[kind].push(address);
      }
    }
    return found;
  }

  private wakeSomebody(): void {
    for (const line of [3, 7]) this.bench.core.raise(line);
    this.bench.run(10 * PAUSE_CYCLES);
  }
}

function kindOf(type: ObjType): Kind {
  const info = capTypeInfo(type);
  if (type === ObjType.Null) return 'empty';
  if (info.vnode) return 'table';
  if (info.mapping) return 'mapping';
  if (info.identity === 'region') return 'memory';
  if (type === ObjType.EndPointLMP) return 'endpoint';
  if (type === ObjType.Dispatcher) return 'dispatcher';
  return type === ObjType.IRQTable || type === ObjType.IRQDest ? 'irq' : 'any';
}

/** The number that a word stands for. */
function resolve(word: Word, found: Record<Kind, number[]>): number {
  if (typeof word === 'number') return word;
  const choices = found[word.pick];
  const address = choices[word.n % Math.max(1, choices.length)] ?? word.n;
  return (address + (word.plus ?? 0)) >>> 0;
}

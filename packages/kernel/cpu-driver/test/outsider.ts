/**
 * A domain without authority: it holds its own dispatcher, frame, page table and CNodes, and
 * nothing else. It makes system calls of random words. Everything that is not its own must stay as
 * it is, byte by byte, but for what the kernel writes about itself.
 */

import { copyToSlot, eachCap, eachKcbSlot, eachSlot, type Slot, slotAt } from '@barreleye/caps';
import { assert, hex, Prng } from '@barreleye/core';
import {
  CAP_TYPE_COUNT,
  CNodeCmd,
  CPTR_ROOTCN,
  CTE_BYTES,
  Cte,
  capAddrOf,
  DispatcherFrame,
  invokeHeader,
  Kcb,
  L1_CNODE_GRANULE,
  ObjType,
  RootSlot,
  Syscall,
  TaskSlot,
  type UserCpu,
} from '@barreleye/spec';
import { checkInvariants } from '../src/index.ts';
import { areFencesIntact, type Bench, PAUSE_CYCLES, type Target } from './bench.ts';
import { type Spawned, Spawner } from './spawn.ts';
import { must, systemCall, User } from './user.ts';
import { watchEntries } from './watch.ts';

/** RAM for its dispatcher, frame and page tables. */
const RAM_BYTES = 768 * 1024;
/** Calls in one turn of the core. */
const CALLS_PER_TURN = 64;
/** Calls that one outsider makes at most, before a fresh one is built. */
const CALLS_PER_LIFE = 2000;
/** Slots of its task CNode that hold something at first; copies go behind them. */
const OWN_SLOTS = [
  TaskSlot.Dispatcher,
  TaskSlot.RootCn,
  TaskSlot.DispatcherFrame,
  TaskSlot.User,
] as const;
/** Fields of a slot that tie it into tree and lists: other capabilities change them. */
const LINK_WORDS = Array.from(
  { length: (CTE_BYTES - Cte.left.offset) / 4 },
  (_, i) => Cte.left.offset / 4 + i,
);
/** Of the word with level, end root and interface type: the last. */
const IFTYPE_MASK = 0xffff_0000;
/** Fields of the KCB below this are counters, queues, and the roots of tree and lists; so are those
 * from `payer` to the interrupts. */
const KCB_OWN_BYTES = Kcb.bootInfo.offset;

class Outsider {
  readonly bench: Bench;
  callCount: number;
  private readonly self: Spawned;
  private readonly prng: Prng;
  private readonly answers: Map<string, number>;
  private readonly problems: string[];
  private readonly before: Uint32Array;
  /** Bits of each word of memory that must stay. */
  private readonly masks: Uint32Array;

  /** @param answers counts answers by their most recent code, `OK` for success */
  constructor(target: Target, prng: Prng, answers: Map<string, number>) {
    const user = new User(target);
    this.bench = user.bench;
    this.callCount = 0;
    this.prng = prng;
    this.answers = answers;
    this.problems = [];
    const ram = user.make(ObjType.RAM, RAM_BYTES, 16384);
    const root = user.make(ObjType.L1CNode, L1_CNODE_GRANULE);
    const task = user.make(ObjType.L2CNode);
    const { mem, plan } = this.bench;
    // Its creator keeps its page tables there.
    const lent = slotAt(mem, Kcb.rootCn.at(plan.kcb), RootSlot.SlotAlloc2);
    const own = [user.slot(ram), user.slot(root), user.slot(task), lent].map(
      (slot) => [Cte.base.get(mem, slot), Cte.bytes.get(mem, slot)] as const,
    );
    const spawner = new Spawner(user, user.base(ram), RAM_BYTES);
    spawner.cspace = user.slot(root);
    this.self = spawner.spawn();
    this.fillCspace(user, root, task);
    for (const address of [root, task]) must(user.delete(address));
    this.handOver(user);
    this.before = this.bench.mem.words.slice();
    this.masks = createMasks(this.bench, own);
  }

  /** Whether it can still make calls. */
  get isAlive(): boolean {
    return this.bench.current === this.self.dcb;
  }

  /** Make up to `count` calls, all checked; fewer if it dies of one. */
  attack(count: number): void {
    const end = this.callCount + count;
    while (this.isAlive && this.callCount < end && this.problems.length === 0) {
      this.bench.tryAct((cpu) => {
        for (let i = 0; i < CALLS_PER_TURN && this.callCount < end; i++) {
          if (!this.makeCall(cpu)) return;
        }
      });
    }
  }

  /** What is wrong with the system, or was after some call. */
  check(): string[] {
    const { bench } = this;
    const problems = [...this.problems, ...checkInvariants(bench.kernel)];
    if (!areFencesIntact(bench)) problems.push('somebody wrote memory that nobody has');
    const { words, origin } = bench.mem;
    for (let i = 0; i < words.length && problems.length < 8; i++) {
      const difference = ((words[i] ?? 0) ^ (this.before[i] ?? 0)) & (this.masks[i] ?? 0);
      if (difference !== 0) problems.push(`${hex(origin + 4 * i)} is not its own, but changed`);
    }
    return problems;
  }

  /** Its root CNode holds one CNode, and that what it lives by. */
  private fillCspace(user: User, root: number, task: number): void {
    const { kernel, mem } = this.bench;
    const give = (address: number, slotIndex: number): void =>
      copyToSlot(kernel.caps, user.slot(address), slotAt(mem, user.slot(task), slotIndex));
    copyToSlot(kernel.caps, user.slot(task), slotAt(mem, user.slot(root), RootSlot.TaskCn));
    give(root, TaskSlot.RootCn);
    give(this.self.dispatcher, TaskSlot.Dispatcher);
    give(this.self.frameCap, TaskSlot.DispatcherFrame);
    give(this.self.rootTable, TaskSlot.User);
  }

  /** The first domain goes to sleep for good, and this one has the core. */
  private handOver(user: User): void {
    const { bench } = this;
    DispatcherFrame.disabled.set(bench.mem, user.frame, 1);
    user.call(Syscall.Yield, 0);
    bench.run(PAUSE_CYCLES);
    assert(this.isAlive, 'the first domain sleeps, so the other one runs');
    watchEntries(bench, this.problems, () => `call ${this.callCount}`);
  }

  /** One call; whether the core is still there. */
  private makeCall(cpu: UserCpu): boolean {
    const { mem } = this.bench;
    const { prng, self } = this;
    DispatcherFrame.disabled.set(mem, self.frame, prng.below(2));
    DispatcherFrame.haswork.set(mem, self.frame, 1);
    this.callCount += 1;
    const { names } = systemCall(cpu, randomCall(prng));
    const name = names[0] ?? 'OK';
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
    return name !== 'left';
  }
}

/** Let outsiders make `count` calls on `target`; what went wrong, with the call and its seed. */
export function attackFromOutside(
  target: Target,
  count: number,
  seed: number,
): { readonly problems: string[]; readonly answers: Map<string, number> } {
  const answers = new Map<string, number>();
  for (let made = 0, life = 0; made < count; life++) {
    const outsider = new Outsider(target, new Prng(seed + life), answers);
    outsider.attack(Math.min(CALLS_PER_LIFE, count - made));
    made += outsider.callCount;
    const problems = outsider.check();
    if (problems.length > 0) {
      return { problems: problems.map((problem) => `seed ${seed + life}: ${problem}`), answers };
    }
  }
  return { problems: [], answers };
}

/** Which bits of each word must stay: none of what `own` covers, none that tie slots together. */
function createMasks(bench: Bench, own: readonly (readonly [number, number])[]): Uint32Array {
  const { mem, kernel } = bench;
  const masks = new Uint32Array(mem.words.length).fill(0xffff_ffff);
  const wordAt = (address: number): number => (address - mem.origin) / 4;
  const hideLinks = (slot: Slot): void => {
    const first = wordAt(slot);
    for (const i of LINK_WORDS) masks[first + i] = 0;
    masks[first + Cte.level.offset / 4] = IFTYPE_MASK;
  };
  for (const slot of eachKcbSlot(kernel.kcb)) hideLinks(slot);
  for (const holder of eachCap(kernel.caps)) {
    for (const slot of eachSlot(mem, holder)) hideLinks(slot);
  }
  for (const [base, bytes] of own) masks.fill(0, wordAt(base), wordAt(base + bytes));
  masks.fill(0, wordAt(kernel.kcb), wordAt(kernel.kcb + KCB_OWN_BYTES));
  masks.fill(0, wordAt(kernel.kcb + Kcb.payer.offset), wordAt(Kcb.irqEndpoint.at(kernel.kcb)));
  return masks;
}

/** Words of a call: most are right in form, so that they get further than the first check. */
function randomCall(prng: Prng): number[] {
  const words = Array.from({ length: 4 + prng.below(12) }, () => anyWord(prng));
  if (prng.below(16) === 0) return words;
  const command = prng.below(12);
  const level = prng.below(8) === 0 ? prng.below(256) : 2;
  words[0] = prng.below(16) === 0 ? Syscall.Yield : Syscall.Invoke;
  words[1] = words[0] === Syscall.Yield ? ownAddress(prng) : invokeHeader(command, level);
  words[2] = prng.below(3) === 0 ? ownAddress(prng) : CPTR_ROOTCN;
  if (prng.below(3) === 0) return words;
  return [...words.slice(0, 3), ...likelyArgs(prng, command)];
}

/** Argument words as the command of a CNode, or of a page table, takes them. */
function likelyArgs(prng: Prng, command: number): number[] {
  const source = ownAddress(prng);
  const slot = TaskSlot.User + 1 + prng.below(60);
  const isTable = prng.below(2) === 0;
  switch (command) {
    case CNodeCmd.Copy:
    case CNodeCmd.Mint:
      if (isTable)
        return [
          prng.below(512) + 0x1_0000,
          CPTR_ROOTCN,
          source,
          0x2_0003,
          0,
          0,
          CPTR_ROOTCN,
          0,
          slot + 0x100_0000,
        ];
      return [CPTR_ROOTCN, 0, slot, CPTR_ROOTCN, source, 0x21, anyWord(prng), anyWord(prng)];
    case CNodeCmd.Retype: {
      const type = prng.below(CAP_TYPE_COUNT) + (1 + prng.below(3)) * 0x1_0000;
      const offset = 4096 * prng.below(130);
      return [CPTR_ROOTCN, source, offset, 0, type, 4096, 0, CPTR_ROOTCN, 0, slot + 0x100_0000];
    }
    case CNodeCmd.Create:
      return [anyWord(prng), 0, slot + 0x100_0000];
    default:
      // What it lives by is rarely at stake, or it would not live long.
      return [prng.below(40) === 0 ? source : slot, 2];
  }
}

/** The address of something that it has, or of an empty slot. */
function ownAddress(prng: Prng): number {
  if (prng.below(4) === 0) return anyWord(prng);
  if (prng.below(2) === 0) return TaskSlot.User + prng.below(60);
  return OWN_SLOTS[prng.below(OWN_SLOTS.length)] ?? 0;
}

/** A word that somebody might pass: an address, a small number, a power of two, or anything. */
function anyWord(prng: Prng): number {
  switch (prng.below(7)) {
    case 0:
      return prng.next32();
    case 1:
      return 2 ** prng.below(32);
    case 2:
      return prng.below(32);
    case 3:
      return 4096 * prng.below(1024);
    case 4:
      return 0xffff_ffff - prng.below(4096);
    case 5:
      return prng.below(80) + 0x100_0000 * prng.below(3);
    default:
      return capAddrOf(prng.below(16), prng.below(80));
  }
}

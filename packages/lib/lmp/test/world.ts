/**
 * A core driven by hand: domains that run until each sleeps for good, and as much of a kernel as
 * channels need: slots, endpoints, messages, one core that is given away and taken back.
 */

import { asPaddr, asPtr, assert, type Errval, fromWords, OK, panic } from '@barreleye/core';
import { type Capref, type Os, program, TASK_ROOT_CN, type Wait } from '@barreleye/libos';
import { HandCpu } from '@barreleye/libos/testing';
import {
  type Arch,
  archX86_64,
  CAP_TYPE_NAMES,
  type CapTypeName,
  CNodeCmd,
  DispatcherFrame,
  Err,
  Gate,
  headerCommand,
  headerFlags,
  headerLength,
  INVOKE_ARGS_AT,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpFlag,
  LmpHeader,
  lowHalf,
  ObjType,
  type ProgramInstance,
  packCapHead,
  placeSlot,
  Rights,
  Syscall,
} from '@barreleye/spec';

/** The ring of an endpoint: what all copies of its capability share. */
interface Ring {
  readonly owner: Domain;
  readonly offset: number;
  readonly words: number;
}

interface Held {
  readonly type: CapTypeName;
  readonly rights: number;
  readonly ring?: Ring;
}

/** Cycles of an entry into a domain, and between a wake-up time and the entry. */
const ENTRY_CYCLES = 100;
/** Entries after which a test is stuck. */
const MAX_ENTRIES = 100_000;

export class World {
  readonly domains: Domain[];
  cycles: number;
  /** Who has been given the core. */
  next: Domain | undefined;

  constructor() {
    this.domains = [];
    this.cycles = 0;
    this.next = undefined;
  }

  /** Make a domain; it runs when the world does. It may have the `id` of one that is dead. */
  add(
    name: string,
    main: (os: Os) => Wait<unknown>,
    arch: Arch = archX86_64,
    id: number = this.domains.length + 1,
  ): Domain {
    const domain = new Domain(this, name, main, arch, id);
    this.domains.push(domain);
    return domain;
  }

  /** Run until all domains sleep for good. Throws what a thread died of. */
  run(): void {
    for (let entries = 0; entries < MAX_ENTRIES; entries++) {
      const domain = this.choose();
      if (domain === undefined) return;
      domain.enter();
      for (const { deaths } of this.domains) for (const death of deaths) throw death;
    }
    throw new Error('the domains never sleep');
  }

  /** The domain that runs next; domains take turns. */
  private choose(): Domain | undefined {
    this.cycles += ENTRY_CYCLES;
    const given = this.next;
    this.next = undefined;
    if (given?.isRunnable) return given;
    const wakeups = this.domains.map(({ wakeup }) => wakeup);
    if (!this.domains.some(({ isRunnable }) => isRunnable)) {
      const earliest = Math.min(...wakeups);
      if (earliest === Number.POSITIVE_INFINITY) return undefined;
      this.cycles = Math.max(this.cycles, earliest);
    }
    const at = this.domains.findIndex(({ isRunnable, wakeup }) => {
      return isRunnable || wakeup <= this.cycles;
    });
    const [domain] = this.domains.splice(at, 1);
    if (domain !== undefined) this.domains.push(domain);
    return domain;
  }
}

export class Domain {
  readonly id: number;
  /** What threads died of. */
  readonly deaths: unknown[];
  /** Times that it was entered. */
  entryCount: number;
  isRunnable: boolean;
  wakeup: number;
  private readonly world: World;
  private readonly cpu: HandCpu;
  private readonly caps: Map<number, Held>;
  private readonly instance: ProgramInstance;
  private isDead: boolean;
  /** What the system call under way returns beside its error. */
  private value: number;

  constructor(world: World, name: string, main: (os: Os) => Wait<unknown>, arch: Arch, id: number) {
    this.id = id;
    this.deaths = [];
    this.entryCount = 0;
    this.isRunnable = true;
    this.wakeup = Number.POSITIVE_INFINITY;
    this.world = world;
    this.cpu = new HandCpu(arch);
    this.caps = new Map();
    const options = {
      onThreadDeath: (_: Os, __: string, error: unknown) => this.deaths.push(error),
      onDeadlock: () => undefined,
    };
    this.instance = program(name, main, options).create(this.cpu);
    this.cpu.onSyscall = () => this.syscall();
    this.isDead = false;
    this.value = 0;
  }

  /** Capabilities it has, beside those that it was born with. */
  get capCount(): number {
    return this.caps.size;
  }

  /** Put a copy of `cap` of `giver` into `slot` here, or what the boot would. */
  give(slot: Capref, giver: Domain, cap: Capref): void {
    const held = giver.caps.get(cap.cptr);
    assert(held !== undefined && !this.caps.has(slot.cptr), 'there is something to give, and room');
    this.caps.set(slot.cptr, held);
  }

  /** Put a capability from nothing into `slot`. */
  put(slot: Capref, type: CapTypeName): void {
    this.caps.set(slot.cptr, { type, rights: Rights.All });
  }

  enter(): void {
    const { cpu, world } = this;
    const gate = this.entryCount === 0 ? Gate.Start : Gate.Run;
    this.entryCount += 1;
    this.isRunnable = false;
    this.wakeup = Number.POSITIVE_INFINITY;
    cpu.cycles = world.cycles;
    DispatcherFrame.disabled.set(cpu.mem, this.frame, 1);
    cpu.enter(this.instance, gate, [0x100_0000]);
    world.cycles = Math.max(world.cycles, cpu.cycles);
  }

  /** End it. It says nothing; its endpoints may stay as capabilities, or go. */
  kill(keepsCaps = false): void {
    this.isDead = true;
    this.isRunnable = false;
    this.wakeup = Number.POSITIVE_INFINITY;
    if (!keepsCaps) for (const { caps } of this.world.domains) this.takeFrom(caps);
  }

  private takeFrom(caps: Map<number, Held>): void {
    for (const [cptr, { ring }] of caps) if (ring?.owner === this) caps.delete(cptr);
  }

  private get frame(): ReturnType<typeof asPtr<'DispatcherFrame'>> {
    return asPtr<'DispatcherFrame'>(this.cpu.arch.dispatcherBase);
  }

  private syscall(): void {
    const { cpu } = this;
    if (cpu.argWord(0) === Syscall.Yield) {
      this.yieldCore();
      return;
    }
    const header = cpu.argWord(1);
    const cap = this.caps.get(cpu.argWord(2));
    if (cap?.ring !== undefined) this.send(cap.rights, cap.ring, header);
    else if (cap !== undefined) panic('what is no endpoint was invoked');
    else if (cpu.argWord(2) !== TASK_ROOT_CN.cptr) cpu.answer(Err.SYS_ERR_CAP_NOT_FOUND);
    else this.invokeRoot(headerCommand(header));
  }

  private yieldCore(): void {
    const { mem } = this.cpu;
    const at = asPaddr(this.frame + DispatcherFrame.wakeup.offset);
    const wakeup = fromWords(mem.load32(at), mem.load32(asPaddr(at + 4)));
    if (DispatcherFrame.haswork.get(mem, this.frame) !== 0) this.isRunnable = true;
    else if (this.hasNews()) this.isRunnable = true;
    else if (wakeup !== 0) this.wakeup = wakeup;
    this.cpu.leave();
  }

  private hasNews(): boolean {
    const { mem } = this.cpu;
    const { lmpSeen, lmpDelivered } = DispatcherFrame;
    return lmpSeen.get(mem, this.frame) !== lmpDelivered.get(mem, this.frame);
  }

  private invokeRoot(command: number): void {
    this.value = 0;
    const err = this.inRoot(command);
    this.cpu.answer(err, this.value);
  }

  private inRoot(command: number): Errval {
    switch (command) {
      case CNodeCmd.Retype:
        return this.fill(this.arg(8) + placeSlot(this.arg(9)), {
          type: CAP_TYPE_NAMES[lowHalf(this.arg(4))] ?? 'Null',
          rights: Rights.All,
        });
      case CNodeCmd.Copy:
      case CNodeCmd.Mint:
        return this.copy(command === CNodeCmd.Mint);
      case CNodeCmd.Delete:
        return this.caps.delete(this.arg(0)) ? OK : Err.SYS_ERR_CAP_NOT_FOUND;
      case CNodeCmd.Revoke:
        return this.revoke();
      case CNodeCmd.Identify:
        return this.identify();
      default:
        return Err.SYS_ERR_ILLEGAL_INVOCATION;
    }
  }

  private copy(isMint: boolean): Errval {
    const source = this.caps.get(this.arg(4));
    if (source === undefined) return Err.SYS_ERR_SOURCE_CAP_LOOKUP;
    const target = this.arg(1) + this.arg(2);
    if (!isMint) return this.fill(target, source);
    const rights = source.rights & this.arg(6);
    const words = lowHalf(this.arg(8));
    const ring = source.ring ?? { owner: this, offset: this.arg(7), words };
    return this.fill(target, { ...source, rights, ring });
  }

  private revoke(): Errval {
    const cap = this.caps.get(this.arg(0));
    if (cap === undefined) return Err.SYS_ERR_CAP_NOT_FOUND;
    for (const { caps } of this.world.domains) {
      for (const [cptr, { ring }] of caps) {
        const isItself = caps === this.caps && cptr === this.arg(0);
        if (ring !== undefined && ring === cap.ring && !isItself) caps.delete(cptr);
      }
    }
    return OK;
  }

  private identify(): Errval {
    const cap = this.caps.get(this.arg(0));
    if (cap === undefined) return Err.SYS_ERR_CAP_NOT_FOUND;
    const words = [cap.ring?.owner.id ?? 0, 0, 0, 0, 0, cap.ring?.offset ?? 0, 0];
    for (const [i, word] of words.entries()) this.cpu.setMessage(i, word);
    this.value = packCapHead(ObjType[cap.type], cap.rights, 0);
    return OK;
  }

  private fill(cptr: number, cap: Held): Errval {
    if (this.caps.has(cptr)) return Err.SYS_ERR_SLOTS_IN_USE;
    this.caps.set(cptr, cap);
    return OK;
  }

  /** Invoke an endpoint: a message, whole or not at all. */
  private send(rights: number, ring: Ring, header: number): void {
    const err = (rights & Rights.Write) === 0 ? Err.SYS_ERR_CAP_RIGHTS : this.deliver(ring, header);
    this.cpu.answer(err);
    if (err !== OK || (headerFlags(header) & LmpFlag.Sync) === 0) return;
    this.isRunnable = true;
    this.world.next = ring.owner;
    this.cpu.leave();
  }

  private deliver({ owner, offset, words }: Ring, header: number): Errval {
    if (owner.isDead) return Err.SYS_ERR_LMP_NO_TARGET;
    const { mem } = owner.cpu;
    const buffer = asPtr<'LmpEndpoint'>(owner.frame + offset);
    let at = LmpEndpoint.delivered.get(mem, buffer);
    const consumed = LmpEndpoint.consumed.get(mem, buffer);
    const count = headerLength(header);
    const used = (at - consumed + words) % words;
    if (words - used <= count + 1) return Err.SYS_ERR_LMP_BUF_OVERFLOW;
    const source = this.arg(0);
    if (source !== 0) {
      const target = LmpEndpoint.recvSlot.get(mem, buffer);
      if (target === 0) return Err.SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID;
      const cap = this.caps.get(source);
      if (cap === undefined) return Err.SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP;
      if (owner.caps.has(target)) return Err.SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED;
      const isGiven = (headerFlags(header) & LmpFlag.GiveAway) !== 0;
      owner.caps.set(target, isGiven ? cap : { ...cap, rights: cap.rights & Rights.Lent });
      if (isGiven) this.caps.delete(source);
    }
    const first = (count << LmpHeader.LengthShift) | (source === 0 ? 0 : LmpHeader.CapBit);
    for (const word of [first, ...Array.from({ length: count }, (_, i) => this.arg(1 + i))]) {
      mem.store32(asPaddr(buffer + LmpEndpoint.$bytes + at * LMP_RING_WORD_BYTES), word);
      at = (at + 1) % words;
    }
    LmpEndpoint.delivered.set(mem, buffer, at);
    const delivered = DispatcherFrame.lmpDelivered.get(mem, owner.frame) + count + 1;
    DispatcherFrame.lmpDelivered.set(mem, owner.frame, delivered);
    owner.isRunnable = true;
    return OK;
  }

  /** Argument `i` of the invocation. */
  private arg(i: number): number {
    return this.cpu.argWord(INVOKE_ARGS_AT + i);
  }
}
